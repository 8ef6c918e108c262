"""fit(): the training loop on Ray Train workers, fed by Ray Data, with checkpoints that a restart continues from."""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import gettempdir
from time import monotonic
from typing import Any

import ray.data
import ray.train
from ray.data import ExecutionOptions
from ray.train import CheckpointUploadMode
from ray.train.torch import TorchTrainer, prepare_model
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedTokenizerFast

from core.cluster import nodes
from core.config import UserError
from core.places import Place
from core.settings import Config, TrainSettings
from trainers.batch import Batch, Collate
from trainers.checkpoint import WHOLE, load_model, load_reader
from trainers.feeding import batches_from_copy, batches_from_memory, copied, fits, group_of, in_memory
from trainers.job import NAME, PROGRESS, Job, make_job, save_checkpoint, write_start
from trainers.loop import (
    Progress,
    Record,
    begin,
    load_progress,
    set_up,
    train_steps,
)
from trainers.objectives.objective import Objective
from trainers.permuted import Making, Permuted
from trainers.restarts import (
    RESTARTS,
    forget_the_stop,
    is_asked_to_stop,
    log,
    newest_whole,
    next_start,
    starts,
    why_not,
)
from trainers.seen import carry
from trainers.trackers import METRICS, TENSORBOARD, Kept, Tracker, check_installed, json_lines, keeping, tensorboard
from trainers.training_set import sentences_of, training_set_of
from trainers.watching import watching

__all__ = ["FitResult", "fit", "load_model"]

Validate = Callable[[str], dict[str, float]]  # a checkpoint's folder -> numbers by name
NOTHING: dict[str, Any] = {}  # Ray's types tell of its older trainer, which has no validation_config
LOOKED = 1.0  # seconds between two looks at whether to stop


@dataclass(frozen=True)
class FitResult:
    """Where a training run left its model."""

    checkpoint: str  # a folder for load_model, path or URI
    metrics: str  # JSON lines, one record every train.log_seconds, path or URI
    steps: int


class TrainingStopped(UserError):
    """A training was asked to stop, and has saved what it had."""


def fit(
    config: Config,
    *,
    train_files: Sequence[str],
    out: str,
    validate: Validate | None = None,
    watched: Sequence[str] = (),
    callbacks: Sequence[Any] = (),
) -> FitResult:
    """Train on the pairs of the files and leave `checkpoint/`, `metrics.jsonl` and `tensorboard/` in the folder `out`.

    Ray has to be started. Called again with the same settings, files and folder it continues where it was, or returns
    what it finished. With several workers the contrast and the hard negatives are over the whole batch.
    validate: of a checkpoint, a folder, whose numbers join its report. watched: files of the validation split, by which
    train.background_validation judges each checkpoint. callbacks: ray.train.UserCallback, told of each.
    Raises UserError on too few pairs, weights to begin with that do not fit, or a tracker that is not installed;
    ray.train.TrainingFailedError after train.failures restarts.
    """
    folder = Place.at(out)
    check_installed(config.train.trackers)
    training_set = training_set_of(config, train_files)
    job = make_job(config, training_set, out=folder.uri)
    done = FitResult(checkpoint=(folder / "checkpoint").uri, metrics=job.metrics, steps=job.plan.total_steps)
    if _finished(folder) == job.name:
        return done
    begin_at = _to_go_on_from(folder, job)
    write_start(config, training_set, job)
    reader, image_size = load_reader(job.start)
    making = Making(training_set, reader, image_size, sentences_of(config, training_set))
    held = fits(making, config)
    copy = None if held else copied(making, config, Place.at(config.train.kept_pairs or job.permuted))
    forget_the_stop(folder)
    name = next_start(folder, job.name)
    watch = watching(config, folder, watched) if watched and config.train.background_validation else None
    told = {"job": job, "watched": bool(watch), "validate": validate, "begin_at": begin_at, "copy": copy}
    trainer = TorchTrainer(
        work,
        train_loop_config={**told, "may_leave": bool(nodes("figray"))},
        scaling_config=_machines(config),
        run_config=ray.train.RunConfig(
            name=name,
            storage_path=(folder / "restarts").path,
            storage_filesystem=None if folder.is_local else folder.filesystem,
            failure_config=ray.train.FailureConfig(max_failures=config.train.failures),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
            callbacks=list(callbacks),
        ),
        **({"validation_config": watch} if watch else NOTHING),
        datasets={"train": in_memory(making, config)} if held else {},
        dataset_config=ray.train.DataConfig(execution_options=ExecutionOptions(preserve_order=True)),
    )
    result = trainer.fit()
    forget_the_stop(folder)
    if (result.metrics or {}).get("step", 0) < job.plan.total_steps:
        raise TrainingStopped(f"{folder}: stopped, and saved; the same command goes on from there")
    _finish(result.checkpoint, folder, job, name)
    return done


