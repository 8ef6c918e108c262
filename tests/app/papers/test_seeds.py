"""Values over seeds, worked by hand."""

import pytest

from app.papers.seeds import lead, paired, summary


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


def test_paired_differences_have_students_interval_a_sign_test_and_what_so_many_seeds_see() -> None:
    """Gains 1, 2, 3: mean 2, standard error 0.577; t of two degrees is 4.303 at .975 and 1.061 at .8."""
    found = paired({0: 2.0, 1: 4.0, 2: 6.0, 9: 1.0}, {0: 1.0, 1: 2.0, 2: 3.0})
    assert found and (found.mean, found.ahead, found.seeds) == (2.0, 3, 3)
    assert found.interval == pytest.approx((2 - 4.3027 * 0.57735, 2 + 4.3027 * 0.57735), abs=1e-3)
    assert found.sign_test == pytest.approx(0.25) and found.seen == pytest.approx((4.3027 + 1.0607) * 0.57735, abs=1e-3)
    one = paired({0: 1.0}, {0: 1.0})
    assert one and one.interval is None and one.seen is None and one.sign_test == 1.0
    assert paired({0: 1.0}, {1: 1.0}) is None
