"""fit(): the training loop on Ray Train workers, fed by Ray Data, with checkpoints that a restart continues from."""

import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import blake2b
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import ray.data
import ray.train
import torch
from pyarrow.dataset import dataset
from ray.data import DataContext, ExecutionOptions
from ray.data.collate_fn import ArrowBatchCollateFn
from ray.exceptions import RayTaskError
from ray.train.torch import TorchTrainer, prepare_model
from transformers import PreTrainedTokenizerFast

from app.config import UserError
from app.settings import Config, ModelSettings, ObjectiveSettings
from trainers.batch import COLUMNS, Batch, Collate, augment_batch, prepare, train_tokenizer
from trainers.checkpoint import build_model, image_marks, load_model, load_weights, save_model
from trainers.loop import Plan, Progress, Record, begin, train_steps
from trainers.objectives.blip import Blip

__all__ = ["FitResult", "fit", "load_model"]

HELD = 0.3  # of the object store that training pairs may take
SHUFFLED = 2048  # rows among which a worker draws its next batch


@dataclass(frozen=True)
class FitResult:
    """Where a training run left its model."""

    checkpoint: str  # a folder for load_model
    metrics: str  # JSON lines, one record every train.log_seconds
    steps: int


@dataclass(frozen=True)
class Job:
    """All that a worker needs."""

    model: ModelSettings
    objective: ObjectiveSettings
    plan: Plan
    tokenizer: PreTrainedTokenizerFast
    articles: tuple[str, ...]
    images: tuple[str, ...]  # marks, see checkpoint.image_marks
    batch_size: int  # of one worker
    steps_per_epoch: int
    threads: int
    metrics: str


@dataclass(frozen=True)
class _TrainingSet:
    rows: int
    texts: list[str]
    articles: tuple[str, ...]
    images: tuple[str, ...]
    digest: str


