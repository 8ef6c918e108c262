"""The steps of the main job, each what one command does to a run folder; `demo` takes them all in order."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from importlib import import_module
from time import monotonic
from typing import Any

from app.attribution import write_attribution
from app.csv_text import csv_pieces
from app.data_card import card_of
from app.report.provenance import MADE, made_with
from core.config import UserError, load, override, read, settings_of, write
from core.failures import AGAIN
from core.lease import CLAIMS, leased
from core.places import Place, refuse_taken
from core.records import Figure, Pair, Reject, arrow_schema
from core.runs import Part, RunConflict, Table, claim, refuse_missing, stamp
from core.settings import Config
from core.suggestions import meant

# The two schemes of MedVL, Table 1, and the pools that both are judged on: each a table of pairs in the run folder.
SCHEMES = {"raw": "whole", "processed": "pairs"}
POOLS = {"pairs": "pairs", "whole figures": "whole"}
ON_A_SHEET = 200  # figures; more makes a page that browsers struggle with

# What makes a model what it is, with the settings of its objective; another value of one of them is another model.
SHAPING = (
    *("model", "optim", "train.batch_size", "train.fraction", "train.only", "seed"),
    *("train.frozen", "train.learnt_blocks", "train.augment"),
)
NO_LONGER = ("train.workers",)  # what older models state, and what any number of workers goes on from now
OBJECTIVES = {"blip": ("objective",), "mlip": ("objective.name", "mlip")}
OF_BEGINNING = ("config.yaml", "version.json", "seconds.json", MADE)
SHOWN = ("figures", "pairs", "radiographs", "models")  # of a run, what its report can be of
MADE_BY = {"radiographs": "`figray dataset` makes them"}

Progress = Callable[[str, Part, int], None]
OnStep = Callable[[str, int, int], None]  # model, step reached, steps in all


@contextmanager
def opened(run: Place, recipe: str | None, overrides: list[str]) -> Iterator[Config]:
    """The settings of a run: the recipe's, or without one those that the run was begun with; then the overrides.

    They are kept in the run as `config.yaml`, itself a recipe; overrides join it when the step has succeeded. While
    the block lasts no other driver writes into the run.
    """
    if recipe is not None:
        load(recipe, overrides)  # what is wrong is said before anything is written
    with leased(run):
        yield from _opened(run, recipe, overrides)


def _opened(run: Place, recipe: str | None, overrides: list[str]) -> Iterator[Config]:
    file = run / "config.yaml"
    begun = file.exists()
    if begun:
        stamp(run)
    if begun and recipe is None:
        config = read(file.read_bytes(), file.uri, overrides)
        refuse_address(config, overrides, file)
    else:
        config = load(recipe, overrides)
    if not begun:
        stamp(run)
        file.write_bytes(write(config).encode())
    try:
        yield config
    except UserError:
        if not begun:
            _forget(run)
        raise
    file.write_bytes(write(config).encode())


def refuse_address(config: Config, overrides: Sequence[str], file: Place) -> None:
    """Raise RunConflict where a run's own file names the cluster: whoever runs that cluster runs commands here too."""
    address = config.cluster.address
    said = os.environ.get("RAY_ADDRESS") == address or any(each.startswith("cluster.address=") for each in overrides)
    if address and not said:
        raise RunConflict(
            f"{file} names a cluster to connect to, which only you may do: --set cluster.address={address}, or "
            "RAY_ADDRESS"
        )


def _forget(run: Place) -> None:
    """Take back what a run says of its beginning, where nothing was made in it."""
    there = set(run.names()) - {CLAIMS}
    if there <= set(OF_BEGINNING):
        for name in OF_BEGINNING:
            if name in there:
                (run / name).filesystem.delete_file((run / name).path)


def collect(config: Config, run: Place, progress: Progress) -> None:
    """Articles to `figures/`; what was left out or failed, and why, to `left_out.csv` too."""
    from pipelines import build

    with timed(run, "collect"):
        try:
            build.collect(config, run, progress)
        finally:  # where a host was down too: what stands is told
            told_of_figures(run)


def retry(config: Config, run: Place, progress: Progress) -> None:
    """What failed of `figures/` once more."""
    from pipelines import build

    with timed(run, "collect"):
        try:
            build.retry(config, table(run, "figures", Figure), progress)
        finally:
            told_of_figures(run)


