"""Batches for the workers of a training, on Ray: from memory where the pairs fit, else from a permuted copy.

From a copy, processes beside each worker make its batches: they read, decode and letterbox images, and the worker
receives tensors. Which rows a batch has follows from the seed alone, so that a process that dies is asked again.
"""

import warnings
from collections import deque
from collections.abc import Iterator, Mapping
from functools import partial
from itertools import count, islice
from typing import Any

import pyarrow as pa
import ray
import ray.data
import torch
from ray.data import DataIterator, TaskPoolStrategy
from ray.data.collate_fn import ArrowBatchCollateFn
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from core.cluster import nodes
from core.config import UserError
from core.places import Place
from core.settings import Config
from core.stations import told_plainly
from trainers.batch import Batch, Collate
from trainers.loop import Plan
from trainers.permuted import BatchMaker, Making, Order, Permuted, as_arrays, complete, kept_copy, write_file

HELD = 0.3  # of the object store that training pairs may take
MOST = 2 * 2**30  # bytes of pixels that one worker shuffles in its memory
SHUFFLED = 2048  # rows at least among which a worker draws its next batch; of fewer pairs all
GROUPED = 4096  # rows of a partition of the shuffle, some 80 MB of small images
AHEAD = 2  # batches that each process is asked for before they are needed


def group_of(config: Config) -> dict[str, float]:
    """What puts workers, and what feeds them, on the nodes that are for them."""
    return nodes("trainers" if config.train.gpu else "pipelines")


def fits(making: Making, config: Config) -> bool:
    """Whether the pairs are held in memory, decoded once for all epochs and shuffled whole."""
    pixels = len(making.training_set) * 3 * making.image_size**2
    store = ray.cluster_resources().get("object_store_memory", 0)
    return pixels < HELD * store and pixels <= MOST * config.train.least_workers


def in_memory(making: Making, config: Config) -> ray.data.Dataset:
    """The pairs in the object store, decoded and letterboxed, texts as numbers.

    A new pass over files would cost seconds before its first batch; over blocks in memory it costs hundredths.
    """
    pairs = _files(making).map_batches(making.decoded, batch_format="pyarrow", batch_size=1, **_asked(config))
    pairs.context.execution_options.preserve_order = True
    return pairs.materialize()


def copied(making: Making, config: Config, folder: Place) -> Permuted:
    """The pairs as a permuted copy, below the folder by the digest of what it is made of; one that is there is taken.

    A shuffle of Ray Data brings the rows of each file together: memory is bounded by its partitions.
    """
    place = folder / f"permuted-{making.digest[:16]}"
    found = kept_copy(place.uri)
    if found is None:
        dealt = _files(making).map_batches(making.dealt, batch_format="pyarrow", batch_size=1, **_asked(config))
        partitions = -(-len(making.training_set) // GROUPED)
        groups = dealt.groupby("file", num_partitions=partitions)
        write = partial(write_file, folder=place.uri)
        with told_plainly("train", "the same command deals the pairs out again"):
            told = list(groups.map_groups(write, batch_format="pyarrow", **_asked(config)).iter_rows())
        found = complete(place.uri, told)
    if sum(found.sizes) != len(making.training_set):
        raise UserError(
            f"{place} has {sum(found.sizes):,} pairs, and the table has {len(making.training_set):,}: its files were "
            "changed meanwhile; remove that folder and train again"
        )
    return found


def _files(making: Making) -> ray.data.Dataset:
    # Not ray.data.read_parquet: it reads footers by 32 actors of a CPU each, whatever is asked for the rows, and a
    # cluster that grows would buy nodes for them.
    files = making.training_set.files
    return ray.data.from_items([{"file": file} for file in files], override_num_blocks=len(files))


def _asked(config: Config) -> dict[str, Any]:
    asks: dict[str, Any] = {"num_cpus": config.tables.task_cpus, "resources": group_of(config) or None}
    if not group_of(config):
        # Each task's process loads torch first: on two cores a process for each file takes longer than the files.
        asks["compute"] = TaskPoolStrategy(size=max(1, int(ray.cluster_resources().get("CPU", 0)) // 2))
    return asks


class _ToBatch(ArrowBatchCollateFn):
    """Ray's threads make the batches while the loop trains."""

    def __init__(self, collate: Collate) -> None:
        super().__init__()
        self.collate = collate

    def __call__(self, batch: pa.Table) -> Batch:  # type: ignore[override]  # passed through as it is
        rows = batch.to_pylist()
        return self.collate.stacked(rows, self.collate.pixels([row["image"] for row in rows]))


def batches_from_memory(
    shard: DataIterator, plan: Plan, collate: Collate, *, step: int, workers: int, pairs: int
) -> Iterator[Batch]:
    """The batches that follow a step, epoch after epoch, without end; an epoch's order depends on seed and epoch."""
    done, skip = divmod(step, plan.steps_per_epoch)
    for epoch in count(done):
        rows = shard.iter_torch_batches(
            batch_size=plan.train.batch_size // workers,
            collate_fn=_ToBatch(collate),
            drop_last=True,
            prefetch_batches=2,
            local_shuffle_buffer_size=max(SHUFFLED, pairs // workers),
            local_shuffle_seed=plan.seed + epoch,
        )
        yield from islice(rows, skip if epoch == done else 0, None)


class _Feeder:
    """A process that makes some of a worker's batches."""

    def __init__(self, copy: Permuted, order: Order, collate: Collate, lanes: int) -> None:
        torch.set_num_threads(1)
        self.make = BatchMaker(copy, order, collate, lanes=lanes)

    def batch(self, epoch: int, index: int) -> dict[str, Any]:
        return as_arrays(self.make(epoch, index))


def batches_from_copy(
    copy: Permuted, plan: Plan, collate: Collate, *, step: int, worker: int, workers: int
) -> Iterator[Batch]:
    """The batches that follow a step, epoch after epoch, without end; none before them is read.

    They are made by train.feeders processes on this node, a few ahead of the loop.
    """
    size, steps = plan.train.batch_size // workers, plan.steps_per_epoch
    order = Order(copy.sizes, plan.seed, worker, workers, size, steps)
    feeders = min(plan.train.feeders, order.lanes)
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    # They share the worker's CPUs, as its threads would: asked for apart, they might wait for the worker's own.
    kind: Any = ray.remote(_Feeder)
    kind = kind.options(num_cpus=0, scheduling_strategy=here, max_restarts=-1, max_task_retries=-1)
    lanes = -(-order.lanes // feeders)
    actors = [kind.remote(copy, order, collate, lanes) for _ in range(feeders)]
    asked: deque[Any] = deque()
    try:
        for number in count(step):
            epoch, index = divmod(number, steps)
            asked.append(actors[order.lane(index) % feeders].batch.remote(epoch, index))
            if len(asked) > AHEAD * feeders:
                yield _batch(ray.get(asked.popleft()))
    finally:
        for each in asked:
            ray.cancel(each)  # else Ray tells of each that it cannot be done again
        for each in actors:
            ray.kill(each)


def _batch(told: Mapping[str, Any]) -> Batch:
    """A batch of arrays that lie in the object store: images stay there, as nobody writes to them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of arrays that must not be written to
        images = torch.from_numpy(told["images"]).permute(0, 3, 1, 2)
    named: dict[str, Any] = {n: torch.tensor(each) if hasattr(each, "dtype") else each for n, each in told.items()}
    return Batch(**named | {"images": images})
