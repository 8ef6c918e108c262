"""A power law is found again in its own values."""

import numpy as np
import pytest

from bench.power_law import fit_power_law

SIZES = (100, 200, 400, 800)


def test_a_known_exponent_is_recovered_and_carried_on() -> None:
    law = fit_power_law(SIZES, [0.5 * size**1.7 for size in SIZES])
    assert law.exponent == pytest.approx(1.7) and law.spread == pytest.approx(0, abs=1e-6)
    assert law.at(24_000_000) == pytest.approx(0.5 * 24_000_000**1.7)


def test_the_spread_covers_what_noise_does_to_the_exponent() -> None:
    rng = np.random.default_rng(0)
    laws = [
        fit_power_law(SIZES, [size * noise for size, noise in zip(SIZES, rng.lognormal(0, 0.1, 4))]) for _ in range(400)
    ]
    apart = np.std([law.exponent for law in laws])
    assert apart == pytest.approx(np.sqrt(np.mean([law.spread**2 for law in laws])), rel=0.15)