def refresh(config: Config, run: Place, progress: Progress) -> Iterator[str]:
    """Ask the source of `figures/` again; in words, what is new, and what was made of it before."""
    from pipelines import build

    before = table(run, "figures", Figure).digest
    with timed(run, "collect"):
        found = build.refresh(config, table(run, "figures", Figure), progress)
        file = run / "figures" / "refreshed.json"
        file.write_json([*(file.read_json() if file.exists() else []), asdict(found)])
        told_of_figures(run)
    yield f"new articles: {len(found.new):,}; withdrawn or of another version: {len(found.changed):,}"
    yield from (f"  {article}" for article in found.changed)
    if table(run, "figures", Figure).digest != before:
        made = [name for name in ("separated", "pairs", "whole") if (run / name).exists()]
        if made:
            yield f"{', '.join(made)} were made before this: `figray pair --run {run}` makes anew what has changed"
        models = (run / "models").folders()
        if models:
            yield f"trained on what stood before: {', '.join(models)}; a new model needs another run or name"


def told_of_figures(run: Place) -> None:
    """`left_out.csv` and `DATA_CARD.md` as the table `figures/` now is."""
    figures = Table(run / "figures", Figure)
    parts = figures.parts()
    if not parts:
        return
    left_out = (figures.rejects_in(part).to_pylist() for part in parts)
    (run / "left_out.csv").write_pieces(csv_pieces(left_out, arrow_schema(Reject).names))
    (run / "DATA_CARD.md").write_bytes(card_of(figures).encode())


def failed_in_words(made: Table) -> Iterator[str]:
    """What failed for causes that may pass, and what mends it; nothing where nothing did."""
    if made.failed:
        reasons = ", ".join(f"{number:,} {code}" for code, number in made.failed.items())
        yield f"failed, and may pass: {reasons}; {AGAIN}"


def promised(run: Place) -> Iterator[str]:
    """What the index promised and the articles did not keep, in words."""
    found = (run / "figures" / "found.json").read_json()
    yield "; ".join(f"{name}: {number:,}" for name, number in found["counts"].items())
    told: Counter[str] = Counter()
    for part in table(run, "figures", Figure).parts():
        told.update(part.counts)
    unkept = {name.removeprefix("unkept_"): number for name, number in told.items() if name.startswith("unkept_")}
    reasons = ", ".join(f"{number:,} {name}" for name, number in sorted(unkept.items()))
    yield f"articles with a figure kept: {told['articles_kept']:,} of {told['articles']:,}" + (
        f"; without: {reasons}" if reasons else ""
    )


def pair(config: Config, run: Place, progress: Progress) -> None:
    """`figures/` to `separated/`, to `pairs/`, and to `whole/`: the whole figures with their whole captions."""
    from pipelines import build

    with timed(run, "separate"):
        separated = build.separate(config, table(run, "figures", Figure), run, progress)
    whole = config.model_copy(update={"match": config.match.model_copy(update={"rule": "whole"})})
    with timed(run, "pair"):
        build.pair(config, separated, run / "pairs", progress)
        build.pair(whole, separated, run / "whole", progress)
    write_attribution(run, run)


def train(config: Config, run: Place, schemes: Sequence[str], on_step: OnStep) -> None:
    """Pre-train on the pairs of each scheme: `models/SCHEME/`."""
    train_models({scheme: override(config, {"train.scheme": scheme}) for scheme in schemes}, run, on_step)


def train_models(models: Mapping[str, Config], run: Place, on_step: OnStep) -> None:
    """Train models by name, each by its own settings on the pairs of its `train.scheme`: `models/NAME/`.

    What is trained already is left as it is. on_step: name, step reached, steps in all.
    """
    from trainers.fit_all import fit_all
    from trainers.inline import fit_here

    runs, names, watched = dict[str, tuple[Config, list[str]]](), dict[str, str](), dict[str, list[str]]()
    for name, config in models.items():
        pairs, model = table(run, SCHEMES[config.train.scheme], Pair), run / "models" / name
        claim(model, {**shaping(config), "pairs": pairs.digest}, before=shaping(Config()), no_longer=NO_LONGER)
        runs[model.uri], names[model.uri] = (begun_from(config, run), pairs.files("split=train")), name
        if config.train.background_validation:
            watched[model.uri] = pairs.files("split=val")
    here = [out for out, (config, _) in runs.items() if config.train.inline]
    with timed(run, "train"):
        for done, out in enumerate(here):
            on_step(names[out], done, len(here))
            config, files = runs.pop(out)
            fit_here(config, train_files=files, out=out)
        if runs:
            fit_all(runs, watched=watched, on_step=lambda out, step, steps: on_step(names[out], step, steps))


def shaping(config: Config) -> dict[str, Any]:
    """The settings that make a model what it is, by dotted name."""
    return settings_of(config, *SHAPING, *OBJECTIVES[config.objective.name])


def begun_from(config: Config, run: Place) -> Config:
    """The settings with `model.init: run:NAME` as the folder of that model; RunConflict if the run has none."""
    kind, _, name = (config.model.init or "").partition(":")
    return override(config, {"model.init": checkpoint(run, name)}) if kind == "run" else config


