"""What several seeds say: a value's mean and range, and by how much one arrangement is ahead of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean


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
