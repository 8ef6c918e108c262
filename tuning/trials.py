"""What the trials of a sweep say: their table, the Pareto front, the best of them, and its settings as a recipe."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import yaml
from scipy.stats import rankdata

from core.config import override, write
from core.settings import Config

# trial: its id · status: finished, stopped (by the scheduler) or failed · starts · step: the last · seconds
# settings: by dotted name · metrics: by name, at the last validation · curve: [{"step": ..., NAME: ...}] · error
Trial = Mapping[str, Any]
ABSENT = object()


def trials_table(rows: Sequence[Trial]) -> pa.Table:
    """One row a trial; a column for each metric and each setting, null where a trial has none."""
    columns = {
        "trial": pa.array([row["trial"] for row in rows], pa.string()),
        "status": pa.array([row["status"] for row in rows], pa.string()),
        "starts": pa.array([row["starts"] for row in rows], pa.int64()),
        "steps": pa.array([row["step"] for row in rows], pa.int64()),
        "seconds": pa.array([row["seconds"] for row in rows], pa.float64()),
    }
    for name in names_of(rows, "metrics"):
        columns[name] = pa.array([row["metrics"].get(name) for row in rows], pa.float64())
    for name in names_of(rows, "settings"):
        columns[name] = _column([row["settings"].get(name, ABSENT) for row in rows])
    return pa.table(columns | {"error": pa.array([row["error"] for row in rows], pa.string())})


def names_of(rows: Sequence[Trial], group: str) -> list[str]:
    """The names of all settings, or of all metrics, as they come."""
    return list(dict.fromkeys(name for row in rows for name in row[group]))


def as_text(value: Any) -> str:
    """A value as `--set` reads it: `null`, `0.07`, `[64, 128]`."""
    return yaml.safe_dump(value, default_flow_style=True, width=math.inf).removesuffix("...\n").strip()


def _column(values: Sequence[Any]) -> pa.Array:
    """Truths, whole numbers, numbers or words as such; values of several kinds as text that `--set` reads."""
    given = [value for value in values if value is not ABSENT]
    kinds: list[tuple[Any, pa.DataType]] = [
        (bool, pa.bool_()),
        (int, pa.int64()),
        (int | float, pa.float64()),
        (str, pa.string()),
    ]
    for kind, stored in kinds:
        if all(isinstance(value, kind) and isinstance(value, bool) == (kind is bool) for value in given):
            return pa.array([None if value is ABSENT else value for value in values], stored)
    return pa.array([None if value is ABSENT else as_text(value) for value in values], pa.string())


def pareto_front(values: Sequence[Sequence[float]]) -> list[int]:
    """Which of n points in m metrics no other beats: none is as good in all and better in one. Higher is better.

    Equal points stay or go together; a point with a NaN is never on the front.
    """
    if not values:
        return []
    points = np.asarray(values, dtype=float)
    whole = ~np.isnan(points).any(axis=1)
    return [at for at, point in enumerate(points) if whole[at] and not _is_beaten(point, points)]


def _is_beaten(point: np.ndarray, points: np.ndarray) -> bool:
    """Whether any of points, (n, m), beats a point, (m,)."""
    return bool(np.any((points >= point).all(axis=1) & (points > point).any(axis=1)))


def ranked(rows: Sequence[Trial], metrics: Sequence[str]) -> list[tuple[Trial, float]]:
    """The finished trials with all metrics, best first, with their mean rank over the metrics, 1 is best.

    Stopped trials have trained for less: their values say nothing beside those of full length.
    """
    whole = [row for row in rows if row["status"] == "finished" and not any(map(math.isnan, values(row, metrics)))]
    if not whole:
        return []
    ranks = rankdata([[-value for value in values(row, metrics)] for row in whole], axis=0).mean(axis=1)
    return sorted(zip(whole, ranks.tolist()), key=lambda each: each[1])


def best_trial(rows: Sequence[Trial], metrics: Sequence[str]) -> Trial | None:
    """The finished trial with the best value; of several metrics, with the best mean rank. None if none finished.

    It is on the Pareto front: whatever beats it would be ranked before it.
    """
    order = ranked(rows, metrics)
    return order[0][0] if order else None


def values(row: Trial, metrics: Sequence[str]) -> list[float]:
    """A trial's last values, NaN where it has none."""
    found = [row["metrics"].get(name) for name in metrics]
    return [math.nan if value is None else float(value) for value in found]


def curve_of(row: Trial, metric: str) -> dict[int, float]:
    """A trial's values by step; of a step that was repeated after a restart, the last."""
    held = {point["step"]: point.get(metric) for point in row["curve"]}
    return {step: value for step, value in held.items() if value is not None and math.isfinite(value)}


def front_of(rows: Sequence[Trial], metrics: Sequence[str]) -> list[Trial]:
    """The finished trials on the Pareto front of the metrics, from the best in the first metric to its worst."""
    finished = [row for row in rows if row["status"] == "finished"]
    front = [finished[at] for at in pareto_front([values(row, metrics) for row in finished])]
    return sorted(front, key=lambda row: values(row, metrics), reverse=True)


def best_recipe(config: Config, settings: Mapping[str, Any]) -> str:
    """The settings that a sweep began with, changed by a trial's: a recipe for `figray train FILE`; or SettingError."""
    return write(override(config, settings))
