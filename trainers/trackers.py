"""Where the records of a training go: metrics.jsonl, which may be resumed, and TensorBoard's files."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from tensorboardX import SummaryWriter

from app.config import UserError
from trainers.loop import Record

Tracker = Callable[[Record], None]


def check_installed(names: Sequence[str]) -> None:
    """Raises UserError for a tracker whose package is missing; TensorBoard's is always there."""
    for name in names:
        if name != "tensorboard" and find_spec(name) is None:
            raise UserError(
                f"train.trackers names {name}, which is not installed; `pip install {name}`, or leave it out"
            )


@contextmanager
def json_lines(file: Path, *, step: int) -> Iterator[Tracker]:
    """One line a record; those of steps after `step`, which will be taken again, are dropped first."""
    lines = file.read_text().splitlines() if file.exists() else []
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= step))
    with file.open("a", buffering=1) as out:
        yield lambda record: print(json.dumps(record), file=out)


@contextmanager
def tensorboard(folder: Path, *, step: int) -> Iterator[Tracker]:
    """Scalars for TensorBoard, which forgets those it has of steps after `step`; written every few seconds."""
    with SummaryWriter(str(folder), purge_step=step + 1, flush_secs=2) as writer:

        def track(record: Record) -> None:
            for name, value in record.items():
                if name != "step":
                    writer.add_scalar(f"train/{name}", value, int(record["step"]))

        yield track
