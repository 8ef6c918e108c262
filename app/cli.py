"""The command line: a run from figures to its report, sweeps, the papers' tables; other commands join at the end.

Everything that takes time to import is imported inside a command, so that `figray --help` answers at once.
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app import (
    commands_asking,
    commands_collect,
    commands_export,
    commands_files,
    commands_runs,
    commands_showing,
    endings,
    verbosity,
)
from app.jobs import commands as commands_cluster
from app.options import DATASETS, SCHEMES, AsJson, Run, Set, columns_named
from app.session import GOES_ON, connected, ended, say, session, without_training

if TYPE_CHECKING:
    from core.places import Place
    from core.settings import Config

cli = typer.Typer(
    name="figray",
    help="Open-access case reports into medical vision-language models, on Ray.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def told_version(asked: bool) -> None:
    """--version: what is installed, and nothing else."""
    if asked:
        from importlib.metadata import version

        typer.echo(f"figray {version('figray')}")
        raise typer.Exit


@cli.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=told_version, is_eager=True, help="Say the version, and stop.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say errors and asked-for results alone.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Show what Ray says too, and traces.")] = False,
) -> None:
    """Open-access case reports into medical vision-language models, on Ray."""
    verbosity.ASKED.quiet, verbosity.ASKED.verbose = quiet, verbose


Evaluated = Annotated[str, typer.Argument(help="a model's name; raw, processed or both; or pairs: themselves.")]
Trained = Annotated[
    str,
    typer.Argument(
        help="raw (whole figures), processed (pairs) or both; a recipe's name or file; separator; or sentences."
    ),
]


GROUPS = {  # of `figray --help`, in the order in which a run is made
    "From articles to pairs": ("check", "collect", "pair", "retry", "refresh"),
    "What you have": ("dataset", "separate", "split-captions", "pair-figures", "import-review", "fetch-pointers"),
    "Models": ("train", "evaluate", "sweep", "reproduce"),
    "Looking": ("demo", "report", "search", "compare", "config"),
    "Taking away": ("export", "flag"),
    "Keeping house": ("verify", "clean", "bench"),
    "Clusters": ("plan", "submit", "status", "logs", "keep-logs", "stop"),
}


def in_groups(app: typer.Typer) -> None:
    """Put each command of an app under the group that names it."""
    panels = {name: group for group, names in GROUPS.items() for name in names}
    for each in app.registered_commands:
        name = each.name or (each.callback.__name__.replace("_", "-") if each.callback else "")
        each.rich_help_panel = panels.get(name, each.rich_help_panel)
    for group in app.registered_groups:
        group.rich_help_panel = panels.get(str(group.name), group.rich_help_panel)


@cli.command()
def pair(run: Run = "runs/collected", set_: Set = [], as_json: AsJson = False) -> None:  # noqa: B006
    """Separate figures, read letters, split captions, match both."""
    from app import steps
    from core.records import Figure, Pair
    from pipelines.copies.duplicates import uncompared

    def first(_: object, place: "Place") -> None:
        steps.table(place, "figures", Figure)

    with session(run, None, set_, trains=False, begins=False, first=first) as (config, place, bars):
        steps.pair(config, place, bars)
        sheet = steps.contact_sheet(config, place)
        found = steps.counted(steps.table(place, "pairs", Pair)) if as_json else {}
    if line := uncompared(place / "separated"):
        say(line)
    say(endings.of_table(steps.table(place, "pairs", Pair), "pairs"))
    say(f"pairs: {place / 'pairs'}; contact sheet: {sheet}")
    say(endings.next_is("figray train processed", run=run))
    ended({**found, "contact_sheet": sheet}, as_json=as_json)


@cli.command()
def dataset(
    kind: Annotated[str, typer.Argument(help=f"{', '.join(DATASETS)}; phantom is drawn.")],
    folder: Annotated[Path | None, typer.Argument(metavar="FOLDER", help="The files as published; csv: or a CSV.")] = (
        None
    ),
    run: Run = "runs/radiographs",
    side: Annotated[int, typer.Option(min=16, help="Pixels of an image's short side; none is enlarged.")] = 512,
    views: Annotated[str, typer.Option(help="Views to keep, PA,AP; without it mimic keeps these, others all.")] = "",
    column: Annotated[list[str], typer.Option(help="csv: a column by the file's name, patient_id=subject.")] = [],  # noqa: B006
    mask_target: Annotated[str, typer.Option(help="csv: the finding that its masks show.")] = "mask",
    mapping: Annotated[Path | None, typer.Option(help="rsna: its mapping to NIH, if not beside the data.")] = None,
    splits: Annotated[
        list[str],
        typer.Option(help="Published: a CSV of image_id and split; train=FILE, val=FILE, test=FILE; their folder."),
    ] = [],  # noqa: B006
    beside: Annotated[list[str], typer.Option(help="Another run: copies of its films are found.")] = [],  # noqa: B006
    separate: Annotated[bool, typer.Option("--separate", help="pairs: images are figures to separate.")] = False,
    set_: Set = [],  # noqa: B006
) -> None:
    """Radiographs into a run: a published set, your own, or drawn ones; or pairs: any table of images and texts."""
    from core.config import SettingError

    if kind == "pairs":
        return _given(folder, run, column, set_, separate=separate)
    if separate:
        raise SettingError(f"--separate is for pairs; {kind} has one radiograph in an image")
    from app import radiographs
    from app.steps import opened
    from core.places import Place

    asked = radiographs.asked(kind, folder, views=views, columns=column, mapping=mapping)
    asked, place = replace(asked, side=side, mask_target=mask_target, splits=tuple(splits)), Place.at(run)
    with opened(place, None, set_) as config:
        source = radiographs.source_of(asked, config)  # what is missing is said before Ray starts
        for note in source.notes:
            say(note)
        with connected(without_training(config), stopped=GOES_ON) as bars:
            table = radiographs.write_tables(config, place, source, bars)
            for line in radiographs.copies_told(config, place, asked, list(map(Place.at, beside))):
                say(line)
    for line in radiographs.summary(table):
        say(line)
    say(f"tables: {place / 'radiographs'}, and {place / 'pairs'} for those with a report")
    say(endings.next_is("figray train mlip-cxr", run=run))


def _given(table: Path | None, run: str, column: list[str], set_: list[str], *, separate: bool) -> None:
    """A table of a user's own into the pairs of a run."""
    from app import given, steps
    from core.config import SettingError
    from core.places import Place
    from core.records import Pair
    from pipelines.given_rows import given as table_of

    if table is None:
        raise SettingError("pairs are read from a table: name the file, or its folder")
    found, place = table_of(table.resolve(), columns_named(column, such_as="text")), Place.at(run)
    with steps.opened(place, None, set_) as config, connected(without_training(config), stopped=GOES_ON) as bars:
        from pipelines.dealing_on_ray import dealt  # not before Ray's environment is set

        with dealt(found, given.parts_for, config, place) as parts:
            for note in given.notes(found, parts, separate=separate):
                say(note)
            write = given.write_figures if separate else given.write_pairs
            made = write(config, place, found, parts, bars)
        if separate:
            steps.pair(config, place, bars)
            told = [f"contact sheet: {steps.contact_sheet(config, place)}"]
        else:
            told = given.settle(config, place, made)
    for line in [*told, *given.summary(steps.table(place, "pairs", Pair))]:
        say(line)
    say(f"pairs: {place / 'pairs'}")
    say(endings.next_is("figray train processed", run=run))


