"""One driver at a time: by process on this machine, by a moving counter elsewhere, in buckets as on disks."""

import json
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import lease
from core.lease import CLAIMS, leased
from core.places import Place
from core.runs import RunConflict

ELSEWHERE = {"host": "other", "boot": "b", "pid": 7, "begun": "1", "beat": 0, "holds": True}


def claim(run: Place, **told: Any) -> Place:
    file = run / CLAIMS / "000000000000.json"
    file.write_json(ELSEWHERE | told)
    return file


@pytest.fixture
def beating(tmp_path: Path) -> Iterator[Place]:
    """A run that a driver on another machine writes into."""
    run, over = Place.at(tmp_path), threading.Event()
    claim(run)

    def beat() -> None:
        number = 0
        while not over.wait(0.2):
            number += 1
            claim(run, beat=number)

    thread = threading.Thread(target=beat)
    thread.start()
    yield run
    over.set()
    thread.join()


def test_a_run_is_claimed_and_given_back_and_may_be_claimed_within_itself(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with leased(run), leased(run):
        (file,) = (tmp_path / CLAIMS).iterdir()
        told = json.loads(file.read_text())
        assert told["pid"] == os.getpid() and told["holds"]
    assert not (tmp_path / CLAIMS).exists()
    with leased(run):
        pass


def test_a_driver_elsewhere_whose_counter_moves_is_refused_to_within_five_seconds(beating: Place) -> None:
    begun = time.monotonic()
    with pytest.raises(RunConflict, match="process 7 on other"), leased(beating):
        pass
    assert time.monotonic() - begun < 5


def test_a_driver_elsewhere_whose_counter_stands_still_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE", 1.0)
    file = claim(Place.at(tmp_path))
    with leased(Place.at(tmp_path)):
        assert not file.exists()


def test_a_claim_of_a_dead_process_of_this_machine_is_taken_away_at_once(tmp_path: Path) -> None:
    claim(Place.at(tmp_path), **{**lease._this_process(), "pid": 2**22 + 1})
    begun = time.monotonic()
    with leased(Place.at(tmp_path)):
        assert time.monotonic() - begun < 2


def test_a_claim_that_is_damaged_is_no_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "LEASE", 0.5)
    (Place.at(tmp_path) / CLAIMS / "0.json").write_bytes(b"{")
    with leased(Place.at(tmp_path)):
        pass


def test_a_bucket_is_claimed_as_a_disk_is(bucket: str) -> None:
    run = Place.at(f"{bucket}/run")
    with leased(run):
        assert len((run / CLAIMS).files()) == 1
    assert (run / CLAIMS).files() == []
    claim(run, **lease._this_process())
    with pytest.raises(RunConflict, match="is being written to"), leased(run):
        pass
