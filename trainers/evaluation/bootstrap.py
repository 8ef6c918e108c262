"""Intervals by the bootstrap over articles (Efron and Tibshirani, 1993, chapter 8): panels of one are alike."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEVEL = 0.95


class Interval(NamedTuple):
    """A value, and between which bounds 95 % of its resamples lie."""

    value: float
    low: float
    high: float


def resampled_means(values: ArrayLike, articles: Sequence[str], *, resamples: int, seed: int) -> NDArray[np.float64]:
    """(R, M): the means of each column if as many articles as there are were drawn anew, with all their queries.

    values: (N, M), of N queries in M measures. articles: N ids. The same seed and articles give the same draws, so
    that what two models make of one pool can be compared resample by resample. The pool that is retrieved from stays.
    """
    table = np.asarray(values, dtype=np.float64)
    times, article = draws(articles, resamples=resamples, seed=seed)
    sums = np.zeros((times.shape[1], table.shape[1]))  # (C, M)
    np.add.at(sums, article, table)
    return (times @ sums) / (times @ np.bincount(article))[:, None]


def draws(articles: Sequence[str], *, resamples: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """(R, C), how often each resample has drawn each article, and (N,), the number of each query's article."""
    names, article = np.unique(np.asarray(articles), return_inverse=True)
    rng = np.random.default_rng(seed)
    times = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return times.astype(float), article


def bounds(samples: ArrayLike) -> tuple[float, float]:
    """The percentile interval of resamples."""
    # Bounds are values that occurred: between a ratio and an infinite one lies none.
    ends = np.nanquantile(np.asarray(samples), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], method="nearest")
    return float(ends[0]), float(ends[1])


def difference(
    a: Sequence[float], b: Sequence[float], articles: Sequence[str], *, resamples: int, seed: int
) -> Interval:
    """The mean of a less the mean of b, over the same queries; the difference is none by chance if 0 lies outside."""
    means = resampled_means(np.column_stack([a, b]), articles, resamples=resamples, seed=seed)
    return Interval(float(np.mean(a) - np.mean(b)), *bounds(means[:, 0] - means[:, 1]))


def ratio(a: Sequence[float], b: Sequence[float], articles: Sequence[str], *, resamples: int, seed: int) -> Interval:
    """The mean of a by the mean of b, over the same queries; infinite where b finds nothing."""
    means = resampled_means(np.column_stack([a, b]), articles, resamples=resamples, seed=seed)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.float64(np.mean(a)) / np.mean(b)
        return Interval(float(value), *bounds(means[:, 0] / means[:, 1]))
