"""What Ray Tune draws the settings of trials with, and what stops or changes trials: Optuna, ASHA, PBT."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from math import floor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import optuna
from ray import tune
from ray.tune.schedulers import AsyncHyperBandScheduler, FIFOScheduler, PopulationBasedTraining, TrialScheduler
from ray.tune.search import BasicVariantGenerator, Searcher
from ray.tune.search.optuna import OptunaSearch

from core.places import Place
from core.settings import SweepSettings
from tuning.evidence import TRIAL, Known, write_stop
from tuning.spaces import IN_TRAINING, Range, Space

RUNGS = "asha.json"  # of a sweep's folder: milestone -> trial -> value
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


def search_of(settings: SweepSettings, *, seed: int, known: Sequence[Known] = ()) -> Searcher | BasicVariantGenerator:
    """Optuna's TPE, for one metric or for the Pareto front of several; PBT begins with settings by chance.

    known: of a sweep that goes on; what has not ended comes first, under its name, and the rest is learnt from.
    """
    going = [each for each in known if not each.end]
    seed += len(known)  # else it would draw again what it drew as it began
    if settings.scheduler == "pbt":
        points = [{**each.settings, TRIAL: each.trial} for each in going]
        return BasicVariantGenerator(points_to_evaluate=points, random_state=seed)
    metrics: list[str] = [*settings.metrics]
    inner = (
        OptunaSearch(metric=metrics[0], mode="max", seed=seed)
        if len(metrics) == 1
        else OptunaSearch(metric=metrics, mode=["max"] * len(metrics), seed=seed)
    )
    return GoingOn(inner, metrics, known) if known else inner


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


class GoingOn(Searcher):
    """Optuna, after what was begun and has not ended; it learns from what has, as the sweep's own files tell it."""

    def __init__(self, inner: OptunaSearch, metrics: Sequence[str], known: Sequence[Known]) -> None:
        super().__init__(metric=inner.metric, mode=inner.mode)
        self.inner, self.metrics, self.known = inner, metrics, known
        self.waiting = [each for each in known if not each.end]
        self.going: dict[str, Known] = {}  # by Ray Tune's id

    def set_search_properties(self, metric: str | None, mode: str | None, config: dict[str, Any], **spec: Any) -> bool:
        """The space, and with it what is known of it."""
        done = self.inner.set_search_properties(metric, mode, config, **spec)
        for each in self.known:
            if each.end:
                self._learn(each.settings, each.reports[-1] if each.reports else {})
        return bool(done)

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        """Settings for the next trial."""
        if self.waiting:
            each = self.going[trial_id] = self.waiting.pop(0)
            return {**each.settings, TRIAL: each.trial}
        return self.inner.suggest(trial_id)

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Learn from a trial."""
        if trial_id in self.going:
            self._learn(self.going.pop(trial_id).settings, result or {})
        else:
            self.inner.on_trial_complete(trial_id, result, error)

    def _learn(self, settings: Mapping[str, Any], numbers: Mapping[str, Any]) -> None:
        values = [float(numbers[name]) for name in self.metrics if name in numbers]
        study: Any = self.inner._ot_study
        space: Any = self.inner._space
        if len(values) == len(self.metrics) and settings.keys() == space.keys():
            state = optuna.trial.TrialState.COMPLETE
            study.add_trial(
                optuna.trial.create_trial(state=state, values=values, params=dict(settings), distributions=space)
            )

    def save(self, checkpoint_path: str) -> None:
        """Ray Tune asks for a file; nobody reads it."""
        Path(checkpoint_path).write_bytes(b"")

    def restore(self, checkpoint_path: str) -> None:
        """Nothing is."""


class KeptAsha(AsyncHyperBandScheduler):
    """ASHA whose rungs outlive the sweep's process, as JSON: Ray Tune would keep them as a pickle, or not at all."""

    def __init__(self, folder: str, **settings: Any) -> None:
        """folder: of the sweep, path or URI."""
        super().__init__(**settings)
        self.folder = folder

    def set_search_properties(self, metric: str | None, mode: str | None, **spec: Any) -> bool:
        """Ray Tune calls it as a sweep begins, and as it goes on."""
        kept = Place.at(self.folder) / RUNGS
        if kept.exists():
            reached = {int(milestone): values for milestone, values in kept.read_json().items()}
            for milestone, recorded in self._brackets[0]._rungs:
                recorded.update({str(trial): float(each) for trial, each in reached.get(int(milestone), {}).items()})
        return bool(super().set_search_properties(metric, mode, **spec))

    def on_trial_result(self, controller: Any, trial: Any, result: dict[str, Any]) -> str:
        """Continue or stop."""
        self._trial_info.setdefault(self._known_as(trial).trial_id, self._brackets[0])
        decision = super().on_trial_result(controller, self._known_as(trial), result)
        rungs = {str(int(milestone)): recorded for milestone, recorded in self._brackets[0]._rungs}
        (Place.at(self.folder) / RUNGS).write_json(rungs)
        if decision == TrialScheduler.STOP:
            write_stop(self.folder, self._known_as(trial).trial_id, step=int(result["step"]))
        return str(decision)

    def on_trial_add(self, controller: Any, trial: Any) -> None:
        """A trial is there."""
        super().on_trial_add(controller, self._known_as(trial))

    def on_trial_complete(self, controller: Any, trial: Any, result: dict[str, Any]) -> None:
        """A trial has ended."""
        super().on_trial_complete(controller, self._known_as(trial), result)

    def on_trial_remove(self, controller: Any, trial: Any) -> None:
        """A trial is taken away."""
        super().on_trial_remove(controller, self._known_as(trial))

    def _known_as(self, trial: Any) -> Any:
        """A trial that goes on under the name that it had before."""
        name = (getattr(trial, "config", None) or {}).get(TRIAL)
        return SimpleNamespace(trial_id=name) if name else trial
