"""Logs of a node that are kept: what has grown is copied, what has not is left, and the end of a long file is there."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from app.jobs import kept_logs
from app.jobs.kept_logs import copy_grown, keep_logs, refuse_unwritable
from core.places import Place, StorageError

FIGRAY = str(Path(sys.executable).with_name("figray"))


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """Ray's logs, behind the link that Ray makes."""
    folder = tmp_path / "session_1" / "logs"
    (folder / "events").mkdir(parents=True)
    (folder / "raylet.out").write_text("one\n")
    (folder / "events" / "event_GCS.log").write_text("two\n")
    (folder / "empty.err").touch()
    (folder / "elsewhere").symlink_to("/etc/hostname")
    (tmp_path / "session_latest").symlink_to(tmp_path / "session_1")
    return tmp_path / "session_latest" / "logs"


def test_what_has_grown_is_copied_and_nothing_else(logs: Path, tmp_path: Path) -> None:
    to, seen = Place.at(tmp_path / "kept"), kept_logs.Stamps()
    assert copy_grown(logs, to, seen) == 2  # neither what is empty nor what a link names
    assert copy_grown(logs, to, seen) == 0
    with (logs / "raylet.out").open("a") as file:
        file.write("three\n")
    assert copy_grown(logs, to, seen) == 1
    there = tmp_path / "kept" / socket.gethostname() / "session_1"
    assert (there / "raylet.out").read_text() == "one\nthree\n"
    assert (there / "events" / "event_GCS.log").read_text() == "two\n"


def test_of_a_long_file_the_end_is_kept_and_what_is_missing_is_said(
    logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_logs, "MOST", 10)
    (logs / "raylet.out").write_text("a" * 20 + "b" * 10)
    copy_grown(logs, Place.at(tmp_path / "kept"), {})
    kept = tmp_path / "kept" / socket.gethostname() / "session_1" / "raylet.out"
    assert kept.read_text() == "[the first 20 bytes are left out]\n" + "b" * 10


def test_what_could_not_be_written_is_tried_again(logs: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("a file where the folder should be")
    seen = kept_logs.Stamps()
    assert copy_grown(logs, Place.at(tmp_path / "kept"), seen) == 0 and not seen
    (tmp_path / "kept").unlink()
    assert copy_grown(logs, Place.at(tmp_path / "kept"), seen) == 2


def test_a_bucket_that_refuses_is_tried_again(logs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StorageError("busy")

    with monkeypatch.context() as patched:
        patched.setattr(Place, "write_pieces", refuse)
        assert copy_grown(logs, Place.at(tmp_path / "kept"), {}) == 0
    assert copy_grown(logs, Place.at(tmp_path / "kept"), {}) == 2


def test_a_place_that_cannot_be_written_is_said_at_once(tmp_path: Path) -> None:
    refuse_unwritable(Place.at(tmp_path / "kept"))
    assert not list((tmp_path / "kept").iterdir())
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be written to"):
        refuse_unwritable(Place.at(tmp_path / "file"))


def test_logs_that_are_not_there_yet_are_waited_for_and_the_last_look_comes_after_the_signal(tmp_path: Path) -> None:
    stopped = threading.Event()
    logs = tmp_path / "session_2" / "logs"

    def later() -> None:
        time.sleep(0.2)
        logs.mkdir(parents=True)
        (logs / "raylet.out").write_text("late\n")
        stopped.set()

    thread = threading.Thread(target=later)
    thread.start()
    assert keep_logs(logs, Place.at(tmp_path / "kept"), every=0.05, stopped=stopped) >= 1
    thread.join()
    assert (tmp_path / "kept" / socket.gethostname() / "session_2" / "raylet.out").read_text() == "late\n"


def test_the_command_ends_with_sigterm_and_says_what_it_kept(logs: Path, tmp_path: Path) -> None:
    command = [FIGRAY, "keep-logs", str(tmp_path / "kept"), "--every", "3600", "--ray-logs", str(logs)]
    with subprocess.Popen(
        command, stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    ) as ran:
        deadline = time.monotonic() + 60
        # It listens for signals from the moment that the first look would be waited for.
        while time.monotonic() < deadline and not _listens(ran.pid):
            time.sleep(0.1)
        ran.send_signal(signal.SIGTERM)
        told = ran.communicate(timeout=60)[1]
    assert ran.returncode == 0 and told.startswith("2 copies of log files in ")


def _listens(pid: int) -> bool:
    """Whether a process catches SIGTERM, as Linux says it."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)
