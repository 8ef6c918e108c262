"""fit() on local Ray: trains, leaves a model that loads, and does not train twice."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.config import UserError
from app.settings import Config, OptimSettings, TrainSettings
from trainers.checkpoint import training_articles
from trainers.fit import fit, load_model
from trainers.objectives.blip import Blip

Rows = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def pairs(shape_rows: Rows, tmp_path: Path) -> list[str]:
    rows, files = shape_rows(24), []
    for number in range(2):
        files.append(str(tmp_path / f"part-{number}.parquet"))
        pq.write_table(pa.Table.from_pylist(rows[12 * number : 12 * number + 12]), files[-1])
    return files


def small(blip: Blip, **train: Any) -> Config:
    settings = TrainSettings(batch_size=8, threads=1, log_seconds=0.1, **train)
    optim = OptimSettings(lr=1e-3, steps=7, warmup_steps=2)
    return Config(model=blip.settings, optim=optim, train=settings)


@pytest.mark.ray
def test_fit_leaves_a_model_its_articles_and_its_curve_and_does_not_train_twice(
    local_ray: None, small_blip: Blip, pairs: list[str], tmp_path: Path
) -> None:
    config = small(small_blip)
    result = fit(config, train_files=pairs, out=str(tmp_path / "out"))
    model, tokenizer = load_model(result.checkpoint)
    records = [json.loads(line) for line in Path(result.metrics).read_text().splitlines()]
    assert records[-1]["step"] == result.steps == 7
    assert model.masking.vocabulary == len(tokenizer)
    assert training_articles(result.checkpoint) == {f"A{n}.1" for n in range(12)}
    written = Path(result.checkpoint, "model.safetensors").stat().st_mtime_ns
    assert fit(config, train_files=pairs, out=str(tmp_path / "out")) == result
    assert Path(result.checkpoint, "model.safetensors").stat().st_mtime_ns == written


def test_a_batch_that_cannot_be_filled_or_shared_out_stops_before_ray(
    small_blip: Blip, pairs: list[str], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="24 pairs to train on do not fill one batch of 32"):
        fit(
            small(small_blip).model_copy(update={"train": TrainSettings(batch_size=32)}),
            train_files=pairs,
            out=str(tmp_path),
        )
    with pytest.raises(UserError, match="does not divide over 3 workers; try 6"):
        fit(small(small_blip, workers=3), train_files=pairs, out=str(tmp_path))
