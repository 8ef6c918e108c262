"""What Ray Tune draws the settings of trials with, and what stops or changes trials: Optuna, ASHA, PBT."""

import warnings
from collections.abc import Callable
from functools import partial
from math import floor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import optuna
from ray import tune
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, PopulationBasedTraining, TrialScheduler
from ray.tune.search import BasicVariantGenerator, Searcher
from ray.tune.search.optuna import OptunaSearch

from core.places import Place
from core.settings import SweepSettings
from tuning.spaces import IN_TRAINING, Range, Space

RUNGS = "asha.rungs"
optuna.logging.set_verbosity(optuna.logging.WARNING)  # it announces every study
warnings.filterwarnings("ignore", message="The reported value is ignored")  # of a validation that was made again
DISTRIBUTIONS: dict[str, Callable[..., Any]] = {
    "choice": lambda *values: tune.choice(list(values)),
    "uniform": tune.uniform,
    "log_uniform": tune.loguniform,
    "int": lambda low, high: tune.randint(low, high + 1),
    "log_int": lambda low, high: tune.lograndint(low, high + 1),
}


def distribution(found: Range) -> Any:
    """A range as Ray Tune draws from it."""
    return DISTRIBUTIONS[str(found.kind)](*found.values)


def search_of(settings: SweepSettings, *, seed: int) -> Searcher | BasicVariantGenerator:
    """Optuna's TPE, for one metric or for the Pareto front of several; PBT begins with settings by chance."""
    if settings.scheduler == "pbt":
        return BasicVariantGenerator(random_state=seed)
    metrics: list[str] = [*settings.metrics]
    if len(metrics) == 1:
        return OptunaSearch(metric=metrics[0], mode="max", seed=seed)
    return OptunaSearch(metric=metrics, mode=["max"] * len(metrics), seed=seed)


def scheduler_of(settings: SweepSettings, space: Space, *, steps: int, between: int, folder: str) -> TrialScheduler:
    """What stops trials, or changes them, by the first metric.

    steps: of a trial; between: from one validation to the next; folder: of the sweep, path or URI.
    """
    judged: dict[str, Any] = {"time_attr": "step", "metric": settings.metrics[0], "mode": "max"}
    if settings.scheduler == "asha":
        grace = max(1, floor(settings.grace * steps))
        # A trial ends by itself: none is stopped at its last step.
        return KeptAsha(folder, max_t=steps + 1, grace_period=grace, reduction_factor=settings.reduction, **judged)
    if settings.scheduler == "pbt":
        changed = {
            name: list(each.values) if each.kind == "choice" else distribution(each)
            for name, each in space.items()
            if name in IN_TRAINING
        }
        explore = partial(within, space=space)
        return PopulationBasedTraining(
            perturbation_interval=between, hyperparam_mutations=changed, custom_explore_fn=explore, **judged
        )
    return FIFOScheduler()


def within(settings: dict[str, Any], space: Space) -> dict[str, Any]:
    """The settings, none beyond its range: PBT multiplies."""
    return settings | {name: each.clamped(settings[name]) for name, each in space.items() if name in settings}


class KeptAsha(AsyncHyperBandScheduler):
    """ASHA whose rungs outlive the sweep's process: Ray Tune 2.60 restores trials and searcher, and not these."""

    def __init__(self, folder: str, **settings: Any) -> None:
        """folder: of the sweep, path or URI."""
        super().__init__(**settings)
        self.folder = folder

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Ray Tune calls it as a sweep begins, and as it goes on."""
        kept, folder = Place.at(self.folder) / RUNGS, self.folder
        if kept.exists():
            with TemporaryDirectory() as near:
                (Path(near) / RUNGS).write_bytes(kept.read_bytes())
                self.restore(f"{near}/{RUNGS}")
            self.folder = folder
        return bool(super().set_search_properties(metric, mode, **spec))

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Continue or stop."""
        decision = super().on_trial_result(controller, trial, result)
        with TemporaryDirectory() as near:
            self.save(f"{near}/{RUNGS}")
            (Place.at(self.folder) / RUNGS).write_bytes((Path(near) / RUNGS).read_bytes())
        return str(decision)