def checkpoint(run: Place, name: str) -> str:
    """The folder of a trained model, path or URI; RunConflict if the run has none of this name."""
    if not name.strip() or "/" in name or "\\" in name or name in (".", ".."):
        raise RunConflict(f"{name!r} is no name of a model: it is a folder's name in {run / 'models'}, without slashes")
    folder = run / "models" / name / "checkpoint"
    if not (folder / "config.json").exists():
        there = [each for each in (run / "models").folders() if (run / "models" / each / "checkpoint").exists()]
        if like := meant(name, there):
            raise RunConflict(f"{run} has no model {name}{like}")
        others = f", but {', '.join(there)}" if there else ""
        raise RunConflict(f"{run} has no model {name} yet{others}; `figray train {name}` makes it")
    return folder.uri


def device_of(config: Config) -> str:
    """Where models are evaluated."""
    import torch

    return "cuda" if config.train.gpu and torch.cuda.is_available() else "cpu"


FORMATS = {  # libraries that a model can be written for: module and function
    "transformers": ("trainers.interchange", "to_transformers"),
    "onnx": ("trainers.formats.onnx_towers", "to_onnx"),
    "open_clip": ("trainers.formats.open_clip_model", "to_open_clip"),
    "timm": ("trainers.formats.timm_tower", "to_timm"),
}


def export(run: Place, name: str, out: str, *, to: str = "transformers") -> None:
    """A model as a folder that another library of FORMATS loads."""
    module, function = FORMATS[to]
    folder, place = checkpoint(run, name), Place.at(out)
    if place.is_file():
        raise UserError(f"{out} is a file; name a folder to write")
    refuse_taken(place)  # before torch is loaded
    getattr(import_module(module), function)(folder, out)
    if (run / "pairs").exists():
        write_attribution(run, Place.at(out))


def report(config: Config, run: Place) -> tuple[str, dict[str, Any]]:
    """The page `report.html` of whatever the run has, and its numbers, which are `results.json` too."""
    from app.report.from_run import read_report
    from app.report.page import numbers, render

    if not any((run / name).exists() for name in SHOWN):
        raise RunConflict(f"{run} has nothing to show yet; `figray collect` or `figray dataset` begins")
    shown = read_report(run, config)
    told = numbers(shown)
    (run / "results.json").write_json(told)
    page = run / "report.html"
    page.write_bytes(render(shown).encode())
    return page.uri, told


def compared(runs: Sequence[Place]) -> str:
    """Several runs side by side: the page `compared-NAMES.html` in the first of them."""
    from app.report.compared import read_compared, render_compared

    found = []
    for run in runs:
        refuse_missing(run)
        file = run / "config.yaml"
        found.append((run, read(file.read_bytes(), file.uri, []) if file.exists() else Config()))
    shown = read_compared(found)
    page = runs[0] / f"compared-{'-'.join(run.name for run in runs)}.html"
    page.write_bytes(render_compared(shown).encode())
    return page.uri


def contact_sheet(config: Config, run: Place) -> str:
    """Every figure with its panels, letters and texts on one page, `contact_sheet.html`."""
    from app.report.contact_sheet import render_contact_sheet
    from app.report.from_run import shown_figures

    figures = shown_figures(run, config, most=ON_A_SHEET)
    page = run / "contact_sheet.html"
    page.write_bytes(render_contact_sheet(figures, title=f"figray: {run.name}").encode())
    return page.uri


def table(run: Place, name: str, record: type) -> Table:
    """A table that an earlier step has made; raises RunConflict if none has."""
    made = Table(run / name, record)
    if not made.parts():
        how = MADE_BY.get(name, "`figray collect` makes figures, `figray pair` all that follows")
        raise RunConflict(f"{run} has no {name} yet; {how}")
    return made


def counted(made: Table) -> dict[str, Any]:
    """What a table holds, for those who read results by program: rows, and what was left out by reason."""
    return {"table": made.place.uri, "rows": made.rows, "left_out": made.left_out, "failed": made.failed}


@contextmanager
def timed(run: Place, step: str) -> Iterator[None]:
    """Add the wall seconds of a step to the run's `seconds.json`, and to `made.json` what it was made with.

    A step that goes on adds to the seconds it took before.
    """
    begun = monotonic()
    try:
        yield
    finally:
        file = run / "seconds.json"
        seconds = file.read_json() if file.exists() else {}
        file.write_json({**seconds, step: round(seconds.get(step, 0.0) + monotonic() - begun, 1)})
        record = run / MADE
        record.write_json({**(record.read_json() if record.exists() else {}), step: made_with()})
