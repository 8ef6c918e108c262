"""What is to be trained: settings and pairs into a job for the workers, and the model that it begins with."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
from transformers import PreTrainedTokenizerFast

from core.checksums import seal
from core.config import UserError
from core.places import Place
from core.settings import Config, MlipSettings, ObjectiveSettings, OnlySettings, Settings
from trainers.blip import Blip
from trainers.checkpoint import masking, save_model
from trainers.frozen import freeze
from trainers.interchange import HUB, begin_from
from trainers.loop import Plan, Progress, save_progress
from trainers.mlip import Mlip
from trainers.objectives.blip import BlipObjective
from trainers.objectives.mlip import MlipObjective
from trainers.objectives.objective import Objective
from trainers.pretrained import begin_encoders, begin_mlip
from trainers.seen import is_told, pieces_of, write_seen
from trainers.towers import Towers
from trainers.trackers import METRICS
from trainers.training_set import TrainingSet, digest_of_texts, sample_texts, seen_in

PROGRESS = "progress.pt"  # in a checkpoint on the way: what training goes on from
MOST_WORKERS = 64  # that names were made with
NAME = "run.json"  # in a finished checkpoint: the name of the job that made it


@dataclass(frozen=True)
class Job:
    """All that a worker needs."""

    objective: ObjectiveSettings
    mlip: MlipSettings
    plan: Plan
    queue: int  # keys
    pairs: int  # that are trained on
    name: str  # the same for the same pairs and the same settings that shape the model
    out: str  # the folder of the results, a path or URI

    @property
    def start(self) -> str:
        """The model to begin with, a folder for load_model: written once, all workers begin alike."""
        return (Place.at(self.out) / "start").uri

    @property
    def permuted(self) -> str:
        """Where a permuted copy of the pairs lies while the model is trained on it, where no other folder is named."""
        return (Place.at(self.out) / "permuted").uri

    @property
    def seen(self) -> str:
        """What the model will have seen, and what the model that it begins with has: a folder of seen.write_seen."""
        return (Place.at(self.out) / "seen").uri

    @property
    def metrics(self) -> str:
        """JSON lines, one record every train.log_seconds."""
        return (Place.at(self.out) / METRICS).uri

    @property
    def named(self) -> tuple[Settings, ...]:
        """The settings of what is minimised, as a checkpoint keeps them beside those of the model."""
        return (self.objective, self.mlip) if self.objective.name == "mlip" else (self.objective,)

    def objective_of(self, model: Towers, tokenizer: PreTrainedTokenizerFast) -> Objective:
        """What the model minimises; momentum encoders begin as the model is now."""
        return OBJECTIVES[self.objective.name](self, model, tokenizer)

    def shown(self) -> dict[str, Any]:
        """The settings, as trackers show them."""
        groups = {"optim": self.plan.optim, "train": self.plan.train}
        groups |= dict(zip(("objective", "mlip"), self.named, strict=False))
        return {name: group.model_dump(mode="json") for name, group in groups.items()}


def _blip_objective(job: Job, model: Any, tokenizer: PreTrainedTokenizerFast) -> BlipObjective:
    return BlipObjective(
        model,
        job.objective,
        masking=masking(job.objective, tokenizer),
        queue=job.queue,
        epoch=job.plan.steps_per_epoch,
        seed=job.plan.seed,
    )


def _mlip_objective(job: Job, model: Any, tokenizer: PreTrainedTokenizerFast) -> MlipObjective:
    return MlipObjective(model, job.mlip, seed=job.plan.seed)


OBJECTIVES: dict[str, Callable[[Job, Towers, PreTrainedTokenizerFast], Objective]] = {
    "blip": _blip_objective,
    "mlip": _mlip_objective,
}


def make_job(config: Config, training_set: TrainingSet, *, out: str) -> Job:
    """What the workers get; raises UserError if there are too few pairs for a batch or a batch does not divide."""
    size, train, queue = config.train.batch_size, config.train, config.objective.queue
    if isinstance(train.workers, int) and size % train.workers:
        raise UserError(
            f"batch_size {size} does not divide over {train.workers} workers; try {size - size % train.workers}"
        )
    if size < train.most_workers:
        raise UserError(f"batch_size {size} is less than a pair for each of {train.most_workers} workers")
    steps_per_epoch = len(training_set) // size
    if not steps_per_epoch:
        raise UserError(
            f"{len(training_set)} pairs to train on do not fill one batch of {size}; lower train.batch_size"
        )
    plan = Plan(
        optim=config.optim,
        train=config.train,
        steps_per_epoch=steps_per_epoch,
        total_steps=config.optim.steps or config.optim.epochs * steps_per_epoch,
        seed=config.seed,
    )
    return Job(
        objective=config.objective,
        mlip=config.mlip,
        plan=plan,
        pairs=len(training_set),
        queue=max(0, len(training_set) // 4 - size) if queue is None else queue,
        name=_known_as(config, training_set, out),
        out=out,
    )


def write_start(config: Config, training_set: TrainingSet, job: Job) -> None:
    """Leave at job.start a model with the weights of model.init, or a new one and a tokenizer made from the texts."""
    tell_seen(config, training_set, job)
    model, tokenizer = BEGINNINGS[config.objective.name](config, sample_texts(training_set, seed=config.seed))
    freeze(model, config.train)
    settings = (model.settings, *job.named)
    save_model(job.start, model, settings=settings, tokenizer=tokenizer)


def tell_seen(config: Config, training_set: TrainingSet, job: Job) -> None:
    """Leave at job.seen what the model will have seen."""
    write_seen(Place.at(job.seen), chain(_seen_before(config.model.init), seen_in(training_set)))


def save_checkpoint(
    folder: Path, job: Job, objective: Objective, progress: Progress, *, tokenizer: PreTrainedTokenizerFast
) -> None:
    """The model as a folder, with `progress.pt`, which training goes on from; it points to what was seen."""
    settings, only = (objective.model.settings, *job.named), job.plan.train.only
    told = {} if only == OnlySettings() else {"only": only.model_dump(mode="json")}
    save_model(folder, objective.model, settings=settings, tokenizer=tokenizer, seen=job.seen, told=told)
    save_progress(objective, progress, folder / PROGRESS)
    seal(folder)


def _begin_blip(config: Config, texts: Sequence[str]) -> tuple[Blip, PreTrainedTokenizerFast]:
    if config.model.init:
        return begin_from(config.model.init, model=config.model, objective=config.objective)
    return begin_encoders(partial(Blip, objective=config.objective), config.model, texts=texts, seed=config.seed)


def _begin_mlip(config: Config, texts: Sequence[str]) -> tuple[Mlip, PreTrainedTokenizerFast]:
    return begin_mlip(config.model, config.mlip, texts=texts, seed=config.seed)


BEGINNINGS: dict[str, Callable[[Config, Sequence[str]], tuple[Towers, PreTrainedTokenizerFast]]] = {
    "blip": _begin_blip,
    "mlip": _begin_mlip,
}


def _seen_before(init: str | None) -> Iterable[pa.Table]:
    """What a model of ours was trained on; of published weights nothing is known."""
    return () if not init or init.startswith(HUB) or not is_told(init) else pieces_of(init)


def _known_as(config: Config, training_set: TrainingSet, out: str) -> str:
    """The job's name; one that it had before, where the folder has something of that name.

    Until December 2026 the number of workers was part of it, and before that the texts.
    """
    name = _name(config, training_set.digest)
    there = names_of(Place.at(out)) if out else set()
    if not there or name in there:
        return name
    for pairs in (training_set.digest, digest_of_texts(training_set)):
        for workers in (None, *range(1, MOST_WORKERS + 1)):
            if (older := _name(config, pairs, workers)) in there:
                return older
    return name


def names_of(folder: Place) -> set[str]:
    """The names of the jobs whose checkpoints a folder has."""
    finished = folder / "checkpoint" / NAME
    started = {start.partition(".")[0] for start in (folder / "restarts").folders()}
    return started | ({finished.read_json()["name"]} if finished.exists() else set())


def _name(config: Config, pairs: str, workers: int | None = None) -> str:
    # A model of ours is known by the name of its own training, wherever its folder stands and however old it is.
    init, model = config.model.init, config.model
    if init and not init.startswith(HUB) and (before := Place.at(init) / NAME).exists():
        model = model.model_copy(update={"init": before.read_bytes().decode()})
    losses = [config.objective, config.mlip] if config.objective.name == "mlip" else [config.objective]
    shape: list[Any] = [model, *losses, config.optim, config.train.batch_size]
    shape += [config.seed] if workers is None else [workers, config.seed]
    train = config.train
    if train.frozen or train.augment != "small":
        shape += [train.frozen, train.learnt_blocks, train.augment]
    if config.objective.distil_words:
        shape.append("distil_words")
    text = "\n".join([*(repr(part) for part in shape), pairs])
    return f"{config.objective.name}-{blake2b(text.encode(), digest_size=6).hexdigest()}"
