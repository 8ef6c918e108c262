"""Training and evaluation of a plan: the model's arithmetic, on GPUs or CPUs, and the images that feed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from app.plan.nodes import Machines, NodeGroup, Numbers, Placed, PlanError, lost
from core.settings import Config
from trainers.flops import evaluation_flops, step_flops

HELD = 0.3  # of the object store that training pairs may take decoded (trainers/feeding.py)
MOST = 2 * 2**30  # bytes of pixels that one worker shuffles in its memory
STORE = 0.3  # of a node's memory that Ray gives to objects


@dataclass(frozen=True)
class TrainingSet:
    """What one model is trained on."""

    pairs: float
    seen: float  # by all steps


@dataclass(frozen=True)
class Trainers:
    """The nodes of all trainings, and what each of those that go on side by side has of them."""

    group: NodeGroup
    nodes: int
    side_by_side: int
    flops: float  # a second
    cores: float  # that decode images
    store: float  # bytes for decoded images


def training_set(config: Config, pairs: float) -> TrainingSet:
    """Of so many pairs of the corpus; PlanError if they do not fill a batch."""
    pairs *= config.train.fraction * (1 - config.split.val - config.split.test)
    size = config.train.batch_size
    if pairs < size:
        raise PlanError(
            f"{pairs:.0f} pairs to train on do not fill one batch of {size}: more articles, or a smaller batch_size"
        )
    steps = config.optim.steps or config.optim.epochs * (pairs // size)
    return TrainingSet(pairs, steps * size)


def trainers(config: Config, machines: Machines, numbers: Numbers, *, models: int) -> Trainers:
    """As many trainings side by side as fit; PlanError if not one does."""
    train = config.train
    group = with_gpu(machines, workers=train.most_workers) if train.gpu else machines.cpu
    asked = float(train.most_workers) if train.gpu else config.training_cpus
    each = float(group.gpus) if train.gpu else group.cpus
    room = int(each * group.most / asked)
    if not room:
        what = "GPUs" if train.gpu else "logical CPUs"
        raise PlanError(f"a training holds {asked:g} {what}, and group {group.name} may have {each * group.most:g}")
    side_by_side = min(room, models)
    nodes = ceil(side_by_side * asked / each)
    threads = side_by_side * train.most_workers * (1 if train.gpu else train.threads)
    crowded = min(1.0, nodes * group.cores / threads)  # more threads than cores slow each other down
    return Trainers(
        group=group,
        nodes=nodes,
        side_by_side=side_by_side,
        flops=train.most_workers * (_gpu(config, group, numbers) if train.gpu else crowded * _cpu(config, numbers)),
        cores=max(1.0, nodes * group.cores - threads) / side_by_side,
        store=config.cluster.object_store if machines.one else STORE * group.memory * nodes,
    )


def with_gpu(machines: Machines, *, workers: int) -> NodeGroup:
    """The group for so many workers with a GPU each; PlanError where none has a GPU."""
    group = (machines.gpus if workers > 1 else None) or machines.gpu
    if group is None:
        raise PlanError("train.gpu is true and no group of nodes has a GPU: add one, or --set train.gpu=false")
    return group


def evaluation(config: Config, queries: float, machines: Machines, numbers: Numbers) -> Placed:
    """Retrieval of so many queries by actors with a GPU each."""
    group = with_gpu(machines, workers=1)
    actors = min(config.evaluate.actors[1], group.gpus * group.most)
    nodes = ceil(actors / group.gpus)
    arithmetic = (
        queries * evaluation_flops(config, numbers["text_pieces"]) / (actors * group.flops * numbers["gpu_share"])
    )
    decoding = queries * numbers["prepare_seconds_per_pair"] * numbers["core"] / (nodes * group.cores)
    seconds = max(arithmetic, decoding) * lost(group, numbers) + numbers["training_seconds"]
    return Placed(group, nodes, seconds, f"evaluate.actors={list(config.evaluate.actors)}, a GPU each")


def training(config: Config, sets: Sequence[TrainingSet], chosen: Trainers, numbers: Numbers) -> Placed:
    """A model on each of the training sets, as many at a time as go side by side."""
    arithmetic = step_flops(config, numbers["text_pieces"])
    seconds, bounds = [], set()
    for each in sets:
        stepping = each.seen * arithmetic / chosen.flops
        decoded = each.pairs if _held(config, each, chosen) else each.seen
        feeding = decoded * numbers["prepare_seconds_per_pair"] * numbers["core"] / chosen.cores
        seconds.append(max(stepping, feeding))
        bounds.add("the CPUs beside them, which decode images" if feeding > stepping else _workers(config))
    total = max(sum(seconds) / chosen.side_by_side, *seconds)
    total = total * lost(chosen.group, numbers) + numbers["training_seconds"]
    return Placed(chosen.group, chosen.nodes, total, "; ".join(sorted(bounds)))


def _held(config: Config, each: TrainingSet, chosen: Trainers) -> bool:
    """Whether images are decoded once and held, instead of in every epoch."""
    pixels = each.pairs * 3 * config.model.image_size**2
    return pixels < HELD * chosen.store and pixels <= MOST * config.train.least_workers


def _gpu(config: Config, group: NodeGroup, numbers: Numbers) -> float:
    alone = group.flops * numbers["gpu_share"]
    return alone * numbers["workers_share"] if config.train.most_workers > 1 else alone


def _cpu(config: Config, numbers: Numbers) -> float:
    return numbers["cpu_flops"] * config.train.threads / numbers["core"]


def _workers(config: Config) -> str:
    return f"train.workers={config.train.most_workers}, {'a GPU' if config.train.gpu else 'CPU threads'} each"
