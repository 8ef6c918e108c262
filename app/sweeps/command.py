"""figray sweep: many trainings by settings drawn from a space, judged on validation alone, to one recipe."""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer

from app import steps
from app.endings import next_is
from app.session import connected, say
from app.sweeps.results import write_results
from core.config import UserError, load, override, settings_of
from core.places import Place
from core.records import Pair, Radiograph
from core.runs import RunConflict, claim
from core.settings import Config
from tuning.spaces import Space, as_plain, read_space, refuse
from tuning.trials import best_trial

TRIALS = "trials.json"  # of a sweep that has ended: a row a trial, see tuning.sweep
GOES_ON = "the same command with --resume goes on from the trials' checkpoints"
# What makes a sweep what it is; how many trials run at once, and how often one is tried again, does not.
SHAPING = tuple(
    f"sweep.{name}" for name in ("trials", "metrics", "scheduler", "executor", "validations", "grace", "reduction")
)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A sweep as the command line names it."""

    recipe: str
    space: str  # a name, or a YAML file
    run: Place
    name: str  # of its folder below sweeps/
    on: Place  # the run whose radiographs zero-shot is measured on
    resume: bool = False

    @property
    def folder(self) -> Place:
        """Of all that the sweep leaves."""
        return self.run / "sweeps" / self.name


@dataclass(frozen=True, kw_only=True)
class Judges:
    """The validation split."""

    pairs: tuple[str, ...]
    radiographs: tuple[str, ...]  # none where no metric asks for them
    digests: dict[str, str | None]


def asked(recipe: str, space: str, run: str, *, name: str | None, on: str | None, resume: bool) -> Asked:
    """The sweep's name is the space's, if no other is given."""
    named = name or Path(space).name.removesuffix(".yaml")
    return Asked(recipe=recipe, space=space, run=Place.at(run), name=named, on=Place.at(on or run), resume=resume)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A sweep that may run, its folder its own."""

    config: Config  # of the recipe, with its steps
    space: Space
    train_files: tuple[str, ...]
    judges: Judges


def sweep(wanted: Asked, overrides: Sequence[str]) -> None:
    """Run a sweep to its end, or go on with it, and say where its results are; exit 1 if no trial finished."""
    claimed = claimed_by(wanted, overrides)
    rows, config = read_rows(wanted.folder), claimed.config
    if rows is None or (wanted.resume and any(row["status"] == "failed" for row in rows)):
        rows = run_trials(wanted, claimed)
    page = write_results(
        wanted.folder,
        rows,
        space_name=wanted.space,
        space=claimed.space,
        metrics=config.sweep.metrics,
        config=config,
    )
    tell(wanted, rows, config.sweep.metrics)
    say(f"page: {page}")
    if best_trial(rows, config.sweep.metrics) is None:
        raise typer.Exit(1)


def claimed_by(wanted: Asked, overrides: Sequence[str]) -> Claimed:
    """The sweep, its folder claimed for it alone, before Ray starts.

    Raises SettingError or UserError on what cannot be run; RunConflict if another sweep has the folder, or this one
    has begun and --resume is not said.
    """
    config, folder = load(wanted.recipe, overrides), wanted.folder
    space, judges = read_space(wanted.space, config), judges_of(config, wanted)
    refuse(config, space)
    train_files = steps.table(wanted.run, steps.SCHEMES[config.train.scheme], Pair).files("split=train")
    config = with_steps(config, wanted.run, train_files)
    begun = (folder / "settings.json").exists()
    shape = {**shaping(config), **judges.digests, "space": as_plain(space)}
    claim(folder, shape, before=shaping(Config()), no_longer=steps.NO_LONGER)
    if begun and read_rows(folder) is None and not wanted.resume:
        raise RunConflict(f"{folder} is a sweep that has not ended: --resume goes on with it, --name begins another")
    return Claimed(config=config, space=space, train_files=tuple(train_files), judges=judges)


