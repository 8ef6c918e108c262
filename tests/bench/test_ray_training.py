"""The speed of a training is read from its records."""

import pytest

from bench.ray_training import WARM, speed


def test_the_speed_is_that_after_the_warm_up() -> None:
    records = [
        {"step": 2, "samples_per_s": 1.0}, {"step": WARM, "samples_per_s": 1.0},
        {"step": WARM + 10, "samples_per_s": 10.0}, {"step": WARM + 50, "samples_per_s": 20.0},
    ]  # fmt: skip
    assert speed(records, 4) == pytest.approx(50 * 4 / (10 * 4 / 10 + 40 * 4 / 20))