def _machines(config: Config) -> ray.train.ScalingConfig:
    """The workers, and what each of them takes."""
    workers: Any = config.train.workers  # Ray's types do not tell of a least and a most
    return ray.train.ScalingConfig(
        num_workers=workers,
        use_gpu=config.train.gpu,
        resources_per_worker=group_of(config) | {"CPU": config.train.cpus_per_worker} | _gpu(config.train),
    )


def _gpu(train: TrainSettings) -> dict[str, float]:
    return {"GPU": 1} if train.gpu else {}


def _to_go_on_from(folder: Place, job: Job) -> str | None:
    """The newest whole checkpoint of the job, if there is one; damaged ones are told."""
    found = newest_whole(folder, job.name)
    for damaged in found.damaged:
        log.warning(damaged)
    return found.checkpoint.uri if found.checkpoint else None


def _finish(checkpoint: ray.train.Checkpoint | None, folder: Place, job: Job, name: str) -> None:
    """Leave the model and nothing of the way; name: of the start that made it."""
    assert checkpoint is not None  # every worker ends with one
    _publish(checkpoint, folder, job.name)
    Place.at(job.start).delete()
    Place.at(job.permuted).delete()
    for before in starts(folder, job.name):
        if before != name:
            (folder / RESTARTS / before).delete()


def work(settings: dict[str, Any]) -> None:
    """One worker's training, from the latest checkpoint if there is one."""
    job: Job = settings["job"]
    context, train = ray.train.get_context(), job.plan.train
    first = context.get_world_rank() == 0
    found = _whole(ray.train.get_checkpoint(), job, settings["begin_at"])
    with found.near() if found else Place.at(job.start).near() as folder:
        model, tokenizer = load_model(folder)
        objective = job.objective_of(model, tokenizer)
        set_up(train, model, workers_here=context.get_local_world_size())
        ready = _on_device(objective, train)
        progress = begin(objective, job.plan)
        if found:
            load_progress(objective, progress, f"{folder}/{PROGRESS}")
    report = partial(
        _report,
        objective,
        job=job,
        tokenizer=tokenizer if first else None,
        validate=settings["validate"],
        watched=settings["watched"],
    )
    with ExitStack() as opened:
        kept = opened.enter_context(keeping(Place.at(job.out))) if first else None
        trackers = [opened.enter_context(each) for each in _trackers(job, kept, progress.step)] if kept else []

        def on_record(record: Record) -> None:
            for track in trackers:
                track(record)

        def on_checkpoint(progress: Progress) -> None:
            if kept:
                kept.put()  # before the checkpoint counts: a restart drops lines, and has none to add
            report(progress)

        collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
        batches = _batches(job, collate, progress.step, settings["copy"])
        train_steps(
            ready, batches, progress=progress, plan=job.plan, on_record=on_record, on_checkpoint=on_checkpoint,
            is_stopped=_Stopped(Place.at(job.out)) if first else lambda: False,
            is_leaving=_Leaving() if settings["may_leave"] else lambda: False,
        )  # fmt: skip
    if progress.step >= job.plan.total_steps:
        report(progress)


def _batches(job: Job, collate: Collate, step: int, copy: Permuted | None) -> Iterator[Batch]:
    """This worker's batches that follow a step, without end."""
    context = ray.train.get_context()
    worker, workers = context.get_world_rank(), context.get_world_size()
    if copy is not None:
        return batches_from_copy(copy, job.plan, collate, step=step, worker=worker, workers=workers)
    shard = ray.train.get_dataset_shard("train")
    return batches_from_memory(shard, job.plan, collate, step=step, workers=workers, pairs=job.pairs)


def _whole(latest: ray.train.Checkpoint | None, job: Job, begin_at: str | None) -> Place | None:
    """What to go on from: the latest checkpoint of this start, if it is whole; else the newest that is, or None."""
    if latest is None:
        return Place.at(begin_at) if begin_at else None
    scheme = Place.at(job.out).scheme
    place = Place(latest.filesystem, latest.path, scheme, Place.at(job.out).options)
    return newest_whole(Place.at(job.out), job.name).checkpoint if why_not(place) else place


