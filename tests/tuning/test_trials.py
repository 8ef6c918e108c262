"""Rows of trials: their table, the Pareto front against every pair compared, the best trial, its recipe."""

import io
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from core.config import SettingError, load, override
from tuning.trials import best_recipe, best_trial, curve_of, front_of, pareto_front, ranked, trials_table

MakeTrial = Callable[..., dict[str, Any]]
METRICS = ("mean_recall", "zero_shot_auc")


def beats(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return all(a >= b for a, b in zip(one, other)) and any(a > b for a, b in zip(one, other))


@pytest.mark.parametrize("metrics", [1, 2, 3])
def test_the_front_is_what_nothing_beats_when_every_two_points_are_compared(metrics: int) -> None:
    random = np.random.default_rng(metrics)
    for _ in range(50):
        drawn = random.integers(0, 5, size=(random.integers(1, 12), metrics)) / 4  # few values: many ties
        points = [tuple(point) for point in drawn.tolist()]
        unbeaten = [at for at, point in enumerate(points) if not any(beats(other, point) for other in points)]
        assert pareto_front(points) == unbeaten


def test_equal_points_share_the_front_and_a_point_without_a_value_is_not_on_it() -> None:
    assert pareto_front([(0.5, 0.5), (0.5, 0.5), (0.4, 0.5), (math.nan, 1.0)]) == [0, 1]
    assert pareto_front([(math.nan,)]) == []
    assert pareto_front([]) == []


def test_the_best_trial_is_sought_among_those_of_full_length(made_up_trial: MakeTrial) -> None:
    rows = [
        made_up_trial("stopped", {}, {"mean_recall": 0.9}, status="stopped"),
        made_up_trial("failed", {}, {"mean_recall": 0.8}, status="failed"),
        made_up_trial("worse", {}, {"mean_recall": 0.2}),
        made_up_trial("better", {}, {"mean_recall": 0.3}),
        made_up_trial("unknown", {}, {"mean_recall": math.nan}),
    ]
    assert best_trial(rows, ["mean_recall"]) is rows[3]
    assert best_trial(rows[:2], ["mean_recall"]) is None
    assert best_trial([], ["mean_recall"]) is None


def test_of_two_metrics_the_best_mean_rank_wins_and_lies_on_the_front(made_up_trial: MakeTrial) -> None:
    points = {"a": (0.1, 0.9), "b": (0.4, 0.8), "c": (0.3, 0.7), "d": (0.5, 0.1)}
    rows = [made_up_trial(name, {}, dict(zip(METRICS, point))) for name, point in points.items()]
    ranks = {row["trial"]: rank for row, rank in ranked(rows, METRICS)}
    assert ranks == {"a": 2.5, "b": 2.0, "c": 3.0, "d": 2.5}  # by hand: (4 + 1)/2, (2 + 2)/2, (3 + 3)/2, (1 + 4)/2
    assert best_trial(rows, METRICS) is rows[1]
    assert [row["trial"] for row in front_of(rows, METRICS)] == ["d", "b", "a"]
    random = np.random.default_rng(0)
    for _ in range(50):
        drawn = random.integers(0, 6, size=(8, 2)).tolist()
        rows = [made_up_trial(str(at), {}, dict(zip(METRICS, point))) for at, point in enumerate(drawn)]
        best = best_trial(rows, METRICS)
        assert any(best is row for row in front_of(rows, METRICS))


def test_the_table_keeps_every_trial_and_what_each_setting_is(made_up_trial: MakeTrial) -> None:
    rows = [
        made_up_trial("one", {"optim.lr": 1e-4, "objective.queue": 256, "mlip.integrity": "off"}, {"mean_recall": 0.5}),
        made_up_trial("two", {"optim.lr": 1, "objective.queue": None, "mlip.learn_temperature": True}, {}),
        made_up_trial(
            "three",
            {"optim.warmup_steps": 20, "probe.shares": [0.1, 0.2]},
            {"mean_recall": math.nan},
            status="failed",
            starts=3,
            error="out of memory",
        ),
    ]
    file = io.BytesIO()
    pq.write_table(trials_table(rows), file)
    found = pq.read_table(file)
    types = {field.name: str(field.type) for field in found.schema}
    assert types["optim.lr"] == "double"
    assert types["optim.warmup_steps"] == "int64"
    assert types["mlip.learn_temperature"] == "bool"
    assert found["trial"].to_pylist() == ["one", "two", "three"]
    assert found["optim.lr"].to_pylist() == [1e-4, 1.0, None]
    assert found["mlip.integrity"].to_pylist() == ["off", None, None]
    assert found["mlip.learn_temperature"].to_pylist() == [None, True, None]
    assert found["mean_recall"].to_pylist()[:2] == [0.5, None]
    assert math.isnan(found["mean_recall"].to_pylist()[2])
    assert [found[name].to_pylist()[2] for name in ("status", "starts", "error")] == ["failed", 3, "out of memory"]
    # Values of several kinds are texts that `--set` reads back.
    assert [yaml.safe_load(text) for text in found["objective.queue"].to_pylist()[:2]] == [256, None]
    assert found["objective.queue"].to_pylist()[2] is None
    assert yaml.safe_load(found["probe.shares"].to_pylist()[2]) == [0.1, 0.2]


def test_a_sweep_without_trials_has_an_empty_table() -> None:
    assert trials_table([]).num_rows == 0


def test_a_step_repeated_after_a_restart_counts_once(made_up_trial: MakeTrial) -> None:
    curve = [{"step": 1, "m": 0.1}, {"step": 2, "m": 0.2}, {"step": 2, "m": 0.3}, {"step": 3, "m": math.nan}]
    assert curve_of(made_up_trial("one", {}, {}, curve=curve), "m") == {1: 0.1, 2: 0.3}


def test_the_best_recipe_loads_again_with_the_trials_settings(tmp_path: Path) -> None:
    config, file = load("mlip-phantom"), tmp_path / "best.yaml"
    settings = {"mlip.mask_ratio": 1 / 3, "mlip.temperature": 1e-3, "mlip.integrity": "off", "objective.queue": None}
    file.write_text(best_recipe(config, settings), encoding="utf-8")
    assert load(str(file)) == override(config, settings)


def test_a_setting_that_does_not_exist_makes_no_recipe() -> None:
    with pytest.raises(SettingError, match="mask_ratio"):
        best_recipe(load("mlip-phantom"), {"mlip.mask_rate": 0.5})
