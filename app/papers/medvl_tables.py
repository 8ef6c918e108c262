"""MedVL's tables beside the paper's numbers, and sentences that say what of them reappears."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any

from app.papers.medvl_models import PERCENTS, SCHEMES, STAGES, Ratio, Result, chosen, ratio, summary
from app.papers.medvl_published import FIGURE_3_LOGS, METRICS, TABLE_1
from app.papers.reproduced import Cell, Row, Table
from app.report.retrieval_table import METRICS as RETRIEVAL

SPLITS = ("val", "test")
LOSSES = {"all": "ITC + ITM + text", "no ITM": "without ITM", "no text": "without the text loss"}
Gains = Mapping[str, Sequence[Mapping[str, Any]]]  # image gains of the seeds, by what was left out
COLUMNS = [(split, metric) for split in SPLITS for metric in METRICS]  # of MedVL, Table 1


def table1(results: Sequence[Result], pool: str) -> Table:
    """MedVL's Table 1 for one pool: raw and processed, the paper's numbers beneath, and how many times better."""
    every = chosen(results, pool=pool)
    here = chosen(every, budget="epochs")
    sizes = [f"{each[0].size:,} pairs in {split}" for split in SPLITS if (each := chosen(here, split=split))]
    rows = []
    for stage in STAGES:
        ours = chosen(here, stage=stage)
        for scheme in SCHEMES:
            rows.append(Row(head=f"{stage}, {scheme}", cells=[_cell(ours, scheme, *column) for column in COLUMNS]))
            theirs = [Cell(value=f"{TABLE_1[scheme, stage, split][metric]:.1f}") for split, metric in COLUMNS]
            rows.append(Row(head="MedVL", cells=theirs, is_quiet=True))
        rows.append(Row(head="processed / raw", cells=[_ratio_cell(ours, *column) for column in COLUMNS]))
        theirs = [Cell(value=f"×{published_ratio(stage, *column):.2f}") for column in COLUMNS]
        rows.append(Row(head="MedVL", cells=theirs, is_quiet=True))
        if longer := at_equal_steps(every, stage):
            rows.append(Row(head=f"{stage}, raw, as many steps", cells=[_cell(longer, "raw", *c) for c in COLUMNS]))
            rows.append(Row(head="processed / that", cells=[_ratio_cell(longer, *column) for column in COLUMNS]))
    return Table(
        title=f"Among {pool}",
        caption="Recall in percent after re-ranking, mean over seeds; beneath it the seeds from lowest to highest. "
        "Beneath a ratio its 95 % interval over the pool's articles. " + " and ".join(sizes) + ".",
        groups={split: list(METRICS) for split in SPLITS},
        rows=rows,
        foot=Row(head="chance", cells=[_chance(here, *column) for column in COLUMNS]),
    )


def at_equal_steps(results: Sequence[Result], stage: str) -> list[Result]:
    """Of a stage, raw for as many steps as processed, and processed; nothing where that was not trained."""
    raw = chosen(results, stage=stage, scheme="raw", budget="steps")
    return [*raw, *chosen(results, stage=stage, scheme="processed")] if raw else []


def figure3(results: Sequence[Result], pool: str) -> Table:
    """The points of MedVL's Figure 3 for one pool, beneath those that its code's logs tell of."""
    here, rows = chosen(results, pool=pool), []
    for metric in METRICS:
        for scheme in SCHEMES:
            ours = chosen(here, scheme=scheme)
            cells = [_number(chosen(ours, percent=percent), metric) for percent in PERCENTS]
            rows.append(Row(head=f"{metric}, {scheme}", cells=cells))
            logged = FIGURE_3_LOGS.get((scheme, pool, metric))
            if logged:
                cells = [Cell(value=f"{logged[percent]:.1f}" if percent in logged else "–") for percent in PERCENTS]
                rows.append(Row(head="MedVL's logs", cells=cells, is_quiet=True))
    return Table(
        title=f"Among {pool}",
        caption="Recall in percent, mean over seeds; beneath it the seeds from lowest to highest. The plot of MedVL "
        "has no numbers; its code's logs have some, among 4,942 pairs.",
        groups={"of the training articles": [f"{percent} %" for percent in PERCENTS]},
        rows=rows,
    )


def ablation(results: Sequence[Result], gains: Gains, pool: str) -> Table:
    """What each loss is for: recall without and with re-ranking, and what the image tells of hidden words."""
    rows = []
    for without, name in LOSSES.items():
        ours = chosen(results, pool=pool, without=without)
        cells = [_number(ours, metric) for metric in ("itc_i2t@1", "i2t@1", "itc_t2i@1", "t2i@1")]
        cells += [_spread(reranked(ours, direction), ".1f") for direction in ("i2t@1", "t2i@1")]
        cells.append(_spread([each["value"] for each in gains[without]], ".3f"))
        rows.append(Row(head=name, cells=cells))
    return Table(
        title=f"Among {pool}",
        caption="Recall in percent and re-rank gain in points, mean over seeds; beneath it the seeds from lowest to "
        "highest. Image gain, of held-out pairs: nats by which a hidden word piece is harder to tell with the image of "
        "another article.",
        groups={
            "image to text @1": ["ITC", "re-ranked"],
            "text to image @1": ["ITC", "re-ranked"],
            "re-rank gain": ["i2t@1", "t2i@1"],
            "words": ["image gain"],
        },
        rows=rows,
    )


def reranked(results: Sequence[Result], direction: str) -> list[float]:
    """Points that re-ranking by ITM adds to ITC, by seed."""
    return [each.metrics[direction] - each.metrics[f"itc_{direction}"] for each in results]


def said_of_table1(results: Sequence[Result], pools: Sequence[str]) -> list[str]:
    """What of the paper's Table 1 reappears on the test split: a sentence for each pool and stage, then PT+FT."""
    of_test = chosen(results, split="test")
    as_printed = chosen(of_test, budget="epochs")
    said = [_order(chosen(as_printed, pool=pool, stage=stage), pool, stage) for pool in pools for stage in STAGES]
    for pool in pools:
        for stage in STAGES:
            if longer := at_equal_steps(chosen(of_test, pool=pool), stage):
                said.append(_order(longer, pool, f"{stage}, raw for as many steps as processed"))
    return said + [_tuned(chosen(as_printed, pool=pool), pool) for pool in pools]


