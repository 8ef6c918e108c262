"""Values over seeds, worked by hand."""

import pytest

from app.papers.seeds import lead, summary


def test_a_summary_is_mean_and_range() -> None:
    found = summary([50.0, 25.0, 75.0])
    assert found is not None
    assert (found.mean, found.low, found.high, found.spread) == (50.0, 25.0, 75.0, "25.0–75.0")
    assert summary([]) is None


def test_one_seed_has_no_spread() -> None:
    found = summary([50.0])
    assert found is not None and found.spread == ""


def test_a_lead_is_of_each_seed_against_the_same_seed() -> None:
    found = lead({0: 90.0, 1: 80.0, 2: 70.0}, {0: 85.0, 1: 81.0, 3: 0.0})
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((2.0, -1.0, 5.0))
    assert (found.ahead, found.seeds) == (1, 2)
    assert lead({0: 1.0}, {1: 1.0}) is None
