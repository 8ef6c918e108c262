"""The command line: figray demo, collect, pair, train, evaluate, report, reproduce, export, and own files.

Everything that takes time to import is imported inside a command, so that `figray --help` answers at once.
"""

import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from app.session import GOES_ON, connected, say, session, without_training

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
Folder = Annotated[str, typer.Argument(metavar="DIR", help="A folder of images, or its URI.")]
Captions = Annotated[Path, typer.Argument(metavar="CAPTIONS.json", help='{"image name": "caption", ...}')]
CaptionList = Annotated[Path, typer.Argument(metavar="IN.json", help='[{"id": "...", "caption": "..."}, ...]')]
Out = Annotated[Path, typer.Argument(metavar="OUT.json", help="What is found, put in place whole at the end.")]
Evaluated = Annotated[str, typer.Argument(help="a model's name; raw, processed or both; or pairs: themselves.")]
Trained = Annotated[
    str,
    typer.Argument(
        help="raw (whole figures), processed (pairs) or both; a recipe's name or file; separator; or sentences."
    ),
]

Address = Annotated[
    str | None,
    typer.Option(help="A cluster's dashboard, http://HOST:PORT; else RAY_API_SERVER_ADDRESS or RAY_ADDRESS."),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="Send the token in the clear, on a private network.")]
Job = Annotated[str, typer.Argument(help="A job, as submit names it.")]

SCHEMES = {"raw": ["raw"], "processed": ["processed"], "both": ["raw", "processed"]}
REPRODUCIBLE = (
    *("medvl-table1", "medvl-figure3", "medvl-figure4", "medvl-ablation"),
    *("mlip-table1", "mlip-table2", "mlip-table3", "mlip-table4", "mlip-figure3"),
)
DATASETS = ("mimic", "rsna", "siim", "nih", "csv", "phantom")
DRAWN_FOR_PAIRS = "phantom.articles=60"  # some two hundred figures, a minute on two cores


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
    with session(run, recipe, overrides, trains=False) as (config, place, bars):
        steps.collect(config, place, bars)
    say(f"figures: {place / 'figures'}; what was left out and why: {place / 'left_out.csv'}")


@cli.command()
def pair(run: Run = "runs/collected", set_: Set = []) -> None:  # noqa: B006
    """Separate figures, read letters, split captions, match both."""
    from app import steps

    with session(run, None, set_, trains=False) as (config, place, bars):
        steps.pair(config, place, bars)
        sheet = steps.contact_sheet(config, place)
    say(f"pairs: {place / 'pairs'}; contact sheet: {sheet}")


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
    set_: Set = [],  # noqa: B006
) -> None:
    """Radiographs with what is known of them into a run: a published set from its files, your own, or drawn ones."""
    from app import radiographs
    from app.places import Place
    from app.steps import opened

    asked = radiographs.asked(kind, folder, views=views, columns=column)
    asked, place = replace(asked, side=side, mask_target=mask_target), Place.at(run)
    with opened(place, None, set_) as config:
        source = radiographs.source_of(asked, config)  # what is missing is said before Ray starts
        with connected(without_training(config), stopped=GOES_ON) as bars:
            table = radiographs.write_tables(config, place, source, bars)
    for line in radiographs.summary(table):
        say(line)
    say(f"tables: {place / 'radiographs'}, and {place / 'pairs'} for those with a report")


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

    if what == "separator":
        train_separator(run or "runs/separator", set_)
    elif what == "sentences":
        train_sentences(run or "runs/sentences", set_)
    elif what in SCHEMES:
        with session(run or "runs/collected", None, set_) as (config, place, bars):
            steps.train(config, place, SCHEMES[what], bars.step)
        say(f"models: {place / 'models'}")
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
) -> None:
    """Retrieval on held-out articles or patients, and probes of radiographs; or, of pairs, how true they are."""
    from app import steps

    if what == "pairs":
        evaluate_pairs(run or "runs/scorecard", images, truth, captions, set_)
        return
    with session(run or "runs/collected", None, set_, trains=False) as (config, place, _):
        from app.places import Place
        from app.probe import probe_runs, write_untrained_of

        names = list(SCHEMES.get(what, [what]))
        names += [write_untrained_of(config, place, name) for name in names if untrained]
        for name in names:
            steps.evaluate(config, place, name)
            for line in probe_runs(config, place, name, [Place.at(each) for each in on]):
                say(line)
    say(f"metrics: {place / 'models'}/*/retrieval-*.json and probe-*.json; `figray report` shows retrieval")


