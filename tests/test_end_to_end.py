"""The real command line, on a tiny drawn corpus; what needs no process of its own shares the tests' Ray."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from app.cli import cli
from core.runs import RunConflict

TINY = [
    "phantom.articles=12", "tables.parts=2", "optim.steps=4", "optim.warmup_steps=2", "train.batch_size=8",
    "model.image_size=48", "model.patch=16", "model.image_width=32", "model.image_depth=1", "model.image_heads=2",
    "model.text_width=32", "model.text_depth=1", "model.text_heads=2", "model.embedding=16", "model.max_tokens=32",
    "evaluate.rerank=4", "split.test=0.3",
]  # fmt: skip


def figray(*arguments: str, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """The command as a user types it."""
    command = Path(sys.executable).with_name("figray")
    return subprocess.run([str(command), *arguments], capture_output=True, text=True, timeout=timeout)


def typed(*arguments: str) -> Result:
    """The command in this process, on Ray that is there."""
    return CliRunner().invoke(cli, list(arguments))


def demo(run: Path, *settings: str) -> list[str]:
    return ["demo", "--recipe", "demo", "--run", str(run), *options(*TINY, *settings)]


def options(*settings: str) -> list[str]:
    """Settings as the command takes them."""
    return [part for setting in settings for part in ("--set", setting)]


def contents(run: Path) -> dict[str, bytes]:
    """All tables and models of a run; times and the page say when they were made."""
    folders = ("figures", "separated", "pairs", "whole", "models")
    return {
        str(path): path.read_bytes() for name in folders for path in sorted((run / name).rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="session")  # its tests with Ray of their own come first, those that share one last
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a demo on one logical CPU; what tests change they change in a copy."""
    run = tmp_path_factory.mktemp("end-to-end") / "demo"
    first = figray(*demo(run, "cluster.cpus=1"))
    assert first.returncode == 0, first.stderr
    assert f"report: {run}/report.html" in first.stderr
    return run


@pytest.mark.ray
@pytest.mark.timeout(700)
def test_the_demo_ends_in_a_report_on_one_logical_cpu(run: Path) -> None:
    results = json.loads((run / "results.json").read_text())
    assert results["pair_accuracy"]["figures_kept"] == 1.0
    assert {scheme: set(pools) for scheme, pools in results["retrieval"].items()} == {
        "raw": {"pairs", "whole figures"},
        "processed": {"pairs", "whole figures"},
    }
    page = (run / "report.html").read_text()
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")


@pytest.mark.ray
@pytest.mark.timeout(700)
def test_a_second_demo_does_nothing_again(run: Path, local_ray: None) -> None:
    made = contents(run)
    again = typed(*demo(run))
    assert again.exit_code == 0, again.output
    assert contents(run) == made
    other = typed(*demo(run, "select.keyword=heart"))
    assert isinstance(other.exception, RunConflict)
    assert "select.keyword was None, now 'heart'" in str(other.exception)
    assert contents(run) == made


@pytest.mark.ray
def test_a_folder_is_collected_and_paired(tmp_path: Path, draw_corpus: Callable[..., None], local_ray: None) -> None:
    draw_corpus(tmp_path / "corpus", articles=6, seed=0)
    run = ("--run", str(tmp_path / "run"))
    source = f"bucket:{tmp_path / 'corpus' / 'bucket'}"
    collected = typed("collect", "--source", source, *run, "--set", "tables.parts=2")
    assert collected.exit_code == 0, collected.output
    paired = typed("pair", *run, "--set", "separate.method=classical")  # the demo has the detector
    assert paired.exit_code == 0, paired.output
    assert (tmp_path / "run" / "contact_sheet.html").exists()
    assert (tmp_path / "run" / "left_out.csv").read_text().startswith("item_id,article_id,stage,code,message")
    parts = sorted((tmp_path / "run" / "pairs").rglob("*.parquet"))
    assert sum(pq.read_metadata(part).num_rows for part in parts) > 10


