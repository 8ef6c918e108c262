"""The command line: `figray demo | collect | pair | train | evaluate | report | config`.

Everything that takes time to import is imported inside a command, so that `figray --help` answers at once.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from app.progress import Bars
    from app.runs import Place
    from app.settings import Config

cli = typer.Typer(
    name="figray",
    help="Open-access case reports into medical vision-language models, on Ray.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Run = Annotated[str, typer.Option(help="The run folder: a path, or a URI such as s3://bucket/run.")]
Recipe = Annotated[
    str | None, typer.Argument(help="A recipe's name or file; without one, what the run was begun with.")
]
Set = Annotated[list[str], typer.Option("--set", help="Change a setting: name=value, as `figray config` lists them.")]
Scheme = Annotated[str, typer.Argument(help="raw (whole figures and captions), processed (pairs), or both.")]


@cli.command()
def demo(run: Run = "runs/demo", set_: Set = []) -> None:  # noqa: B006
    """The whole job on the embedded corpus: collect, pair, pre-train twice, evaluate, report."""
    with session(run, "demo", set_) as (config, place, bars):
        from app.demo import run_demo  # here, so that a wrong setting is said before the seconds that it takes

        page = run_demo(config, place, bars)
    say(f"report: {page}")


@cli.command()
def collect(
    recipe: Recipe = None,
    run: Run = "runs/collected",
    source: Annotated[str | None, typer.Option(help="pmc, bucket:FOLDER or bucket:URL, laid out as PMC's.")] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """Select articles and fetch their figures."""
    from app import steps

    overrides = [*set_, f"source.origin={absolute(source)}"] if source else set_
    with session(run, recipe, overrides) as (config, place, bars):
        steps.collect(config, place, bars)
    say(f"figures: {place.path}/figures; what was left out and why: {place.path}/left_out.csv")


@cli.command()
def pair(run: Run = "runs/collected", set_: Set = []) -> None:  # noqa: B006
    """Separate figures, read letters, split captions, match both."""
    from app import steps

    with session(run, None, set_) as (config, place, bars):
        steps.pair(config, place, bars)
        sheet = steps.contact_sheet(config, place)
    say(f"pairs: {place.path}/pairs; contact sheet: {sheet}")


@cli.command()
def train(scheme: Scheme = "processed", run: Run = "runs/collected", set_: Set = []) -> None:  # noqa: B006
    """Pre-train on the pairs."""
    from app import steps

    with session(run, None, set_) as (config, place, bars):
        steps.train(config, place, schemes(scheme), bars.step)
    say(f"models: {place.path}/models")


@cli.command()
def evaluate(scheme: Scheme = "processed", run: Run = "runs/collected", set_: Set = []) -> None:  # noqa: B006
    """Image-text retrieval on the held-out articles, on pairs and on whole figures."""
    from app import steps

    with session(run, None, set_) as (config, place, _):
        for name in schemes(scheme):
            steps.evaluate(config, place, name)
    say(f"metrics: {place.path}/models/*/retrieval-*.json; `figray report` shows them")


@cli.command()
def report(run: Run = "runs/collected") -> None:
    """One page that shows a run."""
    from app import steps
    from app.runs import Place

    place = Place.at(run)
    with steps.opened(place, None, []) as config:
        say(f"report: {steps.report(config, place)}")


@cli.command()
def config(recipe: Recipe = None, set_: Set = []) -> None:  # noqa: B006
    """Print every setting of a recipe, as a recipe."""
    from app.config import load, write

    typer.echo(write(load(recipe, set_)), nl=False)


def main() -> None:
    """Run a command; what the user can mend is said in one line."""
    try:
        cli()
    except Exception as error:
        from app.config import UserError

        if not isinstance(error, UserError):
            raise
        say(f"figray: {error}")
        sys.exit(2)


@contextmanager
def session(run: str, recipe: str | None, overrides: list[str]) -> "Iterator[tuple[Config, Place, Bars]]":
    """Settings first, then Ray, and Ray stopped again, whatever happens. Ctrl-C ends with 130, SIGTERM with 143."""
    from app.cluster import connect, disconnect
    from app.progress import Bars
    from app.runs import Place
    from app.steps import opened

    place = Place.at(run)
    with opened(place, recipe, overrides) as config:
        bars = Bars()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, bars.stop)
        try:
            connect(config)
            with bars:
                yield config, place, bars
        except KeyboardInterrupt:
            say("stopped; what was committed stays, and the same command goes on from there")
            raise typer.Exit(128 + (bars.stopped_by or signal.SIGINT)) from None
        finally:
            disconnect()


def absolute(source: str) -> str:
    """A source whose folder is found from any process: bucket:shared/x -> bucket:/home/me/shared/x."""
    kind, colon, where = source.partition(":")
    return source if not colon or "://" in where else f"{kind}:{Path(where).resolve()}"


def schemes(scheme: str) -> list[str]:
    """The schemes named on the command line."""
    from app.config import SettingError
    from app.steps import SCHEMES

    if scheme not in (*SCHEMES, "both"):
        raise SettingError(f"no scheme '{scheme}'; there are {', '.join(SCHEMES)} and both")
    return list(SCHEMES) if scheme == "both" else [scheme]


def say(text: str) -> None:
    """One line for the person at the terminal."""
    typer.echo(text, err=True)
