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
Metrics = Mapping[str, float]  # percent, by the names above; with `strict_` before them, own pairs alone count


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
    strict: str = ""  # if the query's own pair alone counts
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scheme, its cells in the order of pools and metrics."""

    scheme: str
    meaning: str
    cells: list[Cell]


@dataclass(frozen=True, kw_only=True)
class ModalityRow:
    """One modality in one pool, its cells in the order of schemes and metrics."""

    modality: str
    queries: int  # in each direction
    cells: list[str]


@dataclass(frozen=True, kw_only=True)
class ModalityTable:
    """The recall of a pool's modalities, each asked for among the whole pool."""

    pool: str
    schemes: list[str]
    rows: list[ModalityRow]


Results = Mapping[str, Mapping[str, Metrics]]  # scheme -> pool -> metric -> percent
Intervals = Mapping[str, Mapping[str, Mapping[str, tuple[float, float]]]]  # scheme -> pool -> metric -> percent
Modalities = Mapping[str, Mapping[str, Mapping[str, Metrics]]]  # scheme -> pool -> modality; `queries` is a number


def rows(results: Results, pools: Mapping[str, Pool], intervals: Intervals | None = None) -> list[Row]:
    """A row for each scheme; the best of each column, as far as shown digits tell, is marked where schemes compete."""
    return [
        Row(
            scheme=scheme,
            meaning=SCHEMES.get(scheme, ""),
            cells=[
                _cell(
                    results, scheme, name, metric=metric, pool=pools[name], known=_of(intervals, scheme, name, metric)
                )
                for name, metric in columns(pools)
            ],
        )
        for scheme in results
    ]


def modality_tables(found: Modalities) -> list[ModalityTable]:
    """A table for each pool in which more than one modality has queries enough; the most frequent first."""
    names = list(dict.fromkeys(name for pools in found.values() for name in pools))
    tables = [_modality_table(name, {scheme: pools.get(name, {}) for scheme, pools in found.items()}) for name in names]
    return [table for table in tables if len(table.rows) > 1]


def _modality_table(pool: str, found: Mapping[str, Mapping[str, Metrics]]) -> ModalityTable:
    queries = {name: int(values["queries"]) for each in found.values() for name, values in each.items()}
    return ModalityTable(
        pool=pool,
        schemes=list(found),
        rows=[
            ModalityRow(
                modality=name,
                queries=queries[name],
                cells=[
                    f"{each[name][metric]:.1f}" if metric in each.get(name, {}) else "–"
                    for each in found.values()
                    for metric in METRICS
                ],
            )
            for name in sorted(queries, key=lambda name: (-queries[name], name))
        ],
    )


def chance_row(pools: Mapping[str, Pool]) -> list[Cell]:
    """What guessing would reach in each column."""
    return [Cell(value=f"{pools[name].expected(metric):.1f}") for name, metric in columns(pools)]


def columns(pools: Mapping[str, Pool]) -> list[tuple[str, str]]:
    """Pool and metric of each column."""
    return [(name, metric) for name in pools for metric in METRICS]


def summary(results: Results, pools: Mapping[str, Pool], intervals: Intervals | None = None) -> str:
    """The result in one sentence: how often the right text comes first in the first pool. "" without results."""
    if not pools:
        return ""
    name, pool = next(iter(pools.items()))
    found = {scheme: value for scheme in results if (value := _value(results, scheme, name, "i2t@1")) is not None}
    ranked = sorted(found, key=lambda scheme: -found[scheme])
    if not ranked:
        return ""
    best, *others = ranked
    bounds = [_of(intervals, scheme, name, "i2t@1") or interval(found[scheme], pool.images) for scheme in ranked[:2]]
    against = "".join(f", against {found[scheme]:.1f} % after training on {_named(scheme)}" for scheme in others)
    return (
        f"Pre-training on {_named(best)} finds the right text for {found[best]:.1f} % "
        f"of the {pool.images:,} images of “{name}”"
        f"{against}; guessing would find {pool.expected('i2t@1'):.1f} %."
        f"{_caution(bounds)}"
    )


def _caution(intervals: Sequence[tuple[float, float]]) -> str:
    """A sentence where the two best cannot be told apart."""
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


def _of(intervals: Intervals | None, scheme: str, pool: str, metric: str) -> tuple[float, float] | None:
    """The interval that was measured, if one was."""
    return (intervals or {}).get(scheme, {}).get(pool, {}).get(metric)


def _cell(
    results: Results, scheme: str, name: str, *, metric: str, pool: Pool, known: tuple[float, float] | None
) -> Cell:
    value = _value(results, scheme, name, metric)
    if value is None:
        return Cell(value="–")
    rivals = [other for each in results if (other := _value(results, each, name, metric)) is not None]
    low, high = known or interval(value, pool.queries(metric))
    strict = _value(results, scheme, name, f"strict_{metric}")
    ratio = value / pool.expected(metric) if pool.expected(metric) else 0.0
    return Cell(
        value=f"{value:.1f}",
        ratio=f"×{ratio:.1f}" if ratio < 10 else f"×{ratio:.0f}",
        interval=f"{low:.0f}–{high:.0f}",
        strict="" if strict is None else f"strict {strict:.1f}",
        is_best=len(rivals) > 1 and round(value, 1) >= round(max(rivals), 1),
    )
