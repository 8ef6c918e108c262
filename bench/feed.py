"""`python -m bench.feed OUT.json`: what feeds one worker, and how often pairs of one article meet in a batch.

Images a second at 224 px with the model left out, by figray's feed until December 2026 (full images decoded by Ray
Data's tasks in every epoch, batches made by the worker's threads) and by today's, in turns in one run; the wait in a
real training; and the chance of a meeting by both orders beside a global shuffle. Exits 1 where a goal is missed.
"""

import io
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow.parquet import write_table

from bench.numbers import Numbers, measure
from bench.scale import cpu_seconds
from bench.training import MODEL, PAIRS, draw_rows, waited
from bench.turns import in_turns
from core.cluster import connect, disconnect
from core.images import encode_small
from core.places import Place
from core.settings import Config
from trainers.batch import Collate, prepare, train_tokenizer
from trainers.permuted import ROWS, Making, Order
from trainers.texts import TextReader
from trainers.training_set import read_training_set

GPU = 2600  # images a second that a training step takes on one GPU, docs/results.md
FED, A_FILE, BATCH = 1280, 160, 64  # pairs of the corpus and of a file of it; of a batch
# Epochs timed, after one that is not: what was read ahead before the clock began is read again behind it. Turns.
EPOCHS, TURNS = 2, 3
OF_ARTICLE, IN_BUFFER = 4, 2048  # pairs; rows among which a worker drew its next batch until December 2026
SIZES = (4_000, 40_000, 400_000)  # pairs, for the meetings
MOST_MEETINGS, MOST_WAIT = 1.1, 0.05  # times those of a global shuffle; share of a training's time


def main() -> None:
    meetings: list[Callable[[], Numbers]] = [partial(meeting_numbers, each) for each in SIZES]
    measure([decode_numbers, feed_numbers, wait_numbers, *meetings], Path(sys.argv[1]), missed)


def missed(told: Numbers) -> list[str]:
    """Which goals were not reached."""
    goals = [(f"meetings_{size}_now", told[f"meetings_{size}_now"], MOST_MEETINGS) for size in SIZES]
    goals.append(("copy_wait_share", told["copy_wait_share"], MOST_WAIT))
    return [f"{name} is {value:.3f}, and at most {most} is wanted" for name, value, most in goals if value > most]


def rows(pairs: int) -> Iterator[dict[str, Any]]:
    """Drawn pairs of 640 x 480 px with their small images."""
    for row in draw_rows(pairs):
        with Image.open(io.BytesIO(row["image"])) as image:
            yield row | {"small": encode_small(image, Config().tables.train_side)}


def tables(folder: str, drawn: Sequence[dict[str, Any]]) -> list[str]:
    """The files of a pairs table with these rows."""
    files = [f"{folder}/part-{start:06d}.parquet" for start in range(0, len(drawn), A_FILE)]
    for number, file in enumerate(files):
        write_table(pa.Table.from_pylist(drawn[number * A_FILE : (number + 1) * A_FILE]), file)
    return files


def decode_numbers(pairs: int = 200) -> Numbers:
    """Images a second of CPU that one core decodes and letterboxes to 224 px: the full ones, and the small."""
    drawn = list(rows(pairs))
    told: Numbers = {}
    for name, column in (("full", "image"), ("small", "small")):
        files = [{"pair_id": row["pair_id"], "image": row[column]} for row in drawn]
        begun = process_time()
        for each in files:
            prepare(each, 224)
        told[f"decode_{name}_per_core_second"] = pairs / (process_time() - begun)
        told[f"bytes_{name}"] = float(np.mean([len(row[column]) for row in drawn]))
    return told | {"cores_for_gpu": GPU / told["decode_small_per_core_second"]}


def feed_numbers(pairs: int = FED, *, turns: int = TURNS) -> Numbers:
    """Images a second that one worker's feed delivers with the model left out, by both arrangements.

    And images a second of CPU, of all processes, on which other load of the machine weighs less.
    """
    config = Config()
    connect(config)
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        drawn = list(rows(pairs))
        files = tables(folder, drawn)
        tokenizer = train_tokenizer([row["text"] for row in drawn], size=MODEL.vocabulary)
        collate = Collate(tokenizer, 224, MODEL.max_tokens)
        reader = TextReader(tokenizer, MODEL.max_tokens)
        making = Making(read_training_set(files, fraction=1.0, seed=0), reader, 224, None)
        begun = perf_counter()
        batches = by_processes(making, collate, config, folder)
        copying = perf_counter() - begun
        used: dict[str, list[float]] = {"before": [], "now": []}
        sides = {
            "before": lambda turn: rate(before(files, collate, turn), pairs, used["before"]),
            "now": lambda turn: rate(batches(turn), pairs, used["now"]),
        }
        rates = in_turns(sides, turns)
    disconnect()
    told = {f"feed_images_per_second_{side}": median(found) for side, found in rates.items()}
    told |= {f"feed_images_per_cpu_second_{side}": median(found) for side, found in used.items()}
    return told | {
        "feed_times_before_by_cpu": told["feed_images_per_cpu_second_now"] / told["feed_images_per_cpu_second_before"],
        "feed_times_before": told["feed_images_per_second_now"] / told["feed_images_per_second_before"],
        "feed_share_of_gpu": told["feed_images_per_second_now"] / GPU,
        "copy_pairs_per_second": pairs / copying,
    }


