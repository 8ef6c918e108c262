"""keep_logs(): Ray's logs of a node, copied to a folder or bucket as they grow; a lost node takes its disk along."""

import signal
import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.session import in_words
from core.places import Place, StorageError

LATEST = Path("/tmp/ray/session_latest/logs")
MOST = 64 * 2**20  # bytes of one file that are copied, its end; Ray begins a new file at 100 MB
PIECE = 2**20

Stamps = dict[Path, tuple[int, int]]  # size and time of the last change, of each file that was copied


def keep_logs(logs: Path, to: Place, *, every: float, stopped: threading.Event) -> int:
    """Copy every `every` seconds what has grown, and once more at the end; returns how many copies that were.

    A file lies in `to` below the node's name and the name of Ray's session. What cannot be read or written now is
    tried again the next time.
    """
    copied, seen = 0, Stamps()
    while True:
        last = stopped.wait(every)
        copied += copy_grown(logs, to, seen)
        if last:
            return copied


def refuse_unwritable(to: Place) -> None:
    """Raise StorageError where nothing can be written now: a wrong name is said at once, not tried for ever."""
    probe = to / f".{socket.gethostname()}.probe"
    try:
        probe.write_bytes(b"figray keep-logs\n")
        probe.delete_file()
    except OSError as error:
        raise StorageError(f"{to} cannot be written to: {in_words(error)}") from error


def copy_grown(logs: Path, to: Place, seen: Stamps) -> int:
    """Copy the files that are not as they were; returns how many. seen: is brought up to date."""
    folder = logs.resolve()
    there, copied = to / socket.gethostname() / folder.parent.name, 0
    for file in files_below(folder):
        try:
            stat = file.stat()
            if seen.get(file) == (stat.st_size, stat.st_mtime_ns):
                continue
            (there / file.relative_to(folder).as_posix()).write_pieces(end_of(file, stat.st_size))
        except (OSError, StorageError):  # rotated away, or the bucket is busy
            continue
        seen[file] = (stat.st_size, stat.st_mtime_ns)
        copied += 1
    return copied


def files_below(folder: Path) -> Iterator[Path]:
    """The files of a folder that hold something; none where it is not there yet. No link is followed."""
    for file in sorted(folder.rglob("*")):
        if file.is_file() and not file.is_symlink() and file.stat().st_size:
            yield file


def end_of(file: Path, size: int) -> Iterator[bytes]:
    """The last MOST bytes of a file, after a line that says what is left out."""
    with file.open("rb") as opened:
        if size > MOST:
            opened.seek(size - MOST)
            yield f"[the first {size - MOST} bytes are left out]\n".encode()
        while piece := opened.read(PIECE):
            yield piece


def until_signalled() -> threading.Event:
    """An event that SIGTERM and Ctrl-C set."""
    event = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: event.set())
    return event


def told(copied: int, to: Place) -> str:
    """What a keeper says when it ends."""
    return f"{copied} copies of log files in {to}, the last at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
