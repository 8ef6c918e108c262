"""figray retry, refresh and verify, as processes: a run over a network with faults, harmed and looked through."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from phantom.pmc.corpus import write_corpus


def figray(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "app.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=200)


@pytest.mark.parametrize("command", ["retry", "refresh", "verify"])
def test_a_mistyped_run_is_said_and_no_folder_is_left(command: str, tmp_path: Path) -> None:
    done = figray(command, str(tmp_path / "rnu"))
    assert done.returncode == 2 and "is no run" in done.stderr and done.stderr.count("\n") == 1
    assert not (tmp_path / "rnu").exists()


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_what_failed_is_retried_what_is_new_joins_and_what_is_harmed_is_named(tmp_path: Path) -> None:
    write_corpus(tmp_path, articles=10, seed=0)
    whole, bucket, run = tmp_path / "bucket", tmp_path / "served", tmp_path / "run"
    shutil.copytree(whole, bucket)
    ids = sorted({path.name.partition(".")[0] for path in (bucket / "metadata").iterdir()})
    for path in (bucket / "metadata").glob(f"{ids[-1]}.*"):
        path.unlink()
    image = next(path for path in bucket.rglob(f"{ids[0]}.*/*.xml"))
    image.chmod(0)  # a file that cannot be read now
    done = figray("collect", "demo", "--run", str(run), "--source", f"bucket:{bucket}", "--set", "tables.parts=2")
    assert done.returncode == 0, done.stderr
    if "failed, and may pass" in done.stderr:  # of root nothing is kept
        assert figray("retry", str(run)).returncode == 1
        image.chmod(0o644)
        done = figray("retry", str(run))
        assert done.returncode == 0 and "failed before: 1; now: 0" in done.stderr, done.stderr
    image.chmod(0o644)
    for path in (whole / "metadata").glob(f"{ids[-1]}.*"):
        shutil.copy(path, bucket / "metadata")
    done = figray("refresh", str(run))
    assert done.returncode == 0 and "new articles: 1; withdrawn or of another version: 0" in done.stderr, done.stderr
    assert (run / "figures" / "part-00002.json").exists()
    assert figray("verify", str(run)).returncode == 0
    (run / "figures" / "part-00001.parquet").unlink()
    done = figray("verify", str(run))
    assert done.returncode == 1 and "part-00001.parquet: missing; delete" in done.stderr
