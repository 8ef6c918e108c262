"""run_sweep(): trials on Ray Tune; each is the training loop in its own process, or fit() with workers of its own."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import ceil
from time import time
from typing import Any

import ray
from pyarrow import fs
from ray import train, tune
from ray.data import DataContext
from ray.tune.integration.ray_train import TuneReportCallback

from core.cluster import nodes, patience
from core.config import override
from core.places import Place
from core.settings import Config
from trainers.fit import Validate, fit
from trainers.inline import fit_inline
from trainers.restarts import why_not
from tuning.evidence import (
    TRIAL,
    Known,
    known,
    latest_checkpoint,
    named,
    next_state,
    read_failure,
    read_reports,
    read_starts,
    write_failure,
    write_report,
    write_start,
)
from tuning.search import distribution, scheduler_of, search_of
from tuning.spaces import Space

NEVER = 1e9  # minutes
OF_TUNE = {
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is the command's
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the other one tells of itself however silent it is asked to be
}
Row = dict[str, Any]
OnStep = Callable[[str, int, int], None]  # trial, step reached, steps in all
_on_step: ContextVar[OnStep] = ContextVar("_on_step")


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """What a sweep tries."""

    folder: str  # path or URI
    config: Config  # of the recipe; optim.steps is stated, and each trial takes as many
    space: Space
    train_files: tuple[str, ...]
    validate: Validate
    at_once: int | None  # trials; None: as many as Ray has room for

    @property
    def steps(self) -> int:
        """Of a trial."""
        return self.config.optim.steps or 0

    @property
    def between(self) -> int:
        """Steps from one validation to the next."""
        return ceil(self.steps / self.config.sweep.validations)

    def config_of(self, settings: Mapping[str, Any]) -> Config:
        """A trial's settings, checkpoints where it is validated."""
        times = {"train.checkpoint_steps": self.between, "train.checkpoint_minutes": NEVER}
        return override(self.config, {**settings, **times})


def room(config: Config) -> int | None:
    """How many trials run at once: as asked, or as many as the machines hold; None: as Ray finds room for them.

    On local Ray not more than there are cores, of which Ray may count more than there are. A cluster that grows is held
    to the size it has, unless the trials are inline: those it grows for.
    """
    train, inline = config.train, config.sweep.executor == "inline"
    on_a_cluster = bool(config.cluster.address or os.environ.get("RAY_ADDRESS"))
    if config.sweep.at_once or (on_a_cluster and inline):
        return config.sweep.at_once
    held, workers = ray.cluster_resources(), 1 if inline else train.least_workers
    limits = [held.get("CPU", 0) / (train.cpus_per_worker if inline else config.training_cpus)]
    limits += [held.get("GPU", 0) / workers] if train.gpu else []
    limits += [] if on_a_cluster else [(os.cpu_count() or 1) / (train.threads * workers)]
    return max(1, int(min(limits)))


def run_sweep(sweep: Sweep, *, on_step: OnStep) -> list[Row]:
    """Run what is not run yet, and return a row a trial.

    A row: trial (its id), status (finished, stopped by the scheduler, or failed), starts, step (the last), seconds,
    settings and metrics (of the last validation) by name, curve (of each validation, its step and metrics), error.
    Ray has to be started. What a killed sweep had begun goes on from its checkpoints. Raises KeyboardInterrupt where
    on_step does.
    """
    os.environ.update(OF_TUNE)
    if Place.at(sweep.folder).is_local:
        os.environ.setdefault("TUNE_GLOBAL_CHECKPOINT_S", "1")  # a disk takes its state as often; else each ten
    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    before = known(sweep.folder, steps=sweep.steps)
    left = sweep.config.sweep.trials - sum(bool(each.end) for each in before)
    errors = _run(sweep, before, left, on_step) if left > 0 else {}
    starts = read_starts(sweep.folder)
    trials = sorted({start["trial"] for start in starts} | errors.keys())
    return [row_of(trial, errors.get(trial), starts, sweep) for trial in trials]


def _run(sweep: Sweep, before: Sequence[Known], left: int, on_step: OnStep) -> dict[str, Exception | None]:
    """Run so many trials, those first that have not ended; by trial, the error that Ray Tune has given it up for."""
    told = _on_step.set(on_step)
    try:
        grid = _tuner(sweep, before, left).fit()
    finally:
        _on_step.reset(told)
    return {str(each.path).rpartition("/")[2]: each.error for each in map(grid.__getitem__, range(len(grid)))}


