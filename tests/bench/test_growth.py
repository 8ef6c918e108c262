"""What grows is told by step, from calls in processes of their own."""

import time
from functools import partial

import pytest

from bench.growth import Cost, Growth, cost_alone, table


def take(megabytes: int) -> int:
    taken = b"x" * (megabytes * 10**6)
    time.sleep(1)  # longer than it takes to look, ten times a second, at what is held
    return len(taken)


def test_a_call_is_timed_in_a_process_of_its_own() -> None:
    cost = cost_alone(partial(take, 150), needs=())
    assert 0 < cost.seconds < 5 and 100 < cost.megabytes < 200


def test_growth_is_told_by_step_and_in_a_table() -> None:
    growth = Growth("alike copies", (10, 20, 40), [Cost(0.1, 8), Cost(0.4, 8), Cost(1.6, 8)])
    told = growth.numbers()
    assert told["alike_copies_seconds_20"] == 0.4 and told["alike_copies_seconds_exponent"] == pytest.approx(2)
    assert told["alike_copies_mb_exponent"] == pytest.approx(0, abs=1e-9)
    assert told["alike_copies_seconds_of_corpus"] == pytest.approx(0.001 * 24e6**2)
    head, line, row = table([growth]).splitlines()
    assert head.count("|") == line.count("|") == row.count("|") and "2.00 ± 0.00" in row


def test_what_is_only_noise_is_not_carried_on() -> None:
    growth = Growth("pair", (10, 20, 40), [Cost(-0.2, 0.0), Cost(3.0, 0.1), Cost(0.001, 0.2)])
    told = growth.numbers()
    assert "pair_seconds_of_corpus" not in told and told["pair_mb_exponent"] == pytest.approx(0, abs=1e-9)
    assert "unknown" in table([growth])
