"""Checkpoints on the way: the newest whole one is found, of whichever start, and the damaged are named."""

from pathlib import Path

from core.checksums import seal
from core.places import Place
from trainers.restarts import (
    ask_to_stop,
    forget_the_stop,
    is_asked_to_stop,
    newest_whole,
    next_start,
    starts,
    why_not,
)


def checkpoint(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True)
    for name in names or ("config.json", "progress.pt"):
        (folder / name).write_text(name)
    seal(folder)
    return folder


def test_the_newest_whole_one_is_taken_of_whichever_start_and_the_others_are_named(tmp_path: Path) -> None:
    out = Place.at(tmp_path)
    assert newest_whole(out, "blip-1").checkpoint is None and next_start(out, "blip-1") == "blip-1"
    checkpoint(tmp_path / "restarts" / "blip-1" / "step-00000003")
    checkpoint(tmp_path / "restarts" / "blip-1.1" / "step-00000006")
    last = checkpoint(tmp_path / "restarts" / "blip-1.1" / "step-00000009")
    checkpoint(tmp_path / "restarts" / "blip-10" / "step-00000099")  # another job's
    assert starts(out, "blip-1") == ["blip-1", "blip-1.1"] and next_start(out, "blip-1") == "blip-1.2"
    assert newest_whole(out, "blip-1").step == 9
    (last / "progress.pt").write_text("progress.pu")
    found = newest_whole(out, "blip-1")
    assert (found.step, len(found.damaged)) == (6, 1) and "progress.pt is damaged" in found.damaged[0]


def test_one_that_lacks_what_training_goes_on_from_is_none(tmp_path: Path) -> None:
    assert why_not(Place.at(checkpoint(tmp_path / "a", "config.json"))) == "progress.pt is missing"
    assert why_not(Place.at(tmp_path / "gone")) == "config.json is missing"


def test_a_training_is_asked_to_stop_and_that_is_forgotten(tmp_path: Path) -> None:
    out = Place.at(tmp_path)
    ask_to_stop(out)
    assert is_asked_to_stop(out)
    forget_the_stop(out)
    forget_the_stop(out)
    assert not is_asked_to_stop(out)
