"""fit_inline() against the loop taken by hand, and gone on from a checkpoint against never having ended."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor

from core.config import UserError
from core.settings import Config, ObjectiveSettings, OptimSettings, TrainSettings
from trainers import inline
from trainers.batch import Collate, prepare
from trainers.blip import Blip
from trainers.checkpoint import load_model, training_articles
from trainers.inline import fit_here, fit_inline
from trainers.job import make_job, write_start
from trainers.loop import begin, train_step
from trainers.mlip import Mlip
from trainers.objectives.mlip import MlipObjective
from trainers.training_set import read_training_set, seen_in

Rows = Callable[[int], list[dict[str, Any]]]
Weights = dict[str, Tensor]


@pytest.fixture
def pairs(shape_rows: Rows, tmp_path: Path) -> list[str]:
    """24 pairs of 12 articles in one file."""
    file = str(tmp_path / "pairs.parquet")
    pq.write_table(pa.Table.from_pylist(shape_rows(24)), file)
    return [file]


@pytest.fixture
def config(small_blip: Blip) -> Config:
    """Three steps, two to an epoch; 18 of the 24 pairs."""
    return Config(
        model=small_blip.settings,
        objective=ObjectiveSettings(queue=8),
        optim=OptimSettings(lr=1e-3, steps=3, warmup_steps=2),
        train=TrainSettings(batch_size=8, fraction=0.75, checkpoint_steps=2, checkpoint_minutes=1e9),
    )


def weights_of(folder: str | Path) -> Weights:
    return load_model(folder)[0].state_dict()


def trained(config: Config, files: list[str], **begun: Any) -> dict[int, Weights]:
    """The model at each checkpoint."""
    found: dict[int, Weights] = {}
    fit_inline(
        config,
        train_files=files,
        on_checkpoint=lambda folder, step: found.__setitem__(step, weights_of(folder)),
        **begun,
    )
    return found


def same(some: Weights, others: Weights) -> bool:
    return some.keys() == others.keys() and all(torch.equal(some[name], others[name]) for name in some)


def test_it_is_the_loop_taken_step_by_step(config: Config, pairs: list[str], shape_rows: Rows, tmp_path: Path) -> None:
    chosen = read_training_set(pairs, fraction=0.75, seed=0)
    job = make_job(config, chosen, out=str(tmp_path))
    write_start(config, chosen, job)
    model, tokenizer = load_model(job.start)
    objective = job.objective_of(model, tokenizer).train()
    progress = begin(objective, job.plan)
    articles = {row["name"] for piece in seen_in(chosen) for row in piece.to_pylist() if row["kind"] == "article"}
    rows = [prepare(row, 32) for row in shape_rows(24) if row["article_id"] in articles]
    for step in range(3):
        epoch, place = divmod(step, 2)
        order = np.random.default_rng([0, epoch]).permutation(18)[8 * place : 8 * place + 8]
        batch = Collate(tokenizer, 32, 24)([rows[number] for number in order])
        train_step(objective, batch, progress=progress, plan=job.plan)
    found = trained(config, pairs)
    assert sorted(found) == [2, 3]
    assert same(found[3], model.state_dict())


def test_gone_on_from_a_checkpoint_it_is_as_if_it_had_not_ended(
    config: Config, pairs: list[str], tmp_path: Path
) -> None:
    def keep(folder: str, step: int) -> None:
        shutil.copytree(folder, tmp_path / f"at-{step}")

    fit_inline(config, train_files=pairs, on_checkpoint=keep)
    assert same(trained(config, pairs, begin_at=str(tmp_path / "at-2"))[3], weights_of(tmp_path / "at-3"))
    assert len(training_articles(tmp_path / "at-3")) == 9


def test_images_that_would_not_fit_are_decoded_batch_by_batch(
    config: Config, pairs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    once = config.model_copy(update={"optim": OptimSettings(lr=1e-3, steps=1)})
    held = trained(once, pairs)[1]
    monkeypatch.setattr(inline, "HELD", 1)
    assert same(trained(once, pairs)[1], held)


def test_mlip_reads_captions_cut_into_sentences(mlip_for: Callable[..., MlipObjective], pairs: list[str]) -> None:
    like = mlip_for()
    config = Config(
        model=like.model.settings,
        objective=ObjectiveSettings(name="mlip"),
        mlip=like.settings,
        optim=OptimSettings(lr=1e-3, steps=2, warmup_steps=0),
        train=TrainSettings(batch_size=8, log_seconds=1e-9),
    )
    records: list[dict[str, float]] = []
    models: list[Any] = []
    fit_inline(
        config,
        train_files=pairs,
        on_checkpoint=lambda folder, _: models.append(load_model(folder)[0]),
        on_record=records.append,
    )
    assert [record["spm"] > 0 for record in records] == [True, True]  # of texts without a sentence it would be 0
    assert isinstance(models[0], Mlip)


def test_several_workers_are_refused_with_what_to_do(config: Config, pairs: list[str]) -> None:
    several = config.model_copy(update={"train": TrainSettings(batch_size=4, workers=2)})
    with pytest.raises(UserError, match=r"train\.workers is 2, and inline there is one: .*executor=ray_train"):
        fit_inline(several, train_files=pairs, on_checkpoint=lambda folder, step: None)


def test_a_folder_is_left_as_fit_leaves_it_and_is_not_made_twice(
    config: Config, pairs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit_here(config, train_files=pairs, out=str(tmp_path / "model"))
    assert {"checkpoint", "metrics.jsonl"} <= {each.name for each in (tmp_path / "model").iterdir()}
    assert same(trained(config, pairs)[3], weights_of(tmp_path / "model" / "checkpoint"))
    assert "progress.pt" not in {each.name for each in (tmp_path / "model" / "checkpoint").iterdir()}
    monkeypatch.setattr(inline, "fit_inline", None)
    fit_here(config, train_files=pairs, out=str(tmp_path / "model"))