def judges_of(config: Config, wanted: Asked) -> Judges:
    """The validation split of what the metrics ask for; UserError if it is empty."""
    pairs = steps.table(wanted.run, steps.SCHEMES[config.train.scheme], Pair)
    digests: dict[str, str | None] = {"pairs": pairs.digest, "radiographs": None}
    found: dict[str, tuple[str, ...]] = {"pairs": tuple(pairs.files("split=val")), "radiographs": ()}
    if "zero_shot_auc" in config.sweep.metrics:
        from app.films import refuse_related

        radiographs = steps.table(wanted.on, "radiographs", Radiograph)
        refuse_related(wanted.run, wanted.on)
        found["radiographs"] = tuple(radiographs.files("split=val"))
        digests["radiographs"] = radiographs.digest
    needed = {"mean_recall": "pairs", "zero_shot_auc": "radiographs"}
    for name in (needed[metric] for metric in config.sweep.metrics):
        if not found[name]:
            raise UserError(f"the validation split has no {name}, and by it a sweep is judged; raise split.val")
    return Judges(**found, digests=digests)


def with_steps(config: Config, run: Place, train_files: Sequence[str]) -> Config:
    """The settings with their steps stated: all trials take as many, and so does the best recipe."""
    from trainers.job import make_job
    from trainers.training_set import training_set_of

    texts = training_set_of(config, train_files)
    plan = make_job(steps.begun_from(config, run), texts, out="").plan
    return override(config, {"optim.steps": plan.total_steps})


def shaping(config: Config) -> dict[str, Any]:
    """The settings that make a sweep what it is, by dotted name."""
    return settings_of(config, *SHAPING) | steps.shaping(config)


def run_trials(wanted: Asked, claimed: Claimed) -> list[dict[str, Any]]:
    """Run what is not run yet, and leave `trials.json`."""
    from app.probe import prompts_of
    from trainers.validation import validate

    config, judges = steps.begun_from(claimed.config, wanted.run), claimed.judges
    judged = partial(
        validate,
        metrics=config.sweep.metrics,
        pairs=judges.pairs,
        radiographs=judges.radiographs,
        prompts=prompts_of(config),
        batch_size=config.evaluate.batch_size,
        pool=config.evaluate.pool,
        gpu=config.train.gpu,
    )
    with connected(config, stopped=GOES_ON) as bars, steps.timed(wanted.run, f"sweep {wanted.name}"):
        from tuning.sweep import Sweep, room, run_sweep  # knows Ray

        trials = Sweep(
            folder=wanted.folder.uri,
            config=config,
            space=claimed.space,
            train_files=claimed.train_files,
            validate=judged,
            at_once=room(config),
        )
        rows = run_sweep(trials, on_step=bars.step)
    (wanted.folder / TRIALS).write_json(rows)
    return rows


def read_rows(folder: Place) -> list[dict[str, Any]] | None:
    """The trials of a sweep that has ended; None of any other."""
    file = folder / TRIALS
    return file.read_json() if file.exists() else None


def tell(wanted: Asked, rows: Sequence[Mapping[str, Any]], metrics: Sequence[str]) -> None:
    """How the trials ended, the best of them, and what measures it on test."""
    ended = Counter(row["status"] for row in rows)
    say(f"trials: {', '.join(f'{count} {status}' for status, count in sorted(ended.items()))}")
    best = best_trial(rows, metrics)
    if best is None:
        errors = Counter(row["error"] for row in rows if row["error"])
        say(f"no trial finished; {errors.most_common(1)[0][0] if errors else 'all were stopped'}")
        return
    found = ", ".join(f"{name} {best['metrics'][name]:.4f}" for name in metrics)
    say(f"best: trial {best['trial']}, {found} on validation")
    say(f"recipe: {wanted.folder / 'best.yaml'}")
    say(f"on test, once, when it is trained and chosen: `figray evaluate best --run {wanted.run}`")
    say(next_is(f"figray train {shlex.quote(str(wanted.folder / 'best.yaml'))}", run=str(wanted.run)))
