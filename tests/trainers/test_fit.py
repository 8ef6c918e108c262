"""fit() on local Ray: trains, survives the kill of a worker, leaves a model that loads, and does not train twice."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.config import UserError
from core.places import Place
from core.settings import Config, ObjectiveSettings, OptimSettings, TrainSettings
from trainers import feeding
from trainers.blip import Blip
from trainers.checkpoint import training_articles
from trainers.fit import TrainingStopped, fit, load_model
from trainers.mlip import Mlip
from trainers.objectives.mlip import MlipObjective
from trainers.restarts import ask_to_stop

Rows = Callable[[int], list[dict[str, Any]]]
STEPS_SAVED = 3  # between checkpoints; an epoch, of 36 pairs of 18 articles, has 4
CURVE = ("step", "itc", "itm", "mlm", "loss", "lr", "temperature")


@pytest.fixture
def pairs(shape_rows: Rows, tmp_path: Path) -> list[str]:
    """48 pairs of 24 articles in two files."""
    rows, files = shape_rows(48), []
    for number in range(2):
        files.append(str(tmp_path / f"part-{number}.parquet"))
        pq.write_table(pa.Table.from_pylist(rows[24 * number : 24 * number + 24]), files[-1])
    return files


def small(blip: Blip, **train: Any) -> Config:
    return Config(
        model=blip.settings,
        objective=ObjectiveSettings(queue=20),
        optim=OptimSettings(lr=1e-3, steps=26, warmup_steps=2),
        train=TrainSettings(**{"batch_size": 8, "fraction": 0.75, "log_seconds": 1e-9, **train}),
    )


def curve(out: Path) -> list[list[float]]:
    lines = (out / "metrics.jsonl").read_text().splitlines()
    return [[record[name] for name in CURVE] for record in map(json.loads, lines)]


def kill_the_worker_of(out: Path, seen: list[list[float]]) -> None:
    """As lost power would, past a checkpoint that can be continued from; `seen` gets the curve up to there."""
    while not list(out.glob("restarts/*/checkpoint_manager_snapshot.json")):
        time.sleep(0.02)
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if any(file.path == str(out / "metrics.jsonl") for file in process.open_files()):
                seen[:] = curve(out)
                process.kill()


@pytest.mark.ray
@pytest.mark.cluster
def test_a_run_whose_worker_is_killed_goes_on_as_it_was_and_is_not_trained_twice(
    local_ray: None, small_blip: Blip, pairs: list[str], tmp_path: Path
) -> None:
    config, out = small(small_blip, checkpoint_steps=STEPS_SAVED), tmp_path / "out"
    seen: list[list[float]] = []
    Thread(target=kill_the_worker_of, args=(out, seen), daemon=True).start()
    result = fit(config, train_files=pairs, out=str(out))
    assert len([*(out / "tensorboard").iterdir()]) == 2  # begun twice
    assert [record[0] for record in curve(out)] == list(range(1, result.steps + 1))
    assert seen and curve(out)[: len(seen)] == seen  # those after the checkpoint were taken a second time
    assert len(training_articles(result.checkpoint)) == 18
    assert {path.name for path in out.iterdir()} == {
        "checkpoint", "metrics.jsonl", "restarts", "seen", "tensorboard",
    }  # fmt: skip
    model, tokenizer = load_model(result.checkpoint)
    assert model.settings.vocabulary == len(tokenizer)
    written = Path(result.checkpoint, "model.safetensors").stat().st_mtime_ns
    assert fit(config, train_files=pairs, out=str(out)) == result
    assert Path(result.checkpoint, "model.safetensors").stat().st_mtime_ns == written


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_pairs_beyond_memory_are_trained_on_from_a_permuted_copy(
    local_ray: None, small_blip: Blip, pairs: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeding, "MOST", 0)
    kept = tmp_path / "kept"
    curves = []
    for name, background in (("one", False), ("other", True)):
        config = small(small_blip, workers=2, kept_pairs=str(kept), background_uploads=background, checkpoint_steps=9)
        fit(config, train_files=pairs, out=str(tmp_path / name))
        curves.append(curve(tmp_path / name))
        assert not (tmp_path / name / "permuted").exists()
    assert len(curves[0]) == 26 and np.allclose(curves[0], curves[1], rtol=0, atol=1e-5)
    assert len(list(kept.glob("permuted-*/index.json"))) == 1


def stop_after(out: Path, steps: int) -> None:
    while not (out / "metrics.jsonl").exists() or len(curve(out)) < steps:
        time.sleep(0.02)
    ask_to_stop(Place.at(out))


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_a_run_that_is_stopped_saves_and_goes_on_from_the_newest_whole_checkpoint(
    local_ray: None, small_blip: Blip, pairs: list[str], tmp_path: Path
) -> None:
    config = small(small_blip, checkpoint_steps=STEPS_SAVED)
    config = config.model_copy(update={"optim": OptimSettings(lr=1e-3, steps=120, warmup_steps=2)})
    out, whole = tmp_path / "out", tmp_path / "whole"
    Thread(target=stop_after, args=(out, 8), daemon=True).start()
    with pytest.raises(TrainingStopped, match="goes on from there"):
        fit(config, train_files=pairs, out=str(out))
    assert not (out / "checkpoint").exists()
    saved = sorted(out.glob("restarts/*/step-*"))
    stopped = len(curve(out))
    assert saved[-1].name == f"step-{stopped:08d}" and 8 <= stopped < 120
    data = bytearray((saved[-1] / "progress.pt").read_bytes())
    data[len(data) // 2] ^= 1
    (saved[-1] / "progress.pt").write_bytes(data)
    (saved[-1].parent / "checkpoint_manager_snapshot.json").write_text("{")
    result = fit(config, train_files=pairs, out=str(out))
    fit(config, train_files=pairs, out=str(whole))
    assert np.allclose(curve(out), curve(whole), rtol=0, atol=1e-5)
    assert result.steps == 120 and len(list((out / "restarts").iterdir())) == 1


@pytest.mark.ray
@pytest.mark.cluster
def test_mlip_reads_captions_as_reports_cut_into_sentences_on_the_way(
    local_ray: None, mlip_for: Callable[..., MlipObjective], pairs: list[str], tmp_path: Path
) -> None:
    like = mlip_for()
    config = Config(
        model=like.model.settings,
        objective=ObjectiveSettings(name="mlip"),
        mlip=like.settings,
        optim=OptimSettings(lr=1e-3, steps=4, warmup_steps=0, schedule="linear"),
        train=TrainSettings(batch_size=8, log_seconds=1e-9, trackers=()),
    )
    result = fit(config, train_files=pairs, out=str(tmp_path / "out"))
    records = [json.loads(line) for line in Path(result.metrics).read_text().splitlines()]
    assert len(records) == 4 and records[0]["spm"] > 0  # of texts without a sentence it would be 0
    model, _ = load_model(result.checkpoint)
    assert isinstance(model, Mlip) and model.phi.abs().max() > 0


def test_a_setting_that_cannot_be_met_stops_before_ray(small_blip: Blip, pairs: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="36 pairs to train on do not fill one batch of 40"):
        fit(small(small_blip, batch_size=40), train_files=pairs, out=str(tmp_path))


@pytest.mark.ray
@pytest.mark.cluster
def test_checkpoints_are_uploaded_and_judged_beside_the_training(
    local_ray: None, small_blip: Blip, pairs: list[str], shape_rows: Rows, tmp_path: Path
) -> None:
    other = [row | {name: f"other-{row[name]}" for name in ("pair_id", "article_id")} for row in shape_rows(12)]
    pq.write_table(pa.Table.from_pylist(other), tmp_path / "val.parquet")
    ways = {"checkpoint_steps": 9, "background_uploads": True, "background_validation": True}
    out = tmp_path / "out"
    result = fit(small(small_blip, **ways), train_files=pairs, out=str(out), watched=[str(tmp_path / "val.parquet")])
    plain = fit(small(small_blip, checkpoint_steps=9), train_files=pairs, out=str(tmp_path / "plain"))
    assert curve(out) == curve(tmp_path / "plain") and result.steps == plain.steps == 26
    found = [json.loads(file.read_text()) for file in sorted((out / "validation").iterdir())]
    assert [each["step"] for each in found] == [9, 18, 26]
    assert all(0 <= each["mean_recall"] <= 1 for each in found)