def said_of_figure3(results: Sequence[Result], pools: Sequence[str]) -> list[str]:
    """Whether processed data gain more from more articles than raw data, as MedVL's Figure 3 has it."""
    return [_rises(chosen(results, pool=pool), pool, metric) for pool in pools for metric in ("i2t@1", "t2i@1")]


def _rises(results: Sequence[Result], pool: str, metric: str) -> str:
    points = {
        scheme: [summary(chosen(results, scheme=scheme, percent=percent), metric) for percent in PERCENTS]
        for scheme in SCHEMES
    }
    means = {scheme: [each.mean for each in line if each] for scheme, line in points.items()}
    rise = {scheme: line[-1] - line[0] for scheme, line in means.items()}
    told = " and of ".join(f"{scheme} from {line[0]:.1f} to {line[-1]:.1f}\u00a0%" for scheme, line in means.items())
    steeper = "reappears" if rise["processed"] > rise["raw"] else "does not reappear"
    return (
        f"Among {pool}, going from {PERCENTS[0]} to {PERCENTS[-1]} % of the articles takes {RETRIEVAL[metric]} of "
        f"{told}. MedVL's steeper curve of processed data {steeper}."
    )


def said_of_ablation(results: Sequence[Result], gains: Gains) -> list[str]:
    """Whether the losses serve what they are there for. results: of one pool."""
    added = {without: mean(reranked(chosen(results, without=without), "i2t@1")) for without in LOSSES}
    told = {without: mean([each["value"] for each in gains[without]]) for without in LOSSES}
    return [
        f"With ITM, re-ranking moves image to text @1 by {added['all']:+.1f} points; without, there is nothing to "
        "re-rank by.",
        f"With the text loss, a hidden word piece costs {told['all']:.3f} nats more beside another article's image; "
        f"without, {told['no text']:.3f}; without ITM, {told['no ITM']:.3f}.",
    ]


