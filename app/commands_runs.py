"""figray retry, refresh and verify: a run's failures tried again, its source asked again, its files looked through."""

from typing import TYPE_CHECKING

import typer

from app.options import AsJson, RunFolder, Set
from app.session import ended, say, session

if TYPE_CHECKING:
    from core.places import Place
    from core.settings import Config

commands = typer.Typer()


def has_figures(_: "Config", place: "Place") -> None:
    """Raise RunConflict where a run has no figures yet."""
    from app import steps
    from core.records import Figure

    steps.table(place, "figures", Figure)


@commands.command()
def retry(run: RunFolder, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Fetch again what failed for a cause that may pass, and nothing else; exit 1 if some fails still."""
    from app import steps
    from core.records import Figure

    refuse_no_run(run)
    with session(run, None, set_, trains=False, first=has_figures) as (config, place, bars):
        before = sum(steps.table(place, "figures", Figure).failed.values())
        if before:
            steps.retry(config, place, bars)
        figures = steps.table(place, "figures", Figure)
        after = sum(figures.failed.values())
        lines, found = [*steps.failed_in_words(figures)], steps.counted(figures)
    say(f"failed before: {before:,}; now: {after:,}")
    for line in lines:
        say(line)
    ended(found, as_json=as_json)
    if after:
        raise typer.Exit(1)


@commands.command()
def refresh(run: RunFolder, set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Ask the source again: new articles join, those retracted or re-versioned since are withdrawn or fetched anew."""
    from app import steps
    from core.records import Figure

    refuse_no_run(run)
    with session(run, None, set_, trains=False, first=has_figures) as (config, place, bars):
        lines = [*steps.refresh(config, place, bars)]
        figures = steps.table(place, "figures", Figure)
        lines += steps.failed_in_words(figures)
        found = steps.counted(figures)
    for line in lines:
        say(line)
    ended(found, as_json=as_json)


@commands.command()
def verify(run: RunFolder, as_json: AsJson = False) -> None:
    """Look through all files of a run: rows, checksums, manifests, holes; exit 1 if something is damaged."""
    from app.verifying import verified
    from core.places import Place

    refuse_no_run(run)
    found, told = verified(Place.at(run))
    for line in told:
        say(line)
    for each in found:
        say(str(each))
    say(f"{run}: {len(found)} damaged" if found else f"{run}: whole")
    ended({"damaged": [vars(each) for each in found], "told": told}, as_json=as_json)
    if found:
        raise typer.Exit(1)


def refuse_no_run(run: str) -> None:
    """Raise RunConflict where there is no run, before anything is made there."""
    from core.places import Place
    from core.runs import refuse_missing

    refuse_missing(Place.at(run))
