"""What a command runs in: a run folder with its settings, Ray, and signals that stop it cleanly.

Imports of what takes time stand inside, so that `figray --help` answers at once.
"""

import signal
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from app.progress import Bars
    from core.places import Place
    from core.settings import Config

GOES_ON = "what was committed stays, and the same command goes on from there"


@contextmanager
def session(
    run: str, recipe: str | None, overrides: list[str], *, trains: bool = True
) -> "Iterator[tuple[Config, Place, Bars]]":
    """A run folder with its settings, and Ray; without training the machines need not have what training asks for."""
    from app.steps import opened
    from core.places import Place

    place = Place.at(run)
    with (
        opened(place, recipe, overrides) as config,
        connected(config if trains else without_training(config), stopped=GOES_ON) as bars,
    ):
        yield config, place, bars


def without_training(config: "Config") -> "Config":
    """The settings with nothing that training alone asks of the machines: real articles are paired without a GPU."""
    from core.config import override

    return override(config, {"train.gpu": False, "train.workers": 1, "train.cpus_per_worker": 0.5})


@contextmanager
def connected(config: "Config", *, stopped: str = "nothing was written") -> "Iterator[Bars]":
    """Ray, stopped again whatever happens. Ctrl-C ends with 130, SIGTERM with 143; `stopped` says what then stands."""
    from app.progress import Bars
    from core.cluster import connect, disconnect

    bars, number = Bars(), 0
    try:
        take_signals(bars)
        connect(config)
        take_signals(bars)  # again: ray.init takes SIGTERM for itself
        with bars:
            yield bars
    except (KeyboardInterrupt, SystemExit) as error:
        say(f"stopped; {stopped}")
        # What streams in the frames of the error ends here: ended after Ray, it would start Ray again to say so.
        traceback.clear_frames(error.__traceback__)
        number = bars.stopped_by or (signal.SIGTERM if isinstance(error, SystemExit) else signal.SIGINT)
    finally:
        # Of a command that was stopped Ray may be half gone: what its end brings up must not hide how it was stopped.
        with suppress(OSError, SystemExit) if number else nullcontext():
            disconnect()
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
    """One line for the person at the terminal."""
    typer.echo(text, err=True)
