"""figray demo, report and config: the whole job on drawn articles, the page of a run, and its settings."""

from typing import Annotated

import typer

from app import endings
from app.options import AsJson, Recipe, Run, Set
from app.session import ended, say, session

commands = typer.Typer()


@commands.command()
def demo(run: Run = "runs/demo", set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """The whole job on the embedded corpus: collect, pair, pre-train twice, evaluate, report."""
    with session(run, "demo", set_) as (config, place, bars):
        from app.demo import run_demo  # here, so that a wrong setting is said before the seconds that it takes

        page, told = run_demo(config, place, bars)
    for line in endings.of_report(told):
        say(line)
    say(f"report: {page}")
    say(endings.next_is("figray search", run=run, given=True) + ' "glioma, T2"')
    ended({"report": page, **told}, as_json=as_json)


@commands.command()
def report(
    runs: Annotated[
        list[str] | None, typer.Argument(metavar="[RUN]...", help="Two or more stand side by side.")
    ] = None,
    run: Run = "runs/collected",
    as_json: AsJson = False,
) -> None:
    """One page that shows a run, or several side by side."""
    from app import steps
    from core.places import Place
    from core.runs import refuse_missing

    places, told = [Place.at(each) for each in runs or [run]], dict[str, object]()
    for place in places:
        refuse_missing(place)
    if len(places) > 1:
        page = steps.compared(places)
    else:
        with steps.opened(places[0], None, []) as config:
            page, told = steps.report(config, places[0])
        for line in endings.of_report(told):
            say(line)
    say(f"report: {page}")
    ended({"report": page, **told}, as_json=as_json)


@commands.command()
def config(recipe: Recipe = None, set_: Set = []) -> None:  # noqa: B006
    """Print every setting of a recipe, as a recipe."""
    from core.config import load, write

    typer.echo(write(load(recipe, set_)), nl=False)