class _Stopped:
    """Whether somebody has asked the training to stop; looked for each second."""

    def __init__(self, out: Place) -> None:
        self.out, self.at, self.found = out, monotonic(), False

    def __call__(self) -> bool:
        if not self.found and monotonic() - self.at >= LOOKED:
            self.found, self.at = is_asked_to_stop(self.out), monotonic()
        return self.found


class _Leaving:
    """Whether a node of the training is about to go, said once of each: Ray tells where a cloud takes it back.

    Every worker has to ask equally often.
    """

    def __init__(self) -> None:
        self.known = frozenset[str]()

    def __call__(self) -> bool:
        found = ray.train.get_preemption_info()
        leaving = frozenset(found.preempted_node_ids) if found else self.known
        new, self.known = leaving - self.known, leaving
        return bool(new)


def _on_device(objective: Objective, train: TrainSettings) -> Objective | DistributedDataParallel:
    """The objective on this worker's device, and its gradients shared where there are several workers."""
    # The parts of a batch go backwards one by one: their gradients are shared in the loop, once for all of them.
    strategy = None if train.accumulate > 1 else "ddp"
    options = {"find_unused_parameters": min(objective.weights.values()) == 0, "broadcast_buffers": False}
    ready: Any = prepare_model(objective, parallel_strategy=strategy, parallel_strategy_kwargs=options)
    return ready


def _trackers(job: Job, kept: Kept, step: int) -> list[AbstractContextManager[Tracker]]:
    """Where the records go; Ray's own integrations know its workers, and who logs in how."""
    known: dict[str, Callable[[], AbstractContextManager[Tracker]]] = {
        "tensorboard": lambda: tensorboard(kept.folder / TENSORBOARD, step=step),
        "wandb": lambda: _wandb(job, kept.folder),
        "mlflow": lambda: _mlflow(job),
    }
    named = [known[name]() for name in job.plan.train.trackers]
    return [json_lines(kept.folder / METRICS, step=step), *named, nullcontext(kept.track)]


@contextmanager
def _wandb(job: Job, folder: Path) -> Iterator[Tracker]:
    from ray.air.integrations.wandb import setup_wandb  # brings all of Ray Tune with it

    run = setup_wandb(job.shown(), project="figray", trial_id=job.name, trial_name=job.name, dir=str(folder))
    yield lambda record: run.log(record, step=int(record["step"]))
    run.finish()


@contextmanager
def _mlflow(job: Job) -> Iterator[Tracker]:
    from ray.air.integrations.mlflow import setup_mlflow  # brings all of Ray Tune with it

    mlflow = setup_mlflow(
        job.shown(), experiment_name="figray", run_name=job.name, create_experiment_if_not_exists=True
    )
    yield lambda record: mlflow.log_metrics(record, step=int(record["step"]))
    mlflow.end_run()


def _report(
    objective: Objective,
    progress: Progress,
    *,
    job: Job,
    tokenizer: PreTrainedTokenizerFast | None,
    validate: Validate | None,
    watched: bool,
) -> None:
    """Hand a checkpoint to Ray; every worker comes here, the first one, with a tokenizer, brings the files."""
    metrics = {"step": progress.step}
    how = CheckpointUploadMode.ASYNC if job.plan.train.background_uploads else CheckpointUploadMode.SYNC
    if not tokenizer:
        ray.train.report(metrics, checkpoint_upload_mode=how)
        return
    folder = Path(gettempdir()) / f"figray-{os.getpid()}-{progress.step:08d}"
    try:
        save_checkpoint(folder, job, objective, progress, tokenizer=tokenizer)
        ray.train.report(
            metrics | (validate(str(folder)) if validate else {}),
            checkpoint=ray.train.Checkpoint.from_directory(folder),
            checkpoint_dir_name=f"step-{progress.step:08d}",
            checkpoint_upload_mode=how,
            validation=watched,
        )
    finally:
        if how is CheckpointUploadMode.SYNC:  # else Ray deletes it once it has uploaded it
            shutil.rmtree(folder, ignore_errors=True)


def _finished(folder: Place) -> str | None:
    """The name of the run whose model lies in the folder."""
    model = folder / "checkpoint"
    return (model / NAME).read_json()["name"] if (model / WHOLE).exists() and (model / NAME).exists() else None


def _publish(checkpoint: ray.train.Checkpoint, folder: Place, name: str) -> None:
    """Put the last checkpoint's model at `checkpoint/`, whole or not at all."""
    with checkpoint.as_directory() as source, (folder / "checkpoint").written(last=WHOLE) as draft:
        shutil.copytree(source, draft, ignore=shutil.ignore_patterns(PROGRESS), dirs_exist_ok=True)
        carry(draft)
        (draft / NAME).write_text(json.dumps({"name": name}))