def rate(batches: Iterator[Any], pairs: int, used: list[float]) -> float:
    """Images a second of whole epochs, the first not counted; `used` gets those a second of CPU."""
    epoch = pairs // BATCH
    for _ in islice(batches, epoch):
        pass
    begun, before = perf_counter(), cpu_seconds()
    images = sum(len(batch) for batch in islice(batches, EPOCHS * epoch))
    used.append(images / (cpu_seconds() - before))
    seconds = perf_counter() - begun
    batches.close()  # type: ignore[attr-defined]  # generators, which end their processes
    return images / seconds


def before(files: list[str], collate: Collate, turn: int) -> Iterator[Any]:
    """Batches as figray made them until December 2026 of pairs that are not held in memory."""
    import ray.data
    from ray.data import TaskPoolStrategy
    from ray.data.collate_fn import ArrowBatchCollateFn

    from trainers.batch import COLUMNS, rows_in

    class ToBatch(ArrowBatchCollateFn):
        def __call__(self, batch: pa.Table) -> Any:
            return collate.packed(batch.to_pylist())

    asks: dict[str, Any] = {"num_cpus": 0.25, "compute": TaskPoolStrategy(size=2)}
    parts = ray.data.from_items([{"file": file} for file in files], override_num_blocks=len(files))
    read = parts.map_batches(partial(rows_in, columns=COLUMNS), batch_format="pyarrow", batch_size=1, **asks)
    decoded = read.map(partial(prepare, size=collate.image_size), **asks)
    decoded.context.execution_options.preserve_order = True
    (shard,) = decoded.streaming_split(1, equal=True)
    while True:
        yield from shard.iter_torch_batches(
            batch_size=BATCH, collate_fn=ToBatch(), drop_last=True, prefetch_batches=2,
            local_shuffle_buffer_size=min(IN_BUFFER, len(files) * A_FILE // 2), local_shuffle_seed=turn,
        )  # fmt: skip


def by_processes(making: Making, collate: Collate, config: Config, folder: str) -> Any:
    """Batches as figray makes them, by turn, of a permuted copy that is made here."""
    from core.settings import OptimSettings, TrainSettings
    from trainers.feeding import batches_from_copy, copied
    from trainers.loop import Plan

    copy = copied(making, config, Place.at(folder))
    steps = len(making.training_set) // BATCH
    train = TrainSettings(batch_size=BATCH)
    return lambda turn: batches_from_copy(
        copy, Plan(OptimSettings(), train, steps, 10**6, turn), collate, step=0, worker=0, workers=1
    )


def wait_numbers(pairs: int = 192, *, steps: int = 13) -> Numbers:
    """The share of its time that a real training waits for batches of a permuted copy, the first batches aside."""
    config = Config.model_validate({
        "model": MODEL.model_dump(), "optim": {"steps": steps},
        "train": {"batch_size": PAIRS, "log_seconds": 0.1, "trackers": ()},
    })  # fmt: skip
    records = fitted_from_copy(config, pairs)
    return {"copy_wait_share": waited(records), "copy_samples_per_s": median(row["samples_per_s"] for row in records)}


def fitted_from_copy(config: Config, pairs: int) -> list[dict[str, Any]]:
    """The records of a training on Ray, whose pairs are fed from a permuted copy as if they did not fit in memory."""
    connect(config)
    from trainers import feeding
    from trainers.fit import fit

    kept, feeding.MOST = feeding.MOST, 0
    try:
        with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
            result = fit(config, train_files=tables(folder, list(rows(pairs))), out=f"{folder}/fit")
            return [json.loads(line) for line in Path(result.metrics).read_text().splitlines()]
    finally:
        feeding.MOST = kept
        disconnect()


def meeting_numbers(pairs: int, *, epochs: int = 2, seed: int = 0) -> Numbers:
    """How often two pairs of one article meet in a batch, times a global shuffle; articles of four pairs."""
    chance = np.random.default_rng(seed)
    orders = {"before": partial(buffered, pairs), "now": partial(dealt, pairs, chance.permutation(pairs))}
    by_chance = pairs * (OF_ARTICLE - 1) / 2 * (BATCH - 1) / (pairs - 1)
    return {
        f"meetings_{pairs}_{name}": sum(met(order(epoch)) for epoch in range(epochs)) / epochs / by_chance
        for name, order in orders.items()
    }


def met(batches: Iterator[NDArray[np.int64]]) -> int:
    """Two pairs of an article in one batch, counted over all batches; each an array of pairs."""
    total = 0
    for batch in batches:
        _, counts = np.unique(batch // OF_ARTICLE, return_counts=True)
        total += int((counts * (counts - 1) // 2).sum())
    return total


def buffered(pairs: int, epoch: int) -> Iterator[NDArray[np.int64]]:
    """An epoch in the order of the table, batches drawn from a buffer of the rows that come."""
    chance, came = np.random.default_rng([1, epoch]), min(pairs, IN_BUFFER)
    buffer = np.arange(came)
    while len(buffer) >= BATCH:
        chance.shuffle(buffer)
        yield buffer[:BATCH]
        coming = np.arange(came, min(pairs, came + BATCH))
        came += len(coming)
        buffer = np.concatenate([buffer[BATCH:], coming])


def dealt(pairs: int, places: NDArray[np.int64], epoch: int) -> Iterator[NDArray[np.int64]]:
    """An epoch of the permuted copy. places: of the rows of the copy, the pair that each is, as the hash of its id."""
    sizes = tuple(len(each) for each in np.array_split(places, -(-pairs // ROWS)))
    starts = np.cumsum([0, *sizes])
    order = Order(sizes, 0, 0, 1, BATCH, pairs // BATCH)
    for index in range(order.steps):
        yield places[[starts[file] + row for file, row in order.rows(epoch, index)]]


if __name__ == "__main__":
    main()
