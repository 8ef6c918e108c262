"""Where the records of a training go: metrics.jsonl, which may be resumed, and TensorBoard's files; kept by URI."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from tensorboardX import SummaryWriter

from core.config import UserError
from core.places import Place
from trainers.loop import Record

Tracker = Callable[[Record], None]
METRICS, TENSORBOARD = "metrics.jsonl", "tensorboard"  # in the folder of a training
WATCHED = "validation"  # beside them, a file for each checkpoint that watching.py looked at
PUT_SECONDS = 30.0  # between checkpoints metrics are put where they are kept no more often


def check_installed(names: Sequence[str]) -> None:
    """Raises UserError for a tracker whose package is missing; TensorBoard's is always there."""
    for name in names:
        if name != "tensorboard" and find_spec(name) is None:
            raise UserError(
                f"train.trackers names {name}, which is not installed; `pip install {name}`, or leave it out"
            )


@dataclass
class Kept:
    """The files of trackers in a folder of this machine, and the folder of the training where they are kept."""

    folder: Path
    out: Place
    put_at: float = field(default_factory=monotonic)

    def put(self) -> None:
        """Put them there as they are now, unless they are written there."""
        if not self.out.is_local:
            for file in (self.folder / METRICS, *sorted((self.folder / TENSORBOARD).glob("*"))):
                if file.exists():
                    (self.out / file.relative_to(self.folder).as_posix()).write_bytes(file.read_bytes())
        self.put_at = monotonic()

    def track(self, record: Record) -> None:
        """A tracker, the last of all, that puts them there now and then."""
        if monotonic() - self.put_at > PUT_SECONDS:
            self.put()


@contextmanager
def keeping(out: Place) -> Iterator[Kept]:
    """Where trackers write: `out` on a disk, else a folder that begins with its metrics; put there at the end."""
    if out.is_local:
        yield Kept(Path(out.path), out)
        return
    with TemporaryDirectory() as folder:
        if (out / METRICS).exists():
            Path(folder, METRICS).write_bytes((out / METRICS).read_bytes())
        kept = Kept(Path(folder), out)
        try:
            yield kept
        finally:
            kept.put()


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