def fit_all(
    config: Config, runs: Mapping[str, Sequence[str]], *, on_step: Callable[[str, int, int], None]
) -> list[FitResult]:
    """fit() for several folders, each with its files: side by side where the CPUs allow it, else one after another.

    on_step is told the folder, the step reached and the steps in all, every second. Each runs in a process of its own,
    for Ray Train takes Ctrl-C for itself where it is called. Raises as fit() does.
    """
    task: Any = ray.remote(num_cpus=0, max_retries=0)(_fit_in_task)
    waiting, running = list(runs), dict[Any, str]()
    at_once = max(1, int(ray.cluster_resources().get("CPU", 0) // config.training_cpus))
    done = []
    while waiting or running:
        while waiting and len(running) < at_once:
            out = waiting.pop(0)
            running[task.remote(config, runs[out], out)] = out
        ended, _ = ray.wait(list(running), timeout=1.0)
        for out in running.values():
            on_step(out, _step(Path(out) / "metrics.jsonl"), config.optim.steps or 0)
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
    """Train on the pairs of the files and leave `checkpoint/` and `metrics.jsonl` in the folder `out`.

    Ray has to be started. Called again with the same settings, files and folder it continues where it was, or returns
    what it finished. With several workers the contrast is over the whole batch, the hard negatives are each worker's.
    Raises UserError on too few pairs, ray.train.TrainingFailedError after train.failures restarts.
    """
    folder = Path(out).absolute()
    training_set = _read(train_files)
    job = make_job(config, training_set, metrics=str(folder / "metrics.jsonl"))
    name = _fingerprint(config, training_set)
    done = FitResult(checkpoint=str(folder / "checkpoint"), metrics=job.metrics, steps=job.plan.total_steps)
    if _finished(folder) == name:
        return done
    trainer = TorchTrainer(
        work,
        train_loop_config={"job": job},
        scaling_config=ray.train.ScalingConfig(
            num_workers=config.train.workers,
            use_gpu=config.train.gpu,
            resources_per_worker={"CPU": config.train.cpus_per_worker} | ({"GPU": 1} if config.train.gpu else {}),
        ),
        run_config=ray.train.RunConfig(
            name=name,
            storage_path=str(folder / "restarts"),
            failure_config=ray.train.FailureConfig(max_failures=config.train.failures),
            checkpoint_config=ray.train.CheckpointConfig(num_to_keep=2),
        ),
        datasets={"train": _pairs(train_files, config.model.image_size, cpus=config.tables.task_cpus)},
        dataset_config=ray.train.DataConfig(execution_options=ExecutionOptions(preserve_order=True)),
    )
    result = trainer.fit()
    assert result.checkpoint is not None  # every worker ends with one
    _publish(result.checkpoint, folder, name)
    return done


def _pairs(files: Sequence[str], image_size: int, *, cpus: float) -> ray.data.Dataset:
    """The pairs with their images decoded and made square: once if they fit in the object store, else every epoch."""
    rows = ray.data.read_parquet(list(files), num_cpus=cpus).select_columns(list(COLUMNS))
    pairs = rows.map(partial(prepare, size=image_size), num_cpus=cpus)
    pairs.context.execution_options.preserve_order = True
    n_rows = dataset(list(files), format="parquet").count_rows()
    fits = n_rows * 3 * image_size**2 < HELD * ray.cluster_resources().get("object_store_memory", 0)
    # Each new pass over files costs seconds before its first batch; over blocks in memory, hundredths.
    return pairs.materialize() if fits else pairs


def make_job(config: Config, training_set: _TrainingSet, *, metrics: str) -> Job:
    """What the workers get; raises UserError if there are too few pairs for a batch or a batch does not divide."""
    size, workers = config.train.batch_size, config.train.workers
    if size % workers:
        raise UserError(f"batch_size {size} does not divide over {workers} workers; try {size - size % workers}")
    steps_per_epoch = training_set.rows // workers // (size // workers)
    if not steps_per_epoch:
        raise UserError(
            f"{training_set.rows} pairs to train on do not fill one batch of {size}; lower train.batch_size"
        )
    plan = Plan(
        weights={name: getattr(config.objective, name) for name in ("itc", "itm", "mlm")},
        lr=config.optim.lr,
        weight_decay=config.optim.weight_decay,
        warmup_steps=config.optim.warmup_steps,
        total_steps=config.optim.steps or config.optim.epochs * steps_per_epoch,
        clip=config.optim.clip,
        seed=config.seed,
        log_seconds=config.train.log_seconds,
        checkpoint_seconds=60 * config.train.checkpoint_minutes,
    )
    return Job(
        model=config.model,
        objective=config.objective,
        plan=plan,
        tokenizer=train_tokenizer(training_set.texts, size=config.model.vocabulary),
        articles=training_set.articles,
        images=training_set.images,
        batch_size=size // workers,
        steps_per_epoch=steps_per_epoch,
        threads=config.train.threads,
        metrics=metrics,
    )


def work(settings: dict[str, Any]) -> None:
    """One worker's training, from the latest checkpoint if there is one."""
    job: Job = settings["job"]
    context = ray.train.get_context()
    # More threads than cores make a CPU worker many times slower, not faster.
    torch.set_num_threads(max(1, job.threads // context.get_local_world_size()))
    torch.manual_seed(job.plan.seed)
    model = build_model(job.model, job.objective, job.tokenizer)
    found = ray.train.get_checkpoint()
    if found:
        with found.as_directory() as folder:
            load_weights(model, f"{folder}/model.safetensors")
    unused = min(job.plan.weights.values()) == 0
    objective = prepare_model(model, parallel_strategy_kwargs={"find_unused_parameters": unused})
    progress = begin(objective, job.plan)
    if found:
        with found.as_directory() as folder:
            _restore(progress, f"{folder}/progress.pt")
    first = context.get_world_rank() == 0
    if first:
        _keep_until(Path(job.metrics), progress.step)
    train_steps(
        objective,
        _batches(job, progress.step),
        progress=progress,
        plan=replace(job.plan, seed=job.plan.seed * context.get_world_size() + context.get_world_rank()),
        on_record=lambda record: _append(Path(job.metrics), record) if first else None,
        on_checkpoint=lambda reached: _report(model, reached, job, first=first),
    )
    _report(model, progress, job, first=first)


class _ToBatch(ArrowBatchCollateFn):
    """Ray's threads make the batches while the loop trains."""

    def __init__(self, collate: Collate, *, seed: str) -> None:
        super().__init__()
        self.collate, self.seed = collate, seed

    def __call__(self, batch: pa.Table) -> Batch:  # type: ignore[override]  # passed through as it is
        return augment_batch(self.collate(batch.to_pylist()), seed=self.seed)


def _batches(job: Job, step: int) -> Iterator[Batch]:
    """The batches that follow a step, epoch after epoch, without end; an epoch's order depends on seed and epoch."""
    shard = ray.train.get_dataset_shard("train")
    collate = Collate(job.tokenizer, job.model.image_size, job.model.max_tokens)
    done, skip = divmod(step, job.steps_per_epoch)
    for epoch in count(done):
        rows = shard.iter_torch_batches(
            batch_size=job.batch_size,
            collate_fn=_ToBatch(collate, seed=f"{job.plan.seed}:{epoch}"),
            drop_last=True,
            prefetch_batches=2,
            local_shuffle_buffer_size=SHUFFLED,
            local_shuffle_seed=job.plan.seed + epoch,
        )
        yield from islice(rows, skip if epoch == done else 0, None)


def _report(model: Blip, progress: Progress, job: Job, *, first: bool) -> None:
    """Hand a checkpoint to Ray; every worker comes here, the first one brings the files."""
    metrics = {"step": progress.step}
    if not first:
        ray.train.report(metrics)
        return
    with TemporaryDirectory() as place:
        folder = Path(place) / "checkpoint"
        settings, seen = (job.model, job.objective), {"articles": job.articles, "images": job.images}
        save_model(folder, model, settings=settings, tokenizer=job.tokenizer, **seen)
        torch.save({"optimizer": progress.optimizer.state_dict(), "step": progress.step}, folder / "progress.pt")
        ray.train.report(
            metrics,
            checkpoint=ray.train.Checkpoint.from_directory(folder),
            checkpoint_dir_name=f"step-{progress.step:08d}",
        )


def _restore(progress: Progress, path: str) -> None:
    saved = torch.load(path, weights_only=True, map_location="cpu")
    progress.optimizer.load_state_dict(saved["optimizer"])
    progress.step = saved["step"]


def _append(path: Path, record: Record) -> None:
    with path.open("a") as lines:
        lines.write(json.dumps(record) + "\n")


def _keep_until(path: Path, step: int) -> None:
    """Drop the records of steps that will be taken again."""
    lines = path.read_text().splitlines() if path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= step))


def _read(files: Sequence[str]) -> _TrainingSet:
    table = dataset(list(files), format="parquet").to_table(columns=["pair_id", "article_id", "text"])
    texts = table["text"].to_pylist()
    seen = blake2b(digest_size=8)
    for pair_id, text in zip(table["pair_id"].to_pylist(), texts, strict=True):
        seen.update(f"{pair_id}\0{text}\0".encode())
    articles = tuple(sorted(set(table["article_id"].to_pylist())))
    images = tuple(sorted(image_marks(files)))
    return _TrainingSet(rows=len(texts), texts=texts, articles=articles, images=images, digest=seen.hexdigest())


def _fingerprint(config: Config, training_set: _TrainingSet) -> str:
    """The name of a run: the same for the same pairs and the same settings that shape the model."""
    shape = [config.model, config.objective, config.optim, config.train.batch_size, config.train.workers, config.seed]
    text = "\n".join([*(repr(part) for part in shape), training_set.digest])
    return f"{config.objective.name}-{blake2b(text.encode(), digest_size=6).hexdigest()}"


def _finished(folder: Path) -> str | None:
    """The name of the run whose model lies in the folder."""
    mark = folder / "checkpoint" / "run.json"
    return json.loads(mark.read_text())["name"] if mark.exists() else None


def _publish(checkpoint: ray.train.Checkpoint, folder: Path, name: str) -> None:
    """Put the last checkpoint's model at `checkpoint/`, whole or not at all."""
    draft, final = folder / "checkpoint.draft", folder / "checkpoint"
    shutil.rmtree(draft, ignore_errors=True)
    with checkpoint.as_directory() as source:
        shutil.copytree(source, draft, ignore=shutil.ignore_patterns("progress.pt"))
    (draft / "run.json").write_text(json.dumps({"name": name}))
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