def verdict(found: Ratio | None) -> str:
    """Whether processed is ahead of raw, as in the paper, by an interval of their ratio."""
    if found is None or found.low <= 1 <= found.high:
        return "is open"
    return "reappears" if found.low > 1 else "is reversed"


def published_ratio(stage: str, split: str, metric: str) -> float:
    """Processed by raw in MedVL, Table 1; stage: PT or PT+FT, and what else is said of it."""
    stage = stage.partition(",")[0]
    return TABLE_1["processed", stage, split][metric] / TABLE_1["raw", stage, split][metric]


def _order(results: Sequence[Result], pool: str, stage: str) -> str:
    ratios = {
        metric: ratio(chosen(results, scheme="processed"), chosen(results, scheme="raw"), metric) for metric in METRICS
    }
    told = [
        f"{found.value:.2f} times as many at {metric} (95 %: {found.low:.2f} to {found.high:.2f}; "
        f"MedVL {published_ratio(stage, 'test', metric):.2f})"
        for metric, found in ratios.items()
        if found and metric.endswith("@1")
    ]
    counts = Counter(verdict(found) for found in ratios.values())
    verdicts = ", ".join(f"{what} in {count} of {len(ratios)} columns" for what, count in counts.most_common())
    found = f"finds {' and '.join(told)} against raw" if told else "cannot be set against raw"
    return f"Among {pool}, {stage}: processed {found}; the paper's order {verdicts}."


def _tuned(results: Sequence[Result], pool: str) -> str:
    said = []
    for scheme in SCHEMES:
        ours = [summary(chosen(results, scheme=scheme, stage=stage), "i2t@1") for stage in STAGES]
        theirs = [TABLE_1[scheme, stage, "test"]["i2t@1"] for stage in STAGES]
        if all(ours):
            before, after = (each.mean for each in ours if each)
            said.append(f"{scheme} from {before:.1f} to {after:.1f}\u00a0% (MedVL {theirs[0]:.1f} to {theirs[1]:.1f})")
    return f"Among {pool}, fine-tuning takes image to text @1 of " + ", of ".join(said) + "."


def _cell(results: Sequence[Result], scheme: str, split: str, metric: str) -> Cell:
    here = chosen(results, split=split)
    own, *others = (summary(chosen(here, scheme=each), metric) for each in sorted(SCHEMES, key=lambda s: s != scheme))
    if own is None:
        return Cell(value="–")
    is_best = all(own.mean > other.mean for other in others if other)
    return Cell(value=f"{own.mean:.1f}", beneath=[own.spread], is_best=is_best)


def _ratio_cell(results: Sequence[Result], split: str, metric: str) -> Cell:
    here = chosen(results, split=split)
    found = ratio(chosen(here, scheme="processed"), chosen(here, scheme="raw"), metric)
    return (
        Cell(value=f"×{found.value:.2f}", beneath=[f"{found.low:.2f}–{found.high:.2f}"]) if found else Cell(value="–")
    )


def _chance(results: Sequence[Result], split: str, metric: str) -> Cell:
    here = chosen(results, split=split)
    return Cell(value=f"{here[0].chance[metric]:.1f}" if here else "–")


def _number(results: Sequence[Result], metric: str) -> Cell:
    found = summary(results, metric)
    return Cell(value=f"{found.mean:.1f}", beneath=[found.spread]) if found else Cell(value="–")


def _spread(values: Sequence[float], form: str) -> Cell:
    """The mean of signed values over their range."""
    if not values:
        return Cell(value="–")
    return Cell(value=f"{mean(values):+{form}}", beneath=[f"{min(values):+{form}} to {max(values):+{form}}"])
