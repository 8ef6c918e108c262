"""A run folder read into what the page shows: funnel, figures, curves, retrieval, examples."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.report.contact_sheet import MatchedFigure
from app.report.page import Example, Report, Result, Stage
from app.report.retrieval_table import Pool
from core.config import settings_of
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure, from_row, from_table
from core.runs import Table
from core.settings import Config
from pipelines.matching.match import match_figure

SHOWN_FIGURES = 24
DRAWN = "The corpus is drawn: these numbers show that the line works and what it changes, and say nothing of patients."


def read_report(run: Place, config: Config, *, schemes: Sequence[str]) -> Report:
    """Everything that the run has made so far; what it has not is empty."""
    found = {scheme: pools for scheme in schemes if (pools := _json(retrieval_file(run, scheme, config)))}
    return Report(
        title=f"figray: {run.name}",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        recipe=run.name,
        settings=changed_settings(config),
        seconds=_json(run / "seconds.json"),
        funnel=funnel(run),
        matched_by=matched_by(run),
        accuracy=(accuracy := _json(run / "accuracy.json")),
        notes=[DRAWN] if accuracy else [],  # only a drawn corpus has a truth to be accurate against
        figures=shown_figures(run, config, most=SHOWN_FIGURES),
        curves={scheme: curve for scheme in schemes if (curve := _lines(run / "models" / scheme / "metrics.jsonl"))},
        retrieval={
            scheme: {pool: percent(result["metrics"]) for pool, result in pools.items()}
            for scheme, pools in found.items()
        },
        intervals={
            scheme: {pool: _percent_bounds(result.get("intervals", {})) for pool, result in pools.items()}
            for scheme, pools in found.items()
        },
        modalities={
            scheme: {pool: _percent_by_modality(result.get("by_modality", {})) for pool, result in pools.items()}
            for scheme, pools in found.items()
        },
        pools={
            pool: Pool(images=result["pool"], texts=result["pool"], chance=percent(result["chance"]))
            for pools in found.values()
            for pool, result in pools.items()
        },
        examples=[example for scheme, pools in found.items() for example in _examples(run, scheme, pools["pairs"])],
    )


def retrieval_file(run: Place, scheme: str, config: Config) -> Place:
    """Where the retrieval of a scheme's model lies: another split, pool or depth of re-ranking is another file."""
    settings = config.evaluate
    usual = settings.pool == type(settings)().pool
    pool = "" if usual else f"-pool{settings.pool}" if settings.pool else "-all"
    return run / "models" / scheme / f"retrieval-{settings.split}-rerank{settings.rerank}{pool}.json"


def changed_settings(config: Config) -> dict[str, Any]:
    """The settings that differ from the defaults."""
    defaults = settings_of(Config())
    return {name: value for name, value in settings_of(config).items() if value != defaults[name]}


def funnel(run: Place) -> list[Stage]:
    """From the articles found to the pairs of each split, with what every station left out and why."""
    figures, separated, pairs = (
        Table(run / name, record)
        for name, record in (("figures", Figure), ("separated", SeparatedFigure), ("pairs", Pair))
    )
    articles, separation = _counts(figures), _counts(separated)
    whole, single = Counter[str](), Counter[str]()
    for part in figures.parts():
        for reject in figures.rejects_in(part).select(["item_id", "article_id", "code"]).to_pylist():
            (whole if reject["item_id"] == reject["article_id"] else single)[reject["code"]] += 1
    emptied = articles["articles"] - articles["articles_kept"] - whole.total()
    left_out = dict(whole.most_common()) | ({"no_figure_kept": emptied} if emptied else {})
    return [
        Stage(name="articles found", kept=articles["articles"], unit="articles"),
        Stage(name="articles with a figure kept", kept=articles["articles_kept"], unit="articles", left_out=left_out),
        Stage(name="figures kept", kept=figures.rows, unit="figures", left_out=dict(single.most_common())),
        Stage(name="figures separated", kept=separated.rows, unit="figures", left_out=separated.left_out),
        Stage(name="panels", kept=separation["subfigures"], unit="panels"),
        Stage(name="pairs", kept=pairs.rows, unit="pairs", left_out=pairs.left_out),
    ]


def matched_by(run: Place) -> dict[str, int]:
    """How many pairs were matched in each way."""
    counts = _counts(Table(run / "pairs", Pair)).most_common()
    return {name.removeprefix("matched_by_"): count for name, count in counts if name.startswith("matched_by_")}


def shown_figures(run: Place, config: Config, *, most: int) -> list[MatchedFigure]:
    """Up to `most` figures with what their panels were matched to: compound ones first, spread over the whole table."""
    table = Table(run / "separated", SeparatedFigure)
    index = table.read(columns=["figure_id", "subfigures"]).to_pylist()
    by_panels = sorted(index, key=lambda row: (len(row["subfigures"]) < 2, row["figure_id"]))
    compound = sum(len(row["subfigures"]) > 1 for row in index)
    chosen = {row["figure_id"] for row in _spread(by_panels[:compound], most * 3 // 4)}
    chosen |= {row["figure_id"] for row in _spread(by_panels[compound:], most - len(chosen))}
    rows = table.select("figure_id", chosen)
    figures = sorted(from_table(rows, SeparatedFigure), key=lambda figure: figure.figure_id)
    return [
        MatchedFigure(
            figure=figure, matches=match_figure(figure, rule=config.match.rule, min_score=config.match.doubted)
        )
        for figure in figures
    ]


def percent(metrics: Mapping[str, float]) -> dict[str, float]:
    """Shares of 1 in percent."""
    return {name: 100 * value for name, value in metrics.items()}


def _percent_bounds(intervals: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, float]]:
    return {name: (100 * low, 100 * high) for name, (low, high) in intervals.items()}


def _percent_by_modality(found: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Recalls in percent; the number of queries stays one."""
    return {name: percent(values) | {"queries": values["queries"]} for name, values in found.items()}


def _examples(run: Place, scheme: str, result: Mapping[str, Any]) -> list[Example]:
    """The stored queries with their images and texts."""
    wanted = {example["query"] for example in result["examples"]}
    wanted |= {pair_id for example in result["examples"] for pair_id, _ in example["found"]}
    rows = Table(run / "pairs", Pair).select("pair_id", wanted)
    pairs = {row["pair_id"]: from_row(row, Pair) for row in rows.to_pylist()}
    return [_example(scheme, example, pairs) for example in result["examples"]]


def _example(scheme: str, example: Mapping[str, Any], pairs: Mapping[str, Pair]) -> Example:
    query = pairs[example["query"]]
    asks_text = example["direction"] == "i2t"
    results = [
        Result(
            item=pairs[pair_id].text if asks_text else pairs[pair_id].image,
            score=score,
            is_correct=pairs[pair_id].text == query.text,
        )
        for pair_id, score in example["found"]
    ]
    return Example(query=query.image if asks_text else query.text, truth=query.text, results=results, scheme=scheme)


def _counts(table: Table) -> Counter[str]:
    return sum((Counter(part.counts) for part in table.parts()), Counter())


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most so many, evenly from beginning to end."""
    step = max(1.0, len(rows) / max(1, most))
    return [rows[int(place * step)] for place in range(min(most, len(rows)))]


def _json(file: Place) -> dict[str, Any]:
    return file.read_json() if file.exists() else {}


def _lines(file: Place) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
