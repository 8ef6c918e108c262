"""How much a command says: results and errors alone (-q), what it does, or what Ray says too (-v)."""

import io
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass
class Verbosity:
    """What was asked for on the command line."""

    quiet: bool = False
    verbose: bool = False


ASKED = Verbosity()  # one command line a process


class Beside(io.TextIOBase):
    """A stream on which this program's main thread writes; what other threads write, as Ray's do, goes into a log."""

    def __init__(self, stream: TextIO, log: Path) -> None:
        self.stream, self.log = stream, log

    def write(self, text: str) -> int:
        """Write, and return how much."""
        if threading.current_thread() is threading.main_thread():
            return self.stream.write(text)
        with self.log.open("a", encoding="utf-8") as file:
            return file.write(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()


@contextmanager
def ray_apart() -> Iterator[Path]:
    """While it lasts, what Ray prints by itself goes into a file, so that --json stays JSON; with -v it is shown."""
    with tempfile.NamedTemporaryFile(prefix="figray-ray-", suffix=".log", delete=False) as file:
        log = Path(file.name)
    streams = sys.stdout, sys.stderr
    if not ASKED.verbose:
        sys.stdout, sys.stderr = (Beside(stream, log) for stream in streams)
    try:
        yield log
    finally:
        sys.stdout, sys.stderr = streams
        if not log.stat().st_size:
            log.unlink()
