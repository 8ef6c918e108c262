"""What a command runs in: a run folder with its settings, Ray, and signals that stop it cleanly.

Imports of what takes time stand inside, so that `figray --help` answers at once.
"""

import errno
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from app.verbosity import ASKED, ray_apart

if TYPE_CHECKING:
    from app.progress import Bars
    from core.places import Place
    from core.settings import Config

GOES_ON = "what was committed stays, and the same command goes on from there"


@contextmanager
def session(
    run: str,
    recipe: str | None,
    overrides: list[str],
    *,
    trains: bool = True,
    begins: bool = True,
    first: "Callable[[Config, Place], object] | None" = None,
) -> "Iterator[tuple[Config, Place, Bars]]":
    """A run folder with its settings, and Ray; without training the machines need not have what training asks for.

    begins: whether the command may begin a run; one that may not leaves nothing where no run is. first: raises where
    the command cannot do its work, such as for want of a table; it is asked before Ray starts.
    """
    from app.steps import opened
    from core.places import Place
    from core.runs import refuse_missing

    place = Place.at(run)
    if not begins:
        refuse_missing(place)
    with opened(place, recipe, overrides) as config:
        if first:
            first(config, place)
        with connected(config if trains else without_training(config), stopped=GOES_ON) as bars:
            yield config, place, bars


def without_training(config: "Config") -> "Config":
    """The settings with nothing that training alone asks of the machines: real articles are paired without a GPU."""
    from core.config import override

    return override(config, {"train.gpu": False, "train.workers": 1, "train.cpus_per_worker": 0.5})


@contextmanager
def connected(config: "Config", *, stopped: str = "nothing was written") -> "Iterator[Bars]":
    """Ray, stopped again whatever happens. Ctrl-C ends with 130, SIGTERM with 143; `stopped` says what then stands."""
    from core.cluster import connect, disconnect

    with _stoppable(lambda: connect(config), disconnect, stopped=stopped) as bars:
        yield bars


@contextmanager
def unconnected(*, stopped: str = "nothing was written") -> "Iterator[Bars]":
    """The same for work that this process does alone."""
    with _stoppable(lambda: None, lambda: None, stopped=stopped) as bars:
        yield bars


@contextmanager
def _stoppable(begin: Callable[[], None], end: Callable[[], None], *, stopped: str) -> "Iterator[Bars]":
    from app.progress import Bars

    bars, number = Bars(quiet=ASKED.quiet), 0
    try:
        take_signals(bars)
        begin()
        take_signals(bars)  # again: ray.init takes SIGTERM for itself
        with ray_apart() as log, bars:
            yield bars
        if log.exists():
            say(f"what Ray itself had to say: {log}")
    except (KeyboardInterrupt, SystemExit) as error:
        say(f"stopped; {stopped}")
        # What streams in the frames of the error ends here: ended after Ray, it would start Ray again to say so.
        traceback.clear_frames(error.__traceback__)
        number = bars.stopped_by or (signal.SIGTERM if isinstance(error, SystemExit) else signal.SIGINT)
    finally:
        # Of a command that was stopped Ray may be half gone: what its end brings up must not hide how it was stopped.
        with suppress(OSError, SystemExit) if number else nullcontext():
            end()
    if number:
        raise typer.Exit(128 + number)


def take_signals(bars: "Bars") -> None:
    """Ctrl-C and SIGTERM stop a command where it next shows progress."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, bars.stop)


def ended(result: Any, *, as_json: bool) -> None:
    """What a command found, as one JSON value on standard output where it was asked for by --json."""
    if as_json:
        import json

        typer.echo(json.dumps(result, ensure_ascii=False, default=str))


def say(text: str) -> None:
    """One line for the person at the terminal, who may have asked for silence."""
    if not ASKED.quiet:
        typer.echo(text, err=True)


# What a disk or a path says, and a person can mend.
MENDABLE = {
    errno.ENOSPC: "the disk is full; make room, and the same command goes on from there",
    errno.EDQUOT: "your quota of the disk is used up; make room, and the same command goes on from there",
    errno.EFBIG: "the file is larger than the disk or your limit allows; make room, or raise the limit (ulimit -f)",
    errno.EROFS: "the disk is read-only; name another place",
    errno.EACCES: "it may not be read or written; see whose it is, or name another place",
    errno.EPERM: "it may not be read or written; see whose it is, or name another place",
    errno.ENOENT: "it is not there, and cannot be made; name another place",
    errno.ENOTDIR: "a part of the path is a file and no folder; name another place",
    errno.EEXIST: "a file stands where a folder is to be; name another place",
    errno.EISDIR: "a folder stands where a file is to be; name another place",
    errno.EIO: "the disk fails; look at it, and `figray verify` says what was hurt",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
}


def in_words(error: OSError) -> str:
    """What a disk or a path says, with what mends it."""
    return MENDABLE.get(error.errno or 0) or " ".join(str(error.strerror or error).split())


def in_one_line(error: BaseException) -> str | None:
    """What the user can mend, in one line; None for an error of ours. Errors of Ray's tasks are those they are of."""
    from core.config import UserError

    seen = set()
    each: BaseException | None = error
    while each is not None and id(each) not in seen:
        seen.add(id(each))
        if isinstance(each, UserError):
            return " ".join(str(each).split("\n")) if hasattr(each, "cause") else str(each)
        if isinstance(each, OSError) and each.errno in MENDABLE:
            where = str(each.filename) if isinstance(each.filename, str | Path) else ""
            return f"{where or each.strerror}: {MENDABLE[each.errno]}"
        each = getattr(each, "cause", None) or each.__cause__
    return None
