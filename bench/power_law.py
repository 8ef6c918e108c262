"""How a cost grows with a size: a power law, fitted to logarithms."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import linregress


@dataclass(frozen=True)
class PowerLaw:
    """cost = scale * size ** exponent."""

    scale: float
    exponent: float
    spread: float  # standard error of the exponent

    def at(self, size: float) -> float:
        """The cost of a size; far outside the sizes that were measured it is a guess."""
        return float(self.scale * size**self.exponent)


def fit_power_law(sizes: Sequence[float], costs: Sequence[float]) -> PowerLaw:
    """The power law nearest to the costs, by least squares of their logarithms; all have to be above 0."""
    found = linregress(np.log(sizes), np.log(costs))
    return PowerLaw(scale=float(np.exp(found.intercept)), exponent=float(found.slope), spread=float(found.stderr))