def evaluate_pairs(run: str, images: str | None, truth: Path | None, captions: Path | None, set_: list[str]) -> None:
    """Separation, letters, subcaptions and pairs against a labelled set; without one, against drawn figures."""
    from app.pair_evaluation import drawn_set, evaluate, labelled_set
    from app.places import Place

    given = labelled_set(Place.at(images) if images else None, truth, captions)
    with session(run, None, [DRAWN_FOR_PAIRS, *set_], trains=False) as (config, place, bars):
        labelled = given if given.about else drawn_set(place, config.phantom)
        found = evaluate(config, place, labelled, bars.rows)
    for name, measure in found.items():
        say(f"{name:28}{100 * measure.value:6.1f} %  ({100 * measure.low:.1f} to {100 * measure.high:.1f})")
    say(f"scorecard: {place / 'scorecard.html'}")


@cli.command()
def separate(folder: Folder, out: Out, set_: Set = []) -> None:  # noqa: B006
    """Find the panels of every image of a folder, and the letters printed on them."""
    from app import own_files
    from app.config import load
    from app.places import Place

    config, place, to = load(None, set_), Place.at(folder), own_files.writable(out)
    works = own_files.figures_in(place)
    with connected(config) as bars:
        told = own_files.separate(config, place, works, out=to, progress=bars.rows)
    tell(told, out)


@cli.command()
def split_captions(captions: CaptionList, out: Out, set_: Set = []) -> None:  # noqa: B006
    """Split every caption of a file into the subcaptions of its panels."""
    from app import own_files
    from app.config import load

    config, works, to = load(None, set_), own_files.captions_in(captions), own_files.writable(out)
    with connected(config) as bars:
        told = own_files.split_captions(config, works, out=to, progress=bars.rows)
    tell(told, out)


@cli.command()
def pair_figures(folder: Folder, captions: Captions, out: Out, set_: Set = []) -> None:  # noqa: B006
    """Separate every image of a folder, and give each panel its part of the image's caption."""
    from app import own_files
    from app.config import load
    from app.places import Place

    config, place, to = load(None, set_), Place.at(folder), own_files.writable(out)
    works = own_files.captioned_figures(place, captions)
    with connected(config) as bars:
        told = own_files.pair_figures(config, place, works, out=to, progress=bars.rows)
    tell(told, out)


@cli.command()
def report(run: Run = "runs/collected") -> None:
    """One page that shows a run."""
    from app import steps
    from app.places import Place

    place = Place.at(run)
    with steps.opened(place, None, []) as config:
        say(f"report: {steps.report(config, place)}")


@cli.command()
def export(
    name: Annotated[str, typer.Argument(help="A model of the run, such as processed.")],
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write.")],
    run: Run = "runs/collected",
    to: Annotated[str, typer.Option(help="transformers: what BlipForImageTextRetrieval.from_pretrained loads.")] = (
        "transformers"
    ),
) -> None:
    """Write a model as another library reads it."""
    from app import steps
    from app.config import SettingError
    from app.places import Place

    if to != "transformers":
        raise SettingError(f"--to {to}: a model can be written for transformers alone")
    steps.export(Place.at(run), name, str(out))
    say(f"model: {out}")


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
    from app import sweeps

    wanted = sweeps.asked(recipe, space, run, name=name, on=on, resume=resume)
    sweeps.sweep(wanted, [*set_, f"sweep.trials={trials}"] if trials else set_)