@cli.command()
def train(
    what: Trained = "processed",
    run: Annotated[
        str | None, typer.Option(help="The run folder; without one, runs/collected, runs/separator or runs/sentences.")
    ] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """Train on the run's pairs, by its settings or by a recipe's; or what figray ships, on what it draws.

    separator finds panels and letters in figures, sentences cuts texts by Stanza's tokenizer.
    """
    from app import steps
    from app.trainings import train_recipe, train_sentences, train_separator
    from core.records import Pair

    if what == "separator":
        train_separator(run or "runs/separator", set_)
    elif what == "sentences":
        train_sentences(run or "runs/sentences", set_)
    elif what in SCHEMES:

        def first(_: object, place: "Place") -> None:
            for scheme in SCHEMES[what]:
                steps.table(place, steps.SCHEMES[scheme], Pair)

        with session(run or "runs/collected", None, set_, begins=False, first=first) as (config, place, bars):
            steps.train(config, place, SCHEMES[what], bars.step)
        for name in SCHEMES[what]:
            say(endings.of_training(place, name))
        say(f"models: {place / 'models'}")
        say(endings.next_is(f"figray evaluate {what}", run=run or "runs/collected"))
    else:
        train_recipe(what, run or "runs/collected", set_)


@cli.command()
def evaluate(
    what: Evaluated = "processed",
    run: Annotated[
        str | None, typer.Option(help="The run folder; without one, runs/collected or runs/scorecard.")
    ] = None,
    images: Annotated[str | None, typer.Option(help="pairs: a folder of figures, with --truth.")] = None,
    truth: Annotated[Path | None, typer.Option(help="pairs: their panels, letters and subcaptions, JSON.")] = None,
    captions: Annotated[Path | None, typer.Option(help="pairs: captions and their subcaptions, JSON.")] = None,
    on: Annotated[
        list[str], typer.Option(help="A run whose radiographs are probed; may be repeated. Else the run's own, if any.")
    ] = [],  # noqa: B006
    untrained: Annotated[
        bool, typer.Option("--untrained", help="Beside it the same model before training, as NAME-untrained.")
    ] = False,
    set_: Set = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Retrieval on held-out articles or patients, and probes of radiographs; or, of pairs, how true they are.

    A model that others have trained: hf:NAME (BLIP, CLIP, SigLIP) or open_clip:NAME, or a folder in the place of NAME.
    """
    if what == "pairs":
        from app.pair_evaluation import evaluate_pairs

        ended(evaluate_pairs(run or "runs/scorecard", images, truth, captions, set_), as_json=as_json)
        return
    from app import steps
    from app.options import is_published

    names = list(SCHEMES.get(what, [what]))

    def first(config: "Config", place: "Place") -> None:
        if is_published(what):
            from app.baselines import brought

            names[:] = [brought(config, place, what)]
        for name in names:
            steps.checkpoint(place, name)

    with session(run or "runs/collected", None, set_, trains=False, begins=False, first=first) as (config, place, _):
        from app.probe import probe_runs, write_untrained_of
        from app.retrieving import retrieve
        from core.places import Place

        names += [write_untrained_of(config, place, name) for name in names if untrained]
        found = {}
        for name in names:
            found[name] = retrieve(config, place, name)
            for line in probe_runs(config, place, name, [Place.at(each) for each in on]):
                say(line)
    for line in endings.of_retrieval(found):
        say(line)
    say(f"metrics: {place / 'models'}/*/retrieval-*.json and probe-*.json")
    say(endings.next_is("figray report", run=run or "runs/collected"))
    ended(found, as_json=as_json)


@cli.command()
def sweep(
    recipe: Annotated[str, typer.Argument(help="A recipe's name or file.")],
    space: Annotated[str, typer.Option(help="masking, weights, contrast, optim; or a YAML file: setting -> range.")],
    trials: Annotated[int | None, typer.Option(min=1, help="As sweep.trials.")] = None,
    run: Run = "runs/collected",
    name: Annotated[str | None, typer.Option(help="Of its folder in RUN/sweeps; without one, the space's.")] = None,
    on: Annotated[
        str | None, typer.Option(help="zero_shot_auc: the run with the radiographs; without one, the run.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a sweep that was stopped or killed.")] = False,
    set_: Set = [],  # noqa: B006
) -> None:
    """Train with settings drawn from a space, judge each on validation, and write the best as a recipe."""
    from app.sweeps import command as sweeps

    wanted = sweeps.asked(recipe, space, run, name=name, on=on, resume=resume)
    sweeps.sweep(wanted, [*set_, f"sweep.trials={trials}"] if trials else set_)


for module in (
    *(commands_showing, commands_collect, commands_runs, commands_export, commands_asking, commands_files),
    commands_cluster,
):
    cli.add_typer(module.commands)
    in_groups(module.commands)
in_groups(cli)


def main() -> None:
    """Run a command; what the user can mend is said in one line."""
    try:
        cli()
    except Exception as error:
        from app.session import in_one_line

        line = in_one_line(error)
        if line is None or verbosity.ASKED.verbose:
            raise
        typer.echo(f"figray: {line}", err=True)
        sys.exit(2)


if __name__ == "__main__":  # as jobs begin it, by the python of their node
    main()
