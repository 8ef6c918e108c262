"""fit(): the training loop on Ray Train workers, fed by Ray Data, with checkpoints that a restart continues from."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import ray.data
import ray.train
import torch
from ray.data import DataContext, ExecutionOptions
from ray.data.collate_fn import ArrowBatchCollateFn
from ray.data.expressions import col
from ray.exceptions import RayTaskError
from ray.train.torch import TorchTrainer, prepare_model
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedTokenizerFast

from app.config import UserError
from app.settings import Config, TrainSettings
from pipelines.records import Pair, arrow_schema
from pipelines.sentences import splitter
from trainers.batch import SENTENCES, Batch, Collate, columns_of, prepare
from trainers.checkpoint import load_model, save_model
from trainers.job import NAME, Job, make_job, write_start
from trainers.loop import (
    Plan,
    Progress,
    Record,
    begin,
    compile_layers,
    load_progress,
    save_progress,
    spare_memory,
    train_steps,
)
from trainers.objectives.objective import Objective
from trainers.trackers import Tracker, check_installed, json_lines, tensorboard
from trainers.training_set import TrainingSet, read_training_set

__all__ = ["FitResult", "fit", "load_model"]

PLACES = arrow_schema(Pair).field(SENTENCES).type
CUT = 512  # texts cut into sentences at once
HELD = 0.3  # of the object store that training pairs may take
SHUFFLED = 2048  # rows among which a worker draws its next batch


@dataclass(frozen=True)
class FitResult:
    """Where a training run left its model."""

    checkpoint: str  # a folder for load_model
    metrics: str  # JSON lines, one record every train.log_seconds
    steps: int


def fit_all(
    runs: Mapping[str, tuple[Config, Sequence[str]]], *, on_step: Callable[[str, int, int], None]
) -> list[FitResult]:
    """fit() for several folders, each with its settings and files: side by side where the CPUs allow it.

    on_step is told the folder, the step reached and the steps in all, every second. Each runs in a process of its own,
    for Ray Train takes Ctrl-C for itself where it is called. Raises as fit() does.
    """
    task: Any = ray.remote(num_cpus=0, max_retries=0)(_fit_in_task)
    waiting, running = list(runs), dict[Any, str]()
    most = max((config.training_cpus for config, _ in runs.values()), default=1.0)
    at_once = max(1, int(ray.cluster_resources().get("CPU", 0) // most))
    done = []
    while waiting or running:
        while waiting and len(running) < at_once:
            out = waiting.pop(0)
            running[task.remote(*runs[out], out)] = out
        ended, _ = ray.wait(list(running), timeout=1.0)
        for out in running.values():
            on_step(out, _step(Path(out) / "metrics.jsonl"), runs[out][0].optim.steps or 0)
        for reference in ended:
            del running[reference]
            done.append(_result(reference))
    return done


def _fit_in_task(config: Config, train_files: Sequence[str], out: str) -> FitResult:
    DataContext.get_current().enable_progress_bars = False
    DataContext.get_current().execution_no_progress_timeout_s = config.cluster.progress_timeout
    return fit(config, train_files=train_files, out=out)


def _result(reference: Any) -> FitResult:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise


def _step(metrics: Path) -> int:
    """The last step that a metrics file tells of."""
    lines = metrics.read_text().splitlines() if metrics.exists() else []
    return int(json.loads(lines[-1])["step"]) if lines else 0


def fit(config: Config, *, train_files: Sequence[str], out: str) -> FitResult:
    """Train on the pairs of the files and leave `checkpoint/`, `metrics.jsonl` and `tensorboard/` in the folder `out`.

    Ray has to be started. Called again with the same settings, files and folder it continues where it was, or returns
    what it finished. With several workers the contrast and the hard negatives are over the whole batch.
    Raises UserError on too few pairs, weights to begin with that do not fit, or a tracker that is not installed;
    ray.train.TrainingFailedError after train.failures restarts.
    """
    folder = Path(out).absolute()
    check_installed(config.train.trackers)
    training_set = read_training_set(train_files, fraction=config.train.fraction, seed=config.seed)
    job = make_job(config, training_set, out=str(folder))
    done = FitResult(checkpoint=f"{folder}/checkpoint", metrics=job.metrics, steps=job.plan.total_steps)
    if _finished(folder) == job.name:
        return done
    write_start(config, training_set, job)
    trainer = TorchTrainer(
        work,
        train_loop_config={"job": job},
        scaling_config=ray.train.ScalingConfig(
            num_workers=config.train.workers,
            use_gpu=config.train.gpu,
            resources_per_worker={"CPU": config.train.cpus_per_worker} | ({"GPU": 1} if config.train.gpu else {}),
        ),
        run_config=ray.train.RunConfig(
            name=job.name,
            storage_path=str(folder / "restarts"),
            failure_config=ray.train.FailureConfig(max_failures=config.train.failures),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
        ),
        datasets={"train": _pairs(config, training_set)},
        dataset_config=ray.train.DataConfig(execution_options=ExecutionOptions(preserve_order=True)),
    )
    result = trainer.fit()
    assert result.checkpoint is not None  # every worker ends with one
    _publish(result.checkpoint, folder, job.name)
    shutil.rmtree(job.start)
    return done


def _pairs(config: Config, training_set: TrainingSet) -> ray.data.Dataset:
    """The pairs with their images decoded and made square: once if they fit in the object store, else every epoch."""
    size, cpus = config.model.image_size, config.tables.task_cpus
    columns = columns_of(training_set.columns)
    rows = ray.data.read_parquet(list(training_set.files), num_cpus=cpus).select_columns(columns)
    if not training_set.whole:
        rows = rows.filter(expr=col("article_id").is_in(list(training_set.articles)), num_cpus=cpus)
    pairs = rows.map(partial(prepare, size=size), num_cpus=cpus)
    if config.objective.name == "mlip" and config.mlip.spm > 0 and not training_set.cut:
        cut = partial(_cut, weights=config.mlip.sentence_weights)
        pairs = pairs.map_batches(cut, batch_format="pyarrow", batch_size=CUT, num_cpus=cpus)
    pairs.context.execution_options.preserve_order = True
    fits = len(training_set) * 3 * size**2 < HELD * ray.cluster_resources().get("object_store_memory", 0)
    # Each new pass over files costs seconds before its first batch; over blocks in memory, hundredths.
    return pairs.materialize() if fits else pairs


def _cut(rows: pa.Table, weights: str | None) -> pa.Table:
    """The rows with the places of their texts' sentences."""
    found = splitter(weights)(rows["text"].to_pylist())
    places = pa.array([[asdict(each) for each in text] for text in found], PLACES)
    kept = rows.drop_columns([SENTENCES]) if SENTENCES in rows.column_names else rows
    return kept.append_column(SENTENCES, places)


