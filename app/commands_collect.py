"""figray collect and check: articles and their figures, and the first contact with the services they come from."""

from pathlib import Path
from typing import Annotated

import typer

from app.options import AsJson, Recipe, Run, Set
from app.session import ended, say, session

commands = typer.Typer()

Topic = Annotated[
    str | None, typer.Option(help='A word or phrase, or several with OR: --topic glioma, --topic "stroke OR infarct".')
]

Source = Annotated[str | None, typer.Option(help="pmc, bucket:FOLDER or bucket:URL, laid out as PMC's.")]


@commands.command()
def collect(
    recipe: Recipe = None,
    run: Run = "runs/collected",
    topic: Topic = None,
    source: Source = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be asked, what is found, and what it would take.")
    ] = False,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Select articles on a topic and fetch their figures."""
    from app import steps
    from core.records import Figure

    overrides = [*set_, *of_topic(topic), *([f"source.origin={absolute(source)}"] if source else [])]
    if dry_run:
        from app.dry_run import dry_run as lines_of
        from core.config import load

        for line in lines_of(load(recipe, overrides)):
            typer.echo(line)
        return
    refuse_no_folder(source)
    with session(run, recipe, overrides, trains=False) as (config, place, bars):
        steps.collect(config, place, bars)
        for line in steps.promised(place):
            say(line)
        for line in steps.failed_in_words(steps.table(place, "figures", Figure)):
            say(line)
        found = steps.counted(steps.table(place, "figures", Figure)) if as_json else {}
    say(f"figures: {place / 'figures'}; what was left out and why: {place / 'left_out.csv'}")
    say(f"next: figray pair --run {run}")
    ended(found, as_json=as_json)


@commands.command()
def check(
    topic: Topic = None,
    out: Annotated[Path, typer.Option(help="The transcript, which holds no key and no e-mail address.")] = Path(
        "runs/check.json"
    ),
    changed: Annotated[
        str | None, typer.Option(metavar="RUN", help="Only say which articles of a run PMC has changed since.")
    ] = None,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Ask each real service one small question, and say what differs from what figray expects."""
    from app.check import check as lines_of
    from app.check import refuse_wrong, told, transcript
    from app.own_files import writable
    from core.config import load
    from core.places import Place
    from core.runs import figray_version
    from pipelines.sources.transport import surroundings

    if changed is not None:
        from app.changes import changes

        for text in changes(load(None, set_), Place.at(changed)):
            typer.echo(text)
        return
    config, place = load(None, [*set_, *of_topic(topic)]), Place.at(writable(out))
    for line in surroundings():
        say(line)
    lines = []
    for answer in lines_of(config):
        lines.append(answer)
        say(told(answer))
    written = transcript(config, lines, version=figray_version())
    place.write_json(written)
    say(f"transcript: {out}")
    ended(written, as_json=as_json)
    refuse_wrong(lines)


def of_topic(topic: str | None) -> list[str]:
    """The settings of --topic: the queries are made of it, and it is looked for in the captions."""
    return [] if topic is None else [f"source.topic={topic}", "source.query=null", "select.keyword=null"]


def refuse_no_folder(source: str | None) -> None:
    """Raise SettingError where a bucket is to be a folder and there is none, before Ray starts."""
    from core.config import SettingError

    kind, _, where = (source or "").partition(":")
    if kind == "bucket" and "://" not in where and not Path(where).expanduser().is_dir():
        raise SettingError(f"{where} is no folder; bucket:PATH names one laid out as PMC's bucket")


def absolute(source: str) -> str:
    """A source whose folder is found from any process: bucket:shared/x -> bucket:/home/me/shared/x."""
    kind, colon, where = source.partition(":")
    return source if not colon or "://" in where else f"{kind}:{Path(where).expanduser().resolve()}"
