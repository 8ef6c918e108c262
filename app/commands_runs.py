"""figray retry, refresh, verify, clean and bench: a run kept in order, and the machine timed."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.endings import next_is, of_table
from app.options import AsJson, RunFolder, Set
from app.session import ended, say, session
from app.verbosity import ASKED

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
    say(of_table(figures, "figures"))
    say(next_is("figray retry", run=run, given=True) if after else next_is("figray pair", run=run))
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
    say(of_table(figures, "figures"))
    say(next_is("figray pair", run=run))
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
    if not found:
        say(next_is("figray report", run=run, given=True))
    ended({"damaged": [vars(each) for each in found], "told": told}, as_json=as_json)
    if found:
        raise typer.Exit(1)


@commands.command()
def clean(
    run: RunFolder,
    yes: Annotated[bool, typer.Option("--yes", help="Remove without asking.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what a run holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say what a run holds on disk, and remove what can be made again."""
    from app import cleaning
    from core.lease import leased
    from core.places import Place

    refuse_no_run(run)
    place = Place.at(run)
    found = cleaning.held(place)
    for each in found:
        say(f"{cleaning.size_in_words(each.size):>10}  {each.name}" + (f"  ({each.why})" if each.why else ""))
    again = [each for each in found if each.why]
    size, gone = cleaning.size_in_words(sum(each.size for each in again)), 0
    asks = not (as_json or ASKED.quiet)  # who reads by program, or wants no word, is not asked
    if not again:
        say("nothing of it can be made again")
    elif not dry_run and (yes or (asks and typer.confirm(f"remove {size} that can be made again?", err=True))):
        with leased(place):
            gone = cleaning.remove(place, again)
        say(f"removed: {size}")
    else:
        say(f"nothing was removed; --yes removes {size}")
    ended({"held": [vars(each) for each in found], "removed": gone}, as_json=as_json)


@commands.command()
def bench(
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The numbers.")] = Path("runs/bench.json"),
    images: Annotated[str | None, typer.Option(help="A folder of figures; without one, drawn figures.")] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """Time the line from figure to pairs, and beside it a plain loop of PaddleOCR; exit 1 if a goal is missed."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are imported
    from app.bench import missed, run_bench
    from app.own_files import writable
    from core.config import load
    from core.places import Place

    told = run_bench(load(None, set_), Place.at(images) if images else None)
    for name, value in told.items():
        say(f"{name:48}{value:10.2f}")
    Place.at(writable(out)).write_json(told)
    for miss in missed(told):
        say(f"missed: {miss}")
    raise typer.Exit(1 if missed(told) else 0)


def refuse_no_run(run: str) -> None:
    """Raise RunConflict where there is no run, before anything is made there."""
    from core.places import Place
    from core.runs import refuse_missing

    refuse_missing(Place.at(run))
