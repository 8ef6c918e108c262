"""Importance of settings: what a metric was made of is found, what was not is not, and too few trials say nothing."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tuning.importance import FEWEST, comparable, exchanges, importance

MakeTrial = Callable[..., dict[str, Any]]


def drawn(make: MakeTrial, trials: int, *, seed: int) -> list[dict[str, Any]]:
    """Trials whose metric follows from the temperature alone, and a little noise."""
    random, rows = np.random.default_rng(seed), []
    for number in range(trials):
        temperature = float(10 ** random.uniform(-2, 0))
        settings = {
            "mlip.mask_ratio": random.uniform(0, 0.85),
            "mlip.temperature": temperature,
            "mlip.integrity": str(random.choice(["exp_softmax", "off"])),
            "objective.queue": [None, 256][random.integers(2)],
        }
        value = -((np.log10(temperature) + 1) ** 2) + random.normal(0, 0.02)
        rows.append(make(str(number), settings, {"m": value}))
    return rows


def test_the_one_setting_that_matters_is_found(made_up_trial: MakeTrial) -> None:
    rows = drawn(made_up_trial, 30, seed=0)
    found = importance(rows, "m", seed=0)
    assert found is not None
    assert found == importance(rows, "m", seed=0)
    first, *others = found.settings
    assert first.setting == "mlip.temperature"
    assert first.low > max(other.high for other in others)
    assert all(other.low <= 0 <= other.high for other in others)
    assert 0.5 < found.explained < 1
    assert (found.trials, found.step) == (30, None)


def test_where_nothing_matters_nothing_is_explained(made_up_trial: MakeTrial) -> None:
    random = np.random.default_rng(1)
    rows = [row | {"metrics": {"m": random.normal()}} for row in drawn(made_up_trial, 16, seed=1)]
    found = importance(rows, "m", seed=0)
    assert found is not None
    assert found.explained < 0


def test_of_too_few_trials_nothing_is_said(made_up_trial: MakeTrial) -> None:
    assert importance(drawn(made_up_trial, FEWEST - 1, seed=0), "m", seed=0) is None
    assert importance([], "m", seed=0) is None


def test_trials_of_one_value_or_one_setting_have_nothing_to_explain(made_up_trial: MakeTrial) -> None:
    rows = drawn(made_up_trial, 10, seed=0)
    same_value = importance([row | {"metrics": {"m": 0.5}} for row in rows], "m", seed=0)
    same_setting = importance([row | {"settings": {"optim.lr": 1.0}} for row in rows], "m", seed=0)
    assert same_value is not None
    assert same_setting is not None
    assert same_value.settings == same_setting.settings == ()


def test_stopped_trials_are_compared_at_the_last_step_that_enough_reached(made_up_trial: MakeTrial) -> None:
    def row(number: int, steps: int, status: str) -> dict[str, Any]:
        curve = [{"step": 10 * step, "m": number + step / 100} for step in range(1, steps + 1)]
        return made_up_trial(str(number), {"optim.lr": number}, {"m": curve[-1]["m"]}, status=status, curve=curve)

    rows = [row(number, 5, "finished") for number in range(3)]
    rows += [row(number, 2, "stopped") for number in range(3, FEWEST)] + [row(9, 1, "failed")]
    trials, found, step = comparable(rows, "m")
    assert step == 20
    assert [trial["trial"] for trial in trials] == [str(number) for number in range(FEWEST)]
    assert found == pytest.approx([number + 0.02 for number in range(FEWEST)])
    assert comparable([row(number, 5, "finished") for number in range(FEWEST)] + rows[3:], "m")[2] is None


def test_exchanges_are_all_that_shuffling_one_setting_could_do() -> None:
    inputs = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]])
    given, exchanged = exchanges(inputs)
    by_hand = [
        (row, tuple(inputs[other, at] if at == setting else inputs[row, at] for at in range(2)))
        for setting in range(2)
        for row in range(3)
        for other in range(3)
        if other != row
    ]
    assert given.tolist() == [0, 1, 2, *(row for row, _ in by_hand)]
    assert [tuple(each) for each in exchanged.tolist()] == [each for _, each in by_hand]
