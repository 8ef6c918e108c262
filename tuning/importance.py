"""How much each setting mattered in a sweep: permutation importance of a random forest (Breiman 2001), with intervals.

The forest learns a metric from the settings of some trials; a setting matters as far as shuffling it among the other
trials spoils what the forest says of them.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from tuning.trials import Trial, as_text, curve_of, names_of, values

FEWEST = 8  # trials; of fewer nothing can be concluded
RESAMPLES = 30
TREES = 20
INTERVAL = (5, 95)  # percentiles of the resamples


@dataclass(frozen=True, kw_only=True)
class Importance:
    """By how much the squared error grows when a setting is shuffled, in variances of the metric."""

    setting: str
    mean: float  # of the resamples
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Importances:
    """What a forest has learnt of one metric."""

    trials: int
    step: int | None  # at which they are compared; None: each at its own full length
    explained: float  # of the variance among trials that the forest has not seen; 0 or less: nothing
    settings: Sequence[Importance]  # those that vary, the most important first


def importance(rows: Sequence[Trial], metric: str, seed: int) -> Importances | None:
    """Of finished trials; where fewer than 8 finished, of all at the last step that 8 have reached. None below 8."""
    trials, scores, step = comparable(rows, metric)
    if len(trials) < FEWEST:
        return None
    table = {name: _coded([trial["settings"].get(name) for trial in trials]) for name in names_of(trials, "settings")}
    varied = {name: column for name, column in table.items() if len(np.unique(column)) > 1}
    if not varied or np.ptp(scores) == 0:
        return Importances(trials=len(trials), step=step, explained=0.0, settings=())
    errors, found = _resampled(np.column_stack(list(varied.values())), np.asarray(scores), seed)
    lows, highs = np.percentile(found, INTERVAL, axis=0)
    each = [
        Importance(setting=name, mean=float(mean), low=float(low), high=float(high))
        for name, mean, low, high in zip(varied, found.mean(axis=0), lows, highs)
    ]
    explained = 1 - float(errors.mean())
    ordered = sorted(each, key=lambda one: -one.mean)
    return Importances(trials=len(trials), step=step, explained=explained, settings=ordered)


def comparable(rows: Sequence[Trial], metric: str) -> tuple[list[Trial], list[float], int | None]:
    """Trials whose values may be set beside each other, the values, and at which step; None: at full length."""
    finished = [(row, values(row, [metric])[0]) for row in rows if row["status"] == "finished"]
    known = [(row, value) for row, value in finished if not math.isnan(value)]
    step = _last_common_step(rows, metric) if len(known) < FEWEST else None
    if step is not None:
        known = [(row, curve[step]) for row in rows if step in (curve := curve_of(row, metric))]
    return [row for row, _ in known], [value for _, value in known], step


def _last_common_step(rows: Sequence[Trial], metric: str) -> int | None:
    """The last step at which as many trials as are needed have a value."""
    reached = Counter(step for row in rows for step in curve_of(row, metric))
    return max((step for step, trials in reached.items() if trials >= FEWEST), default=None)


def _coded(column: Sequence[Any]) -> np.ndarray:
    """Values as numbers, (trials,): numbers as they are, words in alphabetical order, NaN where there is none."""
    if all(value is None or isinstance(value, int | float) for value in column):
        return np.array([math.nan if value is None else value for value in column], dtype=float)
    texts = [as_text(value) for value in column]
    return np.unique(texts, return_inverse=True)[1].astype(float)


def _resampled(inputs: np.ndarray, scores: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Squared errors on the trials left out of each resample, (resamples,), and their growth, (resamples, settings).

    inputs: (trials, settings); scores: (trials,), taken in units of their deviation.
    """
    random, targets = np.random.default_rng(seed), (scores - scores.mean()) / scores.std()
    errors: list[float] = []
    grown: list[np.ndarray] = []
    while len(errors) < RESAMPLES:
        bag = random.integers(len(targets), size=len(targets))
        out = np.setdiff1d(np.arange(len(targets)), bag)
        if len(out) < 2:
            continue  # nothing to exchange
        forest = RandomForestRegressor(TREES, random_state=int(random.integers(2**31))).fit(inputs[bag], targets[bag])
        given, exchanged = exchanges(inputs[out])
        wrong = (forest.predict(np.concatenate([inputs[out], exchanged])) - targets[out][given]) ** 2
        errors.append(float(wrong[: len(out)].mean()))
        grown.append(wrong[len(out) :].reshape(inputs.shape[1], -1).mean(axis=1) - errors[-1])
    return np.array(errors), np.array(grown)


def exchanges(inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every row with one setting taken from every other row: all that shuffling could do, instead of a few shuffles.

    inputs: (n, settings). Returns the rows' numbers, first of the n as they are, (n + settings n (n - 1),), and the
    exchanged rows, (settings n (n - 1), settings), by setting.
    """
    n, settings = inputs.shape
    to, source = np.nonzero(~np.eye(n, dtype=bool))
    exchanged = np.tile(inputs[to], (settings, 1, 1))
    for setting in range(settings):
        exchanged[setting, :, setting] = inputs[source, setting]
    return np.concatenate([np.arange(n), np.tile(to, settings)]), exchanged.reshape(-1, settings)
