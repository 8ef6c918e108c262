"""fit_inline(): the training loop in this process, without Ray, for trials that need no workers of their own."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import count, islice
from pathlib import Path
from shutil import copytree, ignore_patterns
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from core.config import UserError
from core.places import Place
from core.settings import Config
from trainers.batch import Batch, Collate, columns_of, prepare
from trainers.checkpoint import WHOLE, load_model
from trainers.job import NAME, PROGRESS, make_job, save_checkpoint, tell_seen, write_start
from trainers.loop import Plan, Progress, Record, begin, load_progress, set_up, train_steps
from trainers.seen import carry
from trainers.texts import cut
from trainers.trackers import METRICS
from trainers.training_set import TrainingSet, rows_of_share, sentences_of, training_set_of

HELD = 2 * 2**30  # bytes of decoded images that are held; of more, the encoded ones are

OnCheckpoint = Callable[[str, int], None]  # its folder, for as long as the call lasts, and its step
Row = dict[str, Any]
MakeBatch = Callable[[Sequence[Row]], Batch]


def fit_inline(
    config: Config,
    *,
    train_files: Sequence[str],
    on_checkpoint: OnCheckpoint,
    begin_at: str | None = None,
    on_record: Callable[[Record], None] = lambda _: None,
) -> None:
    """Train as fit() does with one worker, on_checkpoint told every train.checkpoint_steps and after the last step.

    begin_at: a folder that on_checkpoint was given, from which training goes on as if it had not ended; None: the
    beginning. It differs from fit() in the order of the pairs alone: all are shuffled here, each epoch anew, where a
    worker of fit() draws from 2,048 of them. They are held in memory: decoded, or beyond 2 GB as they are in the table.
    Raises UserError on several workers, too few pairs, or weights to begin with that do not fit.
    """
    if config.train.most_workers > 1:
        raise UserError(
            f"train.workers is {config.train.workers}, and inline there is one: set it to 1, "
            "or train by Ray Train (sweep.executor=ray_train)"
        )
    training_set = training_set_of(config, train_files)
    device = "cuda" if config.train.gpu and torch.cuda.is_available() else "cpu"
    with TemporaryDirectory() as place:
        job = make_job(config, training_set, out=place)
        if begin_at is None:
            write_start(config, training_set, job)
        else:
            tell_seen(config, training_set, job)
        model, tokenizer = load_model(begin_at or job.start)
        objective = job.objective_of(model, tokenizer).to(device)
        set_up(config.train, model)
        progress = begin(objective, job.plan)
        if begin_at is not None:
            load_progress(objective, progress, f"{begin_at}/{PROGRESS}")

        def save(progress: Progress) -> None:
            folder = Path(place) / "checkpoint"
            save_checkpoint(folder, job, objective, progress, tokenizer=tokenizer)
            carry(folder)  # the job's own folder ends with it
            on_checkpoint(str(folder), progress.step)

        size, cut = model.settings.image_size, sentences_of(config, training_set)
        held = len(training_set) * 3 * size**2 <= HELD
        rows = training_rows(training_set, size if held else None, cut)
        collate = Collate(tokenizer, size, model.settings.max_tokens)
        batches = batches_after(
            progress.step, rows, collate=collate.packed if held else preparing(collate), plan=job.plan
        )
        train_steps(objective, batches, progress=progress, plan=job.plan, on_record=on_record, on_checkpoint=save)
        save(progress)


def fit_here(config: Config, *, train_files: Sequence[str], out: str) -> None:
    """fit_inline() to a folder as fit() leaves it: `checkpoint/` and `metrics.jsonl`; what is finished stays.

    Nothing is kept on the way: a training that was cut off begins anew. Raises as fit_inline() does.
    """
    folder = Place.at(out)
    training_set = training_set_of(config, train_files)
    name = make_job(config, training_set, out=folder.uri).name
    done, records = folder / "checkpoint" / NAME, list[Record]()
    if (folder / "checkpoint" / WHOLE).exists() and done.exists() and done.read_json()["name"] == name:
        return

    def publish(checkpoint: str, step: int) -> None:
        (folder / METRICS).write_bytes("".join(f"{json.dumps(record)}\n" for record in records).encode())
        with (folder / "checkpoint").written(last=WHOLE) as draft:
            copytree(checkpoint, draft, ignore=ignore_patterns(PROGRESS), dirs_exist_ok=True)
            (draft / NAME).write_text(json.dumps({"name": name}))

    once = config.model_copy(
        update={"train": config.train.model_copy(update={"checkpoint_steps": None, "checkpoint_minutes": 1e9})}
    )
    fit_inline(once, train_files=train_files, on_checkpoint=publish, on_record=records.append)


@lru_cache(maxsize=1)
def training_rows(training_set: TrainingSet, image_size: int | None, sentences: str | None) -> list[Row]:
    """The pairs of the set in the order of the files; read once for all trials that a process runs one after another.

    image_size: pixels, to which images are decoded; None: they stay as they are. sentences: of `sentences_of`.
    """
    rows, files = list[Row](), pa.table({"file": list(training_set.files)})
    for part in rows_of_share(files, columns=columns_of(training_set.columns), share=training_set.share):
        kept = part.to_pylist()
        if sentences is not None:
            kept = cut(kept, sentences)
        rows += [prepare(row, image_size) for row in kept] if image_size else kept
    return rows


def preparing(collate: Collate) -> MakeBatch:
    """collate() of rows whose images are not decoded yet."""
    return lambda rows: collate.packed([prepare(row, collate.image_size) for row in rows])


def batches_after(step: int, rows: Sequence[Row], *, collate: MakeBatch, plan: Plan) -> Iterator[Batch]:
    """The batches that follow a step, without end; an epoch's order depends on seed and epoch alone."""
    done, skip = divmod(step, plan.steps_per_epoch)
    size = plan.train.batch_size
    for epoch in count(done):
        order = np.random.default_rng([plan.seed, epoch]).permutation(len(rows))
        starts = range(0, plan.steps_per_epoch * size, size)
        for start in islice(starts, skip if epoch == done else 0, None):
            yield collate([rows[number] for number in order[start : start + size]])
