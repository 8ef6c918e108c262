"""Retrieval by every scheme in every pool as one table, beside what chance would give (MedVL, table 1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scipy.stats import binomtest

METRICS = {  # MedVL, table 1
    "i2t@1": "image to text @1",
    "i2t@10": "image to text @10",
    "t2i@1": "text to image @1",
    "t2i@10": "text to image @10",
}
SCHEMES = {
    "processed": "pairs of panel and subcaption",
    "raw": "whole figures with whole captions",
}
Metrics = Mapping[str, float]  # percent, by the names above


@dataclass(frozen=True, kw_only=True)
class Pool:
    """What is retrieved from: every image asks for its text among all texts, every text for its image."""

    images: int
    texts: int
    chance: Metrics = field(default_factory=dict)  # percent; what is not given assumes one correct answer per query

    def queries(self, metric: str) -> int:
        """How many queries stand behind a metric."""
        return self.images if metric.startswith("i2t") else self.texts

    def expected(self, metric: str) -> float:
        """What guessing would reach, in percent."""
        candidates = self.texts if metric.startswith("i2t") else self.images
        k = int(metric.rpartition("@")[2])
        return self.chance.get(metric, 100 * min(1.0, k / max(candidates, 1)))


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number of the table. Texts are ready to be shown; a value that was not measured is a dash."""

    value: str
    ratio: str = ""  # to chance
    interval: str = ""  # 95 %, in percent
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scheme, its cells in the order of pools and metrics."""

    scheme: str
    meaning: str
    cells: list[Cell]


Results = Mapping[str, Mapping[str, Metrics]]  # scheme -> pool -> metric -> percent


def rows(results: Results, pools: Mapping[str, Pool]) -> list[Row]:
    """A row for each scheme; the best of each column, as far as shown digits tell, is marked where schemes compete."""
    return [
        Row(
            scheme=scheme,
            meaning=SCHEMES.get(scheme, ""),
            cells=[_cell(results, scheme, name, metric=metric, pool=pools[name]) for name, metric in columns(pools)],
        )
        for scheme in results
    ]


def chance_row(pools: Mapping[str, Pool]) -> list[Cell]:
    """What guessing would reach in each column."""
    return [Cell(value=f"{pools[name].expected(metric):.1f}") for name, metric in columns(pools)]


def columns(pools: Mapping[str, Pool]) -> list[tuple[str, str]]:
    """Pool and metric of each column."""
    return [(name, metric) for name in pools for metric in METRICS]


def summary(results: Results, pools: Mapping[str, Pool]) -> str:
    """The result in one sentence: how often the right text comes first in the first pool. "" without results."""
    if not pools:
        return ""
    name, pool = next(iter(pools.items()))
    found = {scheme: value for scheme in results if (value := _value(results, scheme, name, "i2t@1")) is not None}
    ranked = sorted(found, key=lambda scheme: -found[scheme])
    if not ranked:
        return ""
    best, *others = ranked
    against = "".join(f", against {found[scheme]:.1f} % after training on {_named(scheme)}" for scheme in others)
    return (
        f"Pre-training on {_named(best)} finds the right text for {found[best]:.1f} % "
        f"of the {pool.images:,} images of “{name}”"
        f"{against}; guessing would find {pool.expected('i2t@1'):.1f} %."
        f"{_caution([found[scheme] for scheme in ranked[:2]], pool.images)}"
    )


def _caution(values: Sequence[float], queries: int) -> str:
    """A sentence where the two best cannot be told apart."""
    intervals = [interval(value, queries) for value in values]
    if len(intervals) == 2 and intervals[0][0] <= intervals[1][1]:
        return " With this many images the difference may be chance: the 95 % intervals overlap."
    return ""


def interval(value: float, queries: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a recall, in percent, if queries are independent. value: percent."""
    if queries < 1:
        return 0.0, 100.0
    found = min(max(round(value / 100 * queries), 0), queries)
    low, high = binomtest(found, queries).proportion_ci(method="wilson")
    return 100 * low, 100 * high


def _named(scheme: str) -> str:
    return f"{SCHEMES[scheme]} ({scheme})" if scheme in SCHEMES else scheme


def _value(results: Results, scheme: str, pool: str, metric: str) -> float | None:
    return results[scheme].get(pool, {}).get(metric)


def _cell(results: Results, scheme: str, name: str, *, metric: str, pool: Pool) -> Cell:
    value = _value(results, scheme, name, metric)
    if value is None:
        return Cell(value="–")
    rivals = [other for each in results if (other := _value(results, each, name, metric)) is not None]
    low, high = interval(value, pool.queries(metric))
    ratio = value / pool.expected(metric) if pool.expected(metric) else 0.0
    return Cell(
        value=f"{value:.1f}",
        ratio=f"×{ratio:.1f}" if ratio < 10 else f"×{ratio:.0f}",
        interval=f"{low:.0f}–{high:.0f}",
        is_best=len(rivals) > 1 and round(value, 1) >= round(max(rivals), 1),
    )