def _tuner(sweep: Sweep, before: Sequence[Known], left: int) -> tune.Tuner:
    """Ray Tune, always new: its own way to go on unpickles files of the sweep's folder, which may be a stranger's."""
    folder, settings = Place.at(sweep.folder), sweep.config.sweep
    space: Row = {name: distribution(each) for name, each in sweep.space.items()}
    if settings.scheduler == "pbt" and before:
        space[TRIAL] = None
    return tune.Tuner(
        trainable_of(sweep),
        param_space=space,
        tune_config=tune.TuneConfig(
            num_samples=left,
            search_alg=search_of(settings, seed=sweep.config.seed, known=before),
            scheduler=scheduler_of(
                settings, sweep.space, steps=sweep.steps, between=sweep.between, folder=sweep.folder
            ),
            # PBT needs the whole population, and holds it to the room that there is by taking turns.
            max_concurrent_trials=None if settings.scheduler == "pbt" else sweep.at_once,
            reuse_actors=settings.executor == "inline",
            trial_dirname_creator=_name_of,
        ),
        run_config=tune.RunConfig(
            name=next_state(sweep.folder),
            storage_path=folder.path,
            storage_filesystem=None if folder.is_local else folder.filesystem,
            failure_config=tune.FailureConfig(max_failures=settings.retries),
            checkpoint_config=tune.CheckpointConfig(num_to_keep=4 if settings.scheduler == "pbt" else 1),
            callbacks=[_Shown(sweep.steps)],
            verbose=0,
        ),
    )


class _Shown(tune.Callback):
    """Progress; what shows it is not in Ray Tune's saved state."""

    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_trial_result(self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **_: Any) -> None:
        _on_step.get()(trial.trial_id, result["step"], self.steps)


def _name_of(trial: Any) -> str:
    # Ray Tune's own names tell all settings, and are no names for files.
    return str(trial.config.get(TRIAL) or trial.trial_id)


def trainable_of(sweep: Sweep) -> Any:
    """What Ray Tune runs for each trial, with what it holds meanwhile."""
    config = sweep.config
    if config.sweep.executor == "inline":
        group = nodes("trainers" if config.train.gpu else "pipelines")
        # All trials of PBT are there at once, and take turns where the share of each leaves no room for more.
        share = (
            ray.cluster_resources().get("CPU", 0) / sweep.at_once
            if sweep.at_once and config.sweep.scheduler == "pbt"
            else 0.0
        )
        asked = {"CPU": max(config.train.cpus_per_worker, share), "GPU": float(config.train.gpu), **group}
        return tune.with_resources(_bound(inline_trial, sweep), tune.PlacementGroupFactory([asked]))
    # What steers a training must not go with a node that is only lent.
    steering = nodes("figray") or {"CPU": 0.01}
    return tune.with_resources(_bound(ray_train_trial, sweep), tune.PlacementGroupFactory([steering]))


def _bound(trial: Callable[..., None], sweep: Sweep) -> Callable[[dict[str, Any]], None]:
    def run_trial(config: dict[str, Any]) -> None:  # Ray Tune asks for this name
        trial(config, sweep=sweep)

    return run_trial


def inline_trial(settings: dict[str, Any], *, sweep: Sweep) -> None:
    """A trial in this process, from its latest checkpoint, or from one that PBT gave it."""
    trial, own = _own(settings, sweep)
    with _begun_at(sweep, trial) as (at, step), _counted(sweep, trial, own, step=step) as going:
        if not going:
            return
        told = _Reports(sweep.folder, trial)

        def on_checkpoint(folder: str, step: int) -> None:
            numbers = told.write({"step": step, **sweep.validate(folder)})
            checkpoint = tune.Checkpoint.from_directory(folder)
            checkpoint.set_metadata({"step": step})
            tune.report(numbers, checkpoint=checkpoint)

        config = sweep.config_of(own)
        fit_inline(config, train_files=sweep.train_files, on_checkpoint=on_checkpoint, begin_at=at)


def _own(settings: Mapping[str, Any], sweep: Sweep) -> tuple[str, Row]:
    """The name of the trial that this process runs, and its settings."""
    trial = named(sweep.folder, tune.get_context().get_trial_id(), settings)
    return trial, {name: value for name, value in settings.items() if name != TRIAL}


