"""Records on their way to files."""

import json
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tensorboardX.proto.event_pb2 import Event

from core.config import UserError
from core.places import Place
from trainers import trackers
from trainers.trackers import check_installed, json_lines, keeping, tensorboard


def test_a_tracker_that_is_not_installed_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    check_installed(["tensorboard"])
    with pytest.raises(UserError, match="names wandb, which is not installed; `pip install wandb`, or leave it out"):
        check_installed(["tensorboard", "wandb"])


def test_records_of_steps_that_will_be_taken_again_are_dropped(tmp_path: Path) -> None:
    file = tmp_path / "new" / "metrics.jsonl"
    for step in (0, 2):  # the second time from the checkpoint of step 2
        with json_lines(file, step=step) as track:
            for each in range(step + 1, 5):
                track({"step": each, "loss": 10 * step + each})
    records = [json.loads(line) for line in file.read_text().splitlines()]
    assert records == [{"step": step, "loss": loss} for step, loss in ((1, 1), (2, 2), (3, 23), (4, 24))]


def events(file: Path) -> Iterator[Event]:
    """TFRecord: a length of 8 bytes, a checksum of 4, the record, a checksum of 4."""
    data = file.read_bytes()
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        yield Event.FromString(data[12 : 12 + length])
        data = data[16 + length :]


def test_tensorboard_gets_each_number_at_its_step_and_forgets_what_is_taken_again(tmp_path: Path) -> None:
    with tensorboard(tmp_path, step=2) as track:
        track({"step": 3, "loss": 0.5, "itc": 0.25})
    (file,) = tmp_path.iterdir()
    seen = list(events(file))
    scalars = [(e.step, v.tag, v.simple_value) for e in seen for v in e.summary.value]
    assert scalars == [(3, "train/loss", 0.5), (3, "train/itc", 0.25)]
    assert [e.step for e in seen if e.session_log.status == 1] == [3]  # START: later ones are dropped


def test_on_a_disk_trackers_write_where_their_files_are_kept(tmp_path: Path) -> None:
    with keeping(Place.at(tmp_path)) as kept:
        assert kept.folder == tmp_path
        (tmp_path / "metrics.jsonl").write_text("x")
        kept.put()
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.jsonl"]


def test_in_a_bucket_they_are_kept_now_and_then_and_a_restart_goes_on_with_them(
    bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Place.at(f"{bucket}/run/models/a")

    def kept_steps() -> list[int]:
        return [json.loads(line)["step"] for line in (out / "metrics.jsonl").read_bytes().splitlines()]

    def take(first: int, last: int, *, from_step: int) -> None:
        with (
            keeping(out) as kept,
            json_lines(kept.folder / "metrics.jsonl", step=from_step) as lines,
            tensorboard(kept.folder / "tensorboard", step=from_step) as scalars,
        ):
            for step in range(first, last + 1):
                for track in (lines, scalars, kept.track):
                    track({"step": step, "loss": 0.5})
                if step == 4:
                    raise InterruptedError("as a worker that dies by an error")

    with pytest.raises(InterruptedError):
        take(1, 9, from_step=0)
    assert kept_steps() == [1, 2, 3, 4]
    monkeypatch.setattr(trackers, "PUT_SECONDS", 0.0)
    puts, put = [], trackers.Kept.put

    def put_and_told(kept: trackers.Kept) -> None:
        put(kept)
        puts.append(kept_steps())

    monkeypatch.setattr(trackers.Kept, "put", put_and_told)
    take(3, 3, from_step=2)  # on another machine, from the checkpoint of step 2
    assert puts == [[1, 2, 3], [1, 2, 3]] and kept_steps() == [1, 2, 3]
    assert (out / "tensorboard").files()
