"""What several seeds say: a value's mean and range, and by how much one arrangement is ahead of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import mean, stdev

from scipy.stats import binomtest
from scipy.stats import t as student


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A value over seeds."""

    mean: float
    low: float  # of the seeds
    high: float

    @property
    def spread(self) -> str:
        return f"{self.low:.1f}–{self.high:.1f}" if self.low < self.high else ""


@dataclass(frozen=True, kw_only=True)
class Lead:
    """By how much one arrangement is above another, each seed against the same seed."""

    mean: float
    low: float  # of the seeds
    high: float
    ahead: int  # seeds in which it is above
    seeds: int


def summary(values: Sequence[float]) -> Summary | None:
    """Of the values of all seeds; None without any."""
    return Summary(mean=mean(values), low=min(values), high=max(values)) if values else None


def lead(above: Mapping[int, float], below: Mapping[int, float]) -> Lead | None:
    """Of the values by seed; a seed that one of them lacks does not count. None without a common seed."""
    gains = [above[seed] - below[seed] for seed in sorted(above.keys() & below.keys())]
    if not gains:
        return None
    ahead = sum(gain > 0 for gain in gains)
    return Lead(mean=mean(gains), low=min(gains), high=max(gains), ahead=ahead, seeds=len(gains))


@dataclass(frozen=True, kw_only=True)
class Paired:
    """By how much one arrangement is above another over paired seeds, and how sure that is."""

    mean: float
    interval: tuple[float, float] | None  # 95 %, of that mean, by Student's t; None of one seed
    ahead: int
    seeds: int
    sign_test: float  # p, two-sided: how often as many seeds or more agree where neither is ahead
    seen: float | None  # the least difference that so many seeds find in four cases of five, at 5 %


def paired(above: Mapping[int, float], below: Mapping[int, float]) -> Paired | None:
    """Of the values by seed; a seed that one of them lacks does not count. None without a common seed."""
    gains = [above[seed] - below[seed] for seed in sorted(above.keys() & below.keys())]
    if not gains:
        return None
    n, ahead = len(gains), sum(gain > 0 for gain in gains)
    decided = sum(gain != 0 for gain in gains)
    interval = seen = None
    if n > 1:
        error = stdev(gains) / sqrt(n)
        half = float(student.ppf(0.975, n - 1)) * error
        interval = mean(gains) - half, mean(gains) + half
        seen = half + float(student.ppf(0.8, n - 1)) * error
    sign = float(binomtest(ahead, decided).pvalue) if decided else 1.0
    return Paired(mean=mean(gains), interval=interval, ahead=ahead, seeds=n, sign_test=sign, seen=seen)
