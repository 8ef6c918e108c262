"""The commands on a run in a bucket: the same as on a disk, and nothing on this machine's."""

import json
from pathlib import Path

import pytest

from core.places import Place
from tests.test_end_to_end import figray

DRAWN = [
    "phantom.patients=240", "tables.parts=3", "model.image_size=32", "model.patch=8", "model.image_width=32",
    "model.image_depth=1", "model.image_heads=2", "model.text_width=32", "model.text_depth=1", "model.text_heads=2",
    "model.embedding=16", "probe.shares=[0.5]", "probe.seeds=1", "probe.mask_steps=2",
]  # fmt: skip


def run_figray(*arguments: str) -> str:
    done = figray(*arguments, timeout=500)
    assert done.returncode == 0, done.stderr
    return done.stderr


def setting(*stated: str) -> list[str]:
    return [part for each in stated for part in ("--set", each)]


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(1800)
def test_radiographs_are_drawn_learnt_and_asked_about_in_a_bucket(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    uri = f"{bucket}/runs/cxr"
    run = Place.at(uri)
    assert f"tables: {uri}/radiographs, and {uri}/pairs" in run_figray(
        "dataset", "phantom", "--run", uri, *setting(*DRAWN)
    )
    assert (run / "pairs" / "part-00000.json").exists()
    trained = setting(*DRAWN, "optim.steps=20", "optim.warmup_steps=2", "train.batch_size=16", "mlip.decoder_width=16")
    assert f"model: {uri}/models/mlip-phantom" in run_figray("train", "mlip-phantom", "--run", uri, *trained)
    model = run / "models" / "mlip-phantom"
    before = (model / "metrics.jsonl").read_bytes()
    assert json.loads(before.splitlines()[-1])["step"] == 20
    run_figray("train", "mlip-phantom", "--run", uri, *trained)  # returns at once
    assert (model / "metrics.jsonl").read_bytes() == before
    said = run_figray("evaluate", "mlip-phantom", "--untrained", "--run", uri)
    assert "mlip-phantom on phantom, zero-shot: AUC" in said
    kept = {name.partition("-")[0] for name in model.files()}
    assert {"retrieval", "probe", "settings.json", "metrics.jsonl"} <= kept
    assert (run / "models" / "mlip-phantom-untrained" / "checkpoint" / "config.json").exists()
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_is_not_there_ends_a_command_in_one_line(bucket: str) -> None:
    done = figray("dataset", "phantom", "--run", f"{bucket}-other/run")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"figray: {bucket}-other/run/") and "NO_SUCH_BUCKET" in line and "AWS_ACCESS_KEY_ID" in line