def work(settings: dict[str, Any]) -> None:
    """One worker's training, from the latest checkpoint if there is one."""
    job: Job = settings["job"]
    context, train = ray.train.get_context(), job.plan.train
    first = context.get_world_rank() == 0
    # More threads than cores make a CPU worker many times slower, not faster.
    torch.set_num_threads(max(1, train.threads // context.get_local_world_size()))
    # Of the GPU alone: set for all devices, TF32 takes a CPU's small products through oneDNN, ten times slower.
    torch.backends.cuda.matmul.allow_tf32 = True
    found = ray.train.get_checkpoint()
    with found.as_directory() if found else nullcontext(job.start) as folder:
        model, tokenizer = load_model(folder)
        objective = job.objective_of(model, tokenizer)
        ready = _on_device(objective, train)
        progress = begin(objective, job.plan)
        if found:
            load_progress(objective, progress, f"{folder}/progress.pt")
    report = partial(_report, objective, job=job, tokenizer=tokenizer if first else None)
    with ExitStack() as opened:
        trackers = [opened.enter_context(each) for each in _trackers(job, progress.step)] if first else []

        def on_record(record: Record) -> None:
            for track in trackers:
                track(record)

        batches = _batches(
            job.plan, Collate(tokenizer, model.settings.image_size, model.settings.max_tokens), progress.step
        )
        train_steps(ready, batches, progress=progress, plan=job.plan, on_record=on_record, on_checkpoint=report)
    report(progress)


def _on_device(objective: Objective, train: TrainSettings) -> Objective | DistributedDataParallel:
    """The objective on this worker's device, and its gradients shared where there are several workers."""
    if train.gradient_checkpointing:
        spare_memory(objective.model)
    if train.compile:
        compile_layers(objective.model)
    # The parts of a batch go backwards one by one: their gradients are shared in the loop, once for all of them.
    strategy = None if train.accumulate > 1 else "ddp"
    options = {"find_unused_parameters": min(objective.weights.values()) == 0, "broadcast_buffers": False}
    ready: Any = prepare_model(objective, parallel_strategy=strategy, parallel_strategy_kwargs=options)
    return ready


def _trackers(job: Job, step: int) -> list[AbstractContextManager[Tracker]]:
    """Where the records go; Ray's own integrations know its workers, and who logs in how."""
    known: dict[str, Callable[[], AbstractContextManager[Tracker]]] = {
        "tensorboard": lambda: tensorboard(Path(job.out) / "tensorboard", step=step),
        "wandb": lambda: _wandb(job),
        "mlflow": lambda: _mlflow(job),
    }
    return [json_lines(Path(job.metrics), step=step), *(known[name]() for name in job.plan.train.trackers)]


@contextmanager
def _wandb(job: Job) -> Iterator[Tracker]:
    from ray.air.integrations.wandb import setup_wandb  # brings all of Ray Tune with it

    run = setup_wandb(job.shown(), project="figray", trial_id=job.name, trial_name=job.name, dir=job.out)
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


class _ToBatch(ArrowBatchCollateFn):
    """Ray's threads make the batches while the loop trains."""

    def __init__(self, collate: Collate) -> None:
        super().__init__()
        self.collate = collate

    def __call__(self, batch: pa.Table) -> Batch:  # type: ignore[override]  # passed through as it is
        return self.collate(batch.to_pylist())


def _batches(plan: Plan, collate: Collate, step: int) -> Iterator[Batch]:
    """The batches that follow a step, epoch after epoch, without end; an epoch's order depends on seed and epoch."""
    shard = ray.train.get_dataset_shard("train")
    done, skip = divmod(step, plan.steps_per_epoch)
    for epoch in count(done):
        rows = shard.iter_torch_batches(
            batch_size=plan.train.batch_size // plan.train.workers,
            collate_fn=_ToBatch(collate),
            drop_last=True,
            prefetch_batches=2,
            local_shuffle_buffer_size=SHUFFLED,
            local_shuffle_seed=plan.seed + epoch,
        )
        yield from islice(rows, skip if epoch == done else 0, None)


def _report(objective: Objective, progress: Progress, *, job: Job, tokenizer: PreTrainedTokenizerFast | None) -> None:
    """Hand a checkpoint to Ray; every worker comes here, the first one, with a tokenizer, brings the files."""
    metrics = {"step": progress.step}
    if not tokenizer:
        ray.train.report(metrics)
        return
    with TemporaryDirectory() as place:
        folder = Path(place) / "checkpoint"
        settings, seen = (objective.model.settings, *job.named), {"articles": job.articles, "images": job.images}
        save_model(folder, objective.model, settings=settings, tokenizer=tokenizer, **seen)
        save_progress(objective, progress, folder / "progress.pt")
        ray.train.report(
            metrics,
            checkpoint=ray.train.Checkpoint.from_directory(folder),
            checkpoint_dir_name=f"step-{progress.step:08d}",
        )


def _finished(folder: Path) -> str | None:
    """The name of the run whose model lies in the folder."""
    mark = folder / "checkpoint" / NAME
    return json.loads(mark.read_text())["name"] if mark.exists() else None


def _publish(checkpoint: ray.train.Checkpoint, folder: Path, name: str) -> None:
    """Put the last checkpoint's model at `checkpoint/`, whole or not at all."""
    draft, final = folder / "checkpoint.draft", folder / "checkpoint"
    shutil.rmtree(draft, ignore_errors=True)
    with checkpoint.as_directory() as source:
        shutil.copytree(source, draft, ignore=shutil.ignore_patterns("progress.pt"))
    (draft / NAME).write_text(json.dumps({"name": name}))
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
