"""How well scores tell present from absent: AUC, AP, and F1 at a threshold that other patients fixed (G 9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evaluation.bootstrap import bounds, draws

METRICS = ("auc", "ap", "f1", "macro_f1", "f1_oracle")
OF_THRESHOLD = ("f1", "macro_f1")  # need the threshold
CHUNK = 2**22  # weights of radiographs in memory at once: 32 MB, and a few times that

Floats = NDArray[np.float64]


class Draws(NamedTuple):
    """How often each patient counts: in the first row once, in the others as a resample drew them."""

    times: Floats  # (1 + R, C)
    patient: NDArray[np.int64]  # (N,), the number of each radiograph's patient


@dataclass(frozen=True)
class Predictions:
    """Scores of N radiographs for K targets, and what is so. Raises ValueError on a score that is not finite."""

    targets: tuple[str, ...]
    scores: Floats  # (N, K), the higher the rather present
    truths: Floats  # (N, K), 1 present, 0 absent, nan unknown
    patients: list[str]  # (N,)

    def __post_init__(self) -> None:
        broken = [name for column, name in enumerate(self.targets) if not np.isfinite(self.scores[:, column]).all()]
        if broken:
            raise ValueError(f"scores for {', '.join(broken)} are not finite: the model's weights are broken")

    def of(self, column: int) -> tuple[Floats, Floats, NDArray[np.bool_]]:
        """Scores and truths of a target where it is known, and (N,) where that is."""
        known = ~np.isnan(self.truths[:, column])
        return self.scores[known, column], self.truths[known, column], known


@dataclass(frozen=True)
class Judged:
    """How well one target is told, or their mean. What cannot be told is None, and `note` says why.

    `f1` is of the positive class, `macro_f1` the mean of both classes', both at the threshold with the best F1 on
    validation. `f1_oracle` is the best F1 that any threshold reaches on the test labels themselves, which is how
    MedKLIP counts and what MLIP, Table 1, is compared with; a threshold fixed beforehand does worse.
    """

    metrics: dict[str, float | None]  # by `METRICS`
    intervals: dict[str, tuple[float, float]]  # 95 %, of the same, by resampling patients; without resamples none
    n: int  # radiographs with a known truth
    positives: int
    prevalence: float | None  # their share: the AP of a model that knows nothing
    threshold: float | None
    note: str = ""


@dataclass(frozen=True)
class Judgement:
    """Each target, and the mean of those that are defined, which resamples the same patients for all."""

    targets: dict[str, Judged]
    mean: Judged


def judge(val: Predictions, test: Predictions, *, resamples: int, seed: int) -> Judgement:
    """The scores of the test set by its truths. val: fixes the thresholds; its targets are those of test."""
    redrawn = redraw(test.patients, resamples=resamples, seed=seed)
    tables, judged = [], {}
    for column, name in enumerate(test.targets):
        scores, truths, known = test.of(column)
        threshold = best_threshold(*val.of(column)[:2])
        table = measures(scores, truths, Draws(redrawn.times, redrawn.patient[known]), threshold=threshold)
        tables.append(table)
        judged[name] = _judged(table, truths, threshold=threshold)
    return Judgement(targets=judged, mean=_mean(judged, tables))


def redraw(patients: Sequence[str], *, resamples: int, seed: int) -> Draws:
    """The patients as they are, then as resamples draw them; the same seed and patients give the same draws."""
    times, patient = draws(patients, resamples=resamples, seed=seed)
    return Draws(np.vstack([np.ones(times.shape[1]), times]), patient)


def best_threshold(scores: Floats, truths: Floats) -> float | None:
    """The score from which on calling all present gives the best F1; None where one of the classes is missing."""
    if not 0 < truths.sum() < len(truths):
        return None
    order = np.argsort(-scores, kind="stable")
    places = _ends(scores[order])
    found = truths[order].cumsum()[places]
    f1 = 2 * found / (places + 1 + truths.sum())
    return float(scores[order][places[f1.argmax()]])


def measures(scores: Floats, truths: Floats, redrawn: Draws, *, threshold: float | None) -> Floats:
    """(1 + R, M) the `METRICS` under each row of the draws; nan where a class is missing, or the threshold they need.

    scores, truths: (N,), known truths only. Equal scores are one step of the curve: no order among them counts.
    """
    order = np.argsort(-scores, kind="stable")
    places = _ends(scores[order])
    truth, patient = truths[order], redrawn.patient[order]
    above = None if threshold is None else int((scores[order][places] >= threshold).sum())
    rows = max(1, CHUNK // max(1, len(scores)))
    parts = [np.empty((0, len(METRICS)))]
    for start in range(0, len(redrawn.times), rows):
        weights = redrawn.times[start : start + rows, patient]  # (r, N)
        hits = np.cumsum(weights * truth, axis=1)[:, places]  # (r, G), G different scores
        alarms = np.cumsum(weights * (1 - truth), axis=1)[:, places]
        parts.append(_of_curves(hits, alarms, above=above))
    return np.concatenate(parts)


def _ends(descending: Floats) -> NDArray[np.intp]:
    """(G,) where each run of equal scores ends."""
    return np.flatnonzero(np.append(descending[1:] != descending[:-1], [True] * bool(len(descending))))


def _of_curves(hits: Floats, alarms: Floats, *, above: int | None) -> Floats:
    """(R, M). hits, alarms: (R, G), how many are rightly and wrongly called present, the strictest threshold first."""
    if not hits.shape[1]:
        return np.full((len(hits), len(METRICS)), np.nan)
    present, absent = hits[:, -1:], alarms[:, -1:]  # (R, 1)
    more_hits, more_alarms = np.diff(hits, prepend=0), np.diff(alarms, prepend=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        auc = (more_alarms * (hits - more_hits / 2)).sum(axis=1, keepdims=True) / (present * absent)
        precision = np.nan_to_num(hits / (hits + alarms))
        ap = (more_hits * precision).sum(axis=1, keepdims=True) / present
        curve = 2 * hits / (hits + alarms + present)
        oracle = curve.max(axis=1, keepdims=True)
        f1, macro = _at_threshold(hits, alarms, above=above)
    table = np.hstack([auc, ap, f1, macro, oracle])
    table[((present == 0) | (absent == 0))[:, 0]] = np.nan
    return table


def _at_threshold(hits: Floats, alarms: Floats, *, above: int | None) -> tuple[Floats, Floats]:
    """F1 of the positive class and macro F1, (R, 1) each, if the `above` best of the G different scores are present."""
    present, absent = hits[:, -1:], alarms[:, -1:]
    if above is None:
        return np.full_like(present, np.nan), np.full_like(present, np.nan)
    none = np.zeros_like(present)
    hit, alarm = (hits[:, above - 1 : above], alarms[:, above - 1 : above]) if above else (none, none)
    f1 = 2 * hit / (hit + alarm + present)
    rejected, missed = absent - alarm, present - hit
    return f1, (f1 + 2 * rejected / (rejected + missed + absent)) / 2


def _judged(table: Floats, truths: Floats, *, threshold: float | None) -> Judged:
    positives = int(truths.sum())
    if not len(truths):
        note = "nobody judged it"
    elif positives in (0, len(truths)):
        note = f"all {len(truths)} are {'positive' if positives else 'negative'}: nothing to tell apart"
    else:
        note = "" if threshold is not None else "no threshold: validation has one class only"
    metrics, intervals = summary(table, METRICS)
    prevalence = positives / len(truths) if len(truths) else None
    return Judged(metrics, intervals, len(truths), positives, prevalence, threshold, note)


def _mean(judged: Mapping[str, Judged], tables: Sequence[Floats]) -> Judged:
    """Each metric's mean over the targets that have it; the counts are of all."""
    metrics: dict[str, float | None] = {}
    intervals: dict[str, tuple[float, float]] = {}
    for column, name in enumerate(METRICS):
        defined = [table[:, column] for table in tables if not np.isnan(table[0, column])]
        mean = np.mean(defined, axis=0)[:, None] if defined else np.full((1, 1), np.nan)
        values, ranges = summary(mean, (name,))
        metrics |= values
        intervals |= ranges
    left_out = [name for name, each in judged.items() if None in each.metrics.values()]
    n, positives = sum(each.n for each in judged.values()), sum(each.positives for each in judged.values())
    note = f"means leave out where undefined: {', '.join(left_out)}" if left_out else ""
    return Judged(metrics, intervals, n, positives, positives / n if n else None, None, note)


def summary(table: Floats, names: Sequence[str]) -> tuple[dict[str, float | None], dict[str, tuple[float, float]]]:
    """Values from the first row, (1 + R, M), with the 95 % interval from the others; an undefined value is None."""
    values = {name: None if np.isnan(value) else float(value) for name, value in zip(names, table[0], strict=True)}
    samples = {name: column for name, column in zip(names, table[1:].T, strict=True) if values[name] is not None}
    return values, {name: bounds(each) for name, each in samples.items() if np.isfinite(each).any()}