def test_own_figures_and_captions_become_pairs_and_what_fails_keeps_its_row(tmp_path: Path) -> None:
    from phantom.pmc.corpus import draw_article

    article = draw_article(0, 1)
    (figure,) = [truth for truth in article.truths if len(truth.panels) == 5]
    (image,) = [content for key, content in article.files.items() if key.startswith(f"{figure.figure_id}.")]
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "good.jpg").write_bytes(image)
    (tmp_path / "figures" / "cut.jpg").write_bytes(image[:2000])
    captions = {"good.jpg": figure.caption, "cut.jpg": "A caption.", "gone.jpg": "Another."}
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    out = tmp_path / "new" / "out.json"
    files = (str(tmp_path / "figures"), str(tmp_path / "captions.json"), str(out))
    said = typed("pair-figures", *files, "--set", "separate.method=classical")
    assert said.exit_code == 0, said.output
    assert "3 rows; 2 failed: 1 no_image, 1 truncated" in said.output
    cut, gone, good = json.loads(out.read_text())
    assert (cut["image"], cut["error"]["code"], cut["pairs"]) == ("cut.jpg", "truncated", [])
    assert (gone["image"], gone["error"]["code"], gone["pairs"]) == ("gone.jpg", "no_image", [])
    assert [pair["label"] for pair in good["pairs"]] == ["A", "B", "C", "D", "E"]
    assert all(panel.text in pair["text"] for pair, panel in zip(good["pairs"][:3], figure.panels))


@pytest.mark.ray
@pytest.mark.cluster  # half a minute: SIGTERM, below, stops a command by the same way
def test_ctrl_c_stops_everything_that_collecting_started(tmp_path: Path) -> None:
    stop_where(tmp_path / "figures", *demo(tmp_path, "cluster.cpus=1"))


@pytest.mark.ray
@pytest.mark.cluster  # a minute and a half: `make test-cluster`
@pytest.mark.timeout(700)
def test_ctrl_c_stops_everything_that_training_started(run: Path, tmp_path: Path) -> None:
    for part in ("config.yaml", "pairs", "whole"):
        copy = shutil.copytree if (run / part).is_dir() else shutil.copy
        copy(run / part, tmp_path / part)
    endless = options("cluster.cpus=4", "optim.steps=100000", "train.log_seconds=0.2")
    stop_where(tmp_path / "models" / "raw" / "metrics.jsonl", "train", "both", "--run", str(tmp_path), *endless)


def stop_where(sign: Path, *command: str) -> None:
    """Ctrl-C once there is a sign that a command does what it is to be stopped in; nothing of it may be left."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("figray")), *command],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C in a terminal goes to the whole group
    )
    try:
        deadline = time.monotonic() + 150
        while not sign.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        assert sign.exists()
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert _session_is_empty(process.pid)
    finally:
        _kill_session(process.pid)


@pytest.mark.ray
def test_sigterm_stops_everything_and_leaves_no_half_file(tmp_path: Path) -> None:
    folder, out = tmp_path / "figures", tmp_path / "out.json"
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "0000.png")
    for number in range(1, 3000):  # minutes of work: no machine is through with it before the signal comes
        os.link(folder / "0000.png", folder / f"{number:04d}.png")
    command = Path(sys.executable).with_name("figray")
    process = subprocess.Popen(
        [str(command), "separate", str(folder), str(out), "--set", "separate.method=classical"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 100
        while not _is_begun(tmp_path / ".out.json.part") and time.monotonic() < deadline:
            time.sleep(0.02)
        assert _is_begun(tmp_path / ".out.json.part")
        os.kill(process.pid, signal.SIGTERM)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 143, said
        assert "Traceback" not in said
        assert [path.name for path in tmp_path.iterdir()] == ["figures"]
        assert _session_is_empty(process.pid)
    finally:
        _kill_session(process.pid)


def _is_begun(file: Path) -> bool:
    return file.exists() and file.stat().st_size > 1000


def _kill_session(session: int) -> None:
    for left in subprocess.run(["pgrep", "-s", str(session)], capture_output=True, text=True).stdout.split():
        os.kill(int(left), signal.SIGKILL)


def _session_is_empty(session: int) -> bool:
    """Whether no process of the session lives; Ray's take a moment to end."""
    for _ in range(50):
        if subprocess.run(["pgrep", "-s", str(session)], capture_output=True).returncode == 1:
            return True
        time.sleep(0.2)
    return False
