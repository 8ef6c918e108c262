"""The score of a pair: its direction in each of its features, and its limits."""

from dataclasses import replace
from typing import Any

import pytest

from pipelines.matching.calibration import Evidence, features, probability

SURE = Evidence(likelihood=1.0, panel=0.8, is_even=True, confidence=0.98, has_tail=False, own_words=8)


def test_a_plain_figure_is_sure_and_every_doubt_lowers_it() -> None:
    assert probability(SURE) > 0.95
    doubts: list[dict[str, Any]] = [
        {"likelihood": 0.7}, {"panel": 0.4}, {"is_even": False}, {"has_tail": True}, {"own_words": 90},
        {"confidence": 0.588},
    ]  # fmt: skip
    for doubt in doubts:
        assert probability(replace(SURE, **doubt)) < probability(SURE)


def test_it_stays_a_probability() -> None:
    worst = Evidence(likelihood=0.0, panel=0.0, is_even=False, confidence=0.0, has_tail=True, own_words=2_000)
    assert 0.0 <= probability(worst) < 0.1
    assert probability(replace(SURE, likelihood=1.0, panel=1.0, own_words=0)) <= 1.0
    assert features(SURE)[0] == pytest.approx(5.0)