@contextmanager
def _begun_at(sweep: Sweep, trial: str) -> Iterator[tuple[str | None, int]]:
    """The checkpoint that a trial goes on from, and its step: what Ray Tune gives, else what it has left before."""
    given = tune.get_checkpoint()
    if given:
        with given.as_directory() as at:
            yield at, int(given.get_metadata()["step"])
        return
    kept = latest_checkpoint(sweep.folder, trial, why_not=why_not)
    if kept is None:
        yield None, 0
        return
    with kept[0].near() as near:
        yield str(near), kept[1]


def ray_train_trial(settings: dict[str, Any], *, sweep: Sweep) -> None:
    """A trial as fit() on workers of its own; its folder is its name, so it goes on from its checkpoints."""
    trial, own = _own(settings, sweep)
    out, config = Place.at(sweep.folder) / "trials" / trial, sweep.config_of(own)
    DataContext.get_current().enable_progress_bars = False
    DataContext.get_current().execution_no_progress_timeout_s = patience(config.cluster)
    with _counted(sweep, trial, own, step=latest_step(out)) as going:
        if going:
            told = [_Told(_Reports(sweep.folder, trial))]
            fit(config, train_files=sweep.train_files, out=out.uri, validate=sweep.validate, callbacks=told)


@contextmanager
def _counted(sweep: Sweep, trial: str, settings: Mapping[str, Any], *, step: int) -> Iterator[bool]:
    """Write down a start, or tell the end of a trial that has come to it already. A loss that is not finite ends it."""
    found, failed = read_reports(sweep.folder, trial), read_failure(sweep.folder, trial)
    worst: dict[str, Any] = {"step": step, **dict.fromkeys(sweep.config.sweep.metrics, 0.0)}
    if failed or (found and found[-1]["step"] == sweep.steps):
        tune.report(worst if failed else found[-1])
        yield False
        return
    write_start(sweep.folder, trial, step=step, settings=settings)
    try:
        yield True
    except (FloatingPointError, train.WorkerGroupError) as error:
        causes = list(error.worker_failures.values()) if isinstance(error, train.WorkerGroupError) else [error]
        broken = next((each for each in causes if isinstance(each, FloatingPointError)), None)
        if broken is None:
            raise
        # Again it would come to the same; told as the worst there is, the searcher keeps away from it.
        write_failure(sweep.folder, trial, str(broken))
        tune.report(worst)


@dataclass
class _Reports:
    """The reports of a trial, with the seconds that each took."""

    folder: str
    trial: str
    since: float = field(default_factory=time)

    def write(self, numbers: Mapping[str, Any]) -> dict[str, Any]:
        """Keep one, with its seconds."""
        kept = {**numbers, "seconds": time() - self.since}
        self.since = time()
        write_report(self.folder, self.trial, kept)
        return kept


class _Told(TuneReportCallback):
    """Ray Tune hears what Ray Train does."""

    def __init__(self, reports: _Reports) -> None:
        super().__init__()
        self.reports = reports

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        """metrics: of each worker."""
        super().after_report(run_context, [self.reports.write(metrics[0])], checkpoint)


def latest_step(out: Place) -> int:
    """The step of the latest checkpoint that fit() has left in its folder; 0 if there is none."""
    selector = fs.FileSelector(f"{out.path}/restarts", recursive=True, allow_not_found=True)
    names = [info.base_name for info in out.filesystem.get_file_info(selector)]
    return max((int(name.removeprefix("step-")) for name in names if name.startswith("step-")), default=0)


def row_of(trial: str, error: Exception | None, starts: Sequence[Mapping[str, Any]], sweep: Sweep) -> Row:
    """A trial's row, as `run_sweep` says. error: that Ray Tune has given it up for; starts: of all trials."""
    own = [start for start in starts if start["trial"] == trial]
    reports, names = read_reports(sweep.folder, trial), sweep.config.sweep.metrics
    curve = [{name: each[name] for name in ("step", *names)} for each in reports]
    reason = read_failure(sweep.folder, trial) or _last_line(error)
    last = curve[-1] if curve else {"step": 0}
    ended = last["step"] >= sweep.steps
    return {
        "trial": trial,
        "status": "failed" if reason else "finished" if ended else "stopped",
        "starts": len(own),
        "step": last["step"],
        "seconds": round(sum(each["seconds"] for each in reports), 1),
        "settings": dict(own[-1]["settings"]) if own else {},
        "metrics": {name: last[name] for name in names if name in last},
        "curve": curve,
        "error": reason,
    }


def _last_line(error: Exception | None) -> str:
    return str(error).strip().rpartition("\n")[2].strip() if error else ""
