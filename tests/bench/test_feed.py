"""How a worker is fed, measured."""

import pytest

from bench.feed import SIZES, decode_numbers, meeting_numbers, missed


def test_a_full_image_takes_longer_to_decode_than_its_small_one() -> None:
    told = decode_numbers(20)
    assert told["decode_small_per_core_second"] > told["decode_full_per_core_second"]
    assert told["bytes_small"] < told["bytes_full"]


def test_the_order_of_a_copy_is_by_chance_and_that_of_a_buffer_is_not() -> None:
    told = meeting_numbers(40_000)
    assert told["meetings_40000_before"] > 5
    assert told["meetings_40000_now"] == pytest.approx(1, abs=0.15)


def test_goals_that_are_missed_are_named() -> None:
    told = {f"meetings_{size}_now": 1.0 for size in SIZES} | {"copy_wait_share": 0.2}
    assert missed(told) == ["copy_wait_share is 0.200, and at most 0.05 is wanted"]