@cli.command()
def reproduce(
    what: Annotated[str, typer.Argument(help=f"{', '.join(REPRODUCIBLE)}.")],
    run: Annotated[
        str | None,
        typer.Option(help="The run folder, with its tables; on --scale phantom they are drawn. Else runs/PAPER."),
    ] = None,
    scale: Annotated[str, typer.Option(help="phantom: drawn data, two cores. paper: real ones, GPUs.")] = "phantom",
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
    from app.config import SettingError

    for name, value, known in (("WHAT", what, REPRODUCIBLE), ("--scale", scale, ("phantom", "paper"))):
        if value not in known:
            raise SettingError(f"{name} {value}: there are {', '.join(known)}")
    from app.reproduce import reproduce as page_of

    place = run or f"runs/{what.partition('-')[0]}"
    page = page_of(what, place, scale=scale, seeds=seeds, overrides=set_, terms=term, on=on)
    say(f"page: {page}")


@cli.command()
def bench(
    out: Annotated[Path, typer.Argument(metavar="OUT.json", help="The numbers.")] = Path("runs/bench.json"),
    images: Annotated[str | None, typer.Option(help="A folder of figures; without one, drawn figures.")] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """Time the line from figure to pairs, and beside it a plain loop of PaddleOCR; exit 1 if a goal is missed."""
    os.environ["OMP_NUM_THREADS"] = "1"  # before numpy and torch are imported
    from app.bench import missed, run_bench
    from app.config import load
    from app.own_files import writable
    from app.places import Place

    told = run_bench(load(None, set_), Place.at(images) if images else None)
    for name, value in told.items():
        say(f"{name:48}{value:10.2f}")
    Place.at(writable(out)).write_json(told)
    for miss in missed(told):
        say(f"missed: {miss}")
    raise typer.Exit(1 if missed(told) else 0)


@cli.command()
def plan(
    articles: Annotated[int, typer.Option(min=1, help="That the query finds.")],
    cluster: Annotated[
        Path | None, typer.Option(help="A cluster.yaml of Ray's launcher; without one, this machine.")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="Whose settings, and whose model is trained.")] = "blip-brain",
    like: Annotated[str | None, typer.Option(help="A run of whose articles these are more.")] = None,
    scheme: Annotated[str | None, typer.Option(help="raw, processed or both; without one, the recipe's.")] = None,
    gpu_group: Annotated[str | None, typer.Option(help="The nodes that train; without one, the first with a GPU.")] = (
        None
    ),
    rates: Annotated[Path | None, typer.Option(help="Without one, runs/rates.json of `make bench`.")] = None,
    prices: Annotated[Path | None, typer.Option(help="Without one, those that come with figray.")] = None,
    assume: Annotated[list[str], typer.Option(help="Another value of what is assumed: core=1.2.")] = [],  # noqa: B006
    out: Annotated[Path | None, typer.Option(metavar="OUT.json", help="The same as JSON.")] = None,
    set_: Set = [],  # noqa: B006
) -> None:
    """What a job will take before it is paid for: hours, nodes and dollars of each station, and what that assumes."""
    from app.config import SettingError
    from app.planning import Asked, planned, write

    if scheme is not None and scheme not in SCHEMES:
        raise SettingError(f"--scheme {scheme}: there are {', '.join(SCHEMES)}")
    asked = Asked(
        articles=articles,
        cluster=cluster,
        recipe=recipe,
        like=like,
        schemes=tuple(SCHEMES[scheme]) if scheme else (),
        gpu_group=gpu_group,
        rates=rates,
        prices=prices,
        assume=tuple(assume),
        settings=tuple(set_),
    )
    told = planned(asked)
    for line in told.lines:
        typer.echo(line)
    if out:
        write(told, out)


@cli.command()
def config(recipe: Recipe = None, set_: Set = []) -> None:  # noqa: B006
    """Print every setting of a recipe, as a recipe."""
    from app.config import load, write

    typer.echo(write(load(recipe, set_)), nl=False)


@cli.command(context_settings={"allow_interspersed_args": False})
def submit(
    words: Annotated[
        list[str], typer.Argument(metavar="COMMAND", help="figray submit -- train blip-brain --run s3://B/R")
    ],
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """Run a figray command as a job of a Ray cluster, and follow it; without an address, of a Ray started for it.

    This folder is packed and sent, without runs, data, caches, and what .gitignore names.

    It ends with the job's exit code. Ctrl-C leaves a cluster's job running.
    """
    from app import jobs
    from app.submission import address_of, asked

    wanted, where = asked(typer.main.get_command(cli), words), address_of(address, os.environ, insecure=insecure)
    raise typer.Exit(jobs.submit(wanted, where, Path.cwd()))


@cli.command()
def status(
    job: Annotated[str | None, typer.Argument(help="A job, as submit names it; without one, all of them.")] = None,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """What became of the jobs that were submitted to a cluster."""
    from app import jobs

    for line in jobs.status(jobs.cluster_of(address, os.environ, insecure=insecure), job):
        typer.echo(line)


@cli.command()
def logs(
    job: Job,
    follow: Annotated[bool, typer.Option("--follow", help="Until the job ends; then end with its exit code.")] = False,
    address: Address = None,
    insecure: Insecure = False,
) -> None:
    """What a job has said so far."""
    from app import jobs

    raise typer.Exit(jobs.logs(jobs.cluster_of(address, os.environ, insecure=insecure), job, follow=follow))


@cli.command()
def stop(job: Job, address: Address = None, insecure: Insecure = False) -> None:
    """Stop a job: what it has committed stays, and the same command goes on from there."""
    from app import jobs

    say(jobs.stop(jobs.cluster_of(address, os.environ, insecure=insecure), job))


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


def absolute(source: str) -> str:
    """A source whose folder is found from any process: bucket:shared/x -> bucket:/home/me/shared/x."""
    kind, colon, where = source.partition(":")
    return source if not colon or "://" in where else f"{kind}:{Path(where).resolve()}"


def tell(told: Counter[str], out: Path) -> None:
    """Say what became of a user's files; exit 1 if none could be read."""
    failed = ", ".join(f"{count} {code}" for code, count in sorted(told.items()) if code)
    say(f"{out}: {told.total():,} rows" + (f"; {told.total() - told['']:,} failed: {failed}" if failed else ""))
    if failed and not told[""]:
        raise typer.Exit(1)


if __name__ == "__main__":  # as jobs begin it, by the python of their node
    main()
