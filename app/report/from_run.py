"""A run folder read into what the page shows: funnel, models, probes, examples, pairs, where it all comes from."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, get_args

from app.report.contact_sheet import MatchedFigure
from app.report.evaluated import merged, models_of, read_evaluation
from app.report.examples import read_examples
from app.report.findings import Films
from app.report.page import Report, Stage
from app.report.pair_list import read_pair_list
from app.report.probes import read_probes
from app.report.provenance import commands, files_of, provenance
from core.config import settings_of
from core.places import Place
from core.records import Figure, Pair, Radiograph, SeparatedFigure, Split, from_table
from core.runs import Table
from core.settings import Config, ModelSettings
from pipelines.matching.match import match_figure
from trainers.trackers import WATCHED
from trainers.wheels import begun_with

SHOWN_FIGURES = 12
DRAWN = "The corpus is drawn: these numbers show that the line works and what it changes, and say nothing of patients."


def read_report(run: Place, config: Config) -> Report:
    """Everything that the run has made so far; what it has not is empty."""
    models = models_of(run)
    evaluations = [found for model in models if (found := read_evaluation(run, model, config))]
    evaluated = merged(evaluations)
    accuracy, films = _json(run / "accuracy.json"), films_of(run)
    drawn = bool(accuracy) or (films is not None and films.datasets == ("phantom",))
    return Report(
        title=f"figray: {run.name}",
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        run=run.name,
        settings=changed_settings(config),
        seconds=_json(run / "seconds.json"),
        funnel=funnel(run),
        matched_by=matched_by(run),
        accuracy=accuracy,
        notes=[note for note in (DRAWN if drawn else "", begun_as(config.model)) if note],
        films=films,
        figures=shown_figures(run, config, most=SHOWN_FIGURES),
        curves={model: curve for model in models if (curve := curve_of(run, model))},
        retrieval=evaluated.retrieval,
        intervals=evaluated.intervals,
        modalities=evaluated.modalities,
        pools=evaluated.pools,
        examples=[
            example
            for each in evaluations
            if "pairs" in each.pools
            for example in read_examples(run, each.model, each.file, each.pools["pairs"])
        ],
        probes=read_probes(run, models),
        pairs=read_pair_list(run),
        provenance=provenance(run, config, models, _json(run / "figures" / "found.json")),
        commands=commands(run, config, models, drawn=bool(accuracy)),
        files=files_of(run, models),
    )


def begun_as(model: ModelSettings) -> str:
    """Which encoders of others the models of a run begin with, in a sentence; "" where none is."""
    return begun_with(model).replace("`", "").replace("Began", "The models began", 1)


def curve_of(run: Place, model: str) -> list[dict[str, float]]:
    """What a training has logged, a record for each reading of its losses and each checkpoint that was looked at."""
    file = run / "models" / model / "metrics.jsonl"
    logged = [json.loads(line) for line in file.read_bytes().splitlines()] if file.exists() else []
    looks = run / "models" / model / WATCHED
    found = [(looks / name).read_json() for name in looks.names()]
    return sorted([*logged, *found], key=lambda record: record["step"])


def films_of(run: Place) -> Films | None:
    """The radiographs of a run by split, and the findings in them; None where it has none."""
    table = Table(run / "radiographs", Radiograph)
    if not table.parts():
        return None
    splits, present, judged = dict[str, tuple[int, int]](), Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    datasets: set[str] = set()
    for split in get_args(Split):
        rows = table.read(f"split={split}", columns=["patient_id", "dataset", "targets"]).to_pylist()
        splits[split] = len(rows), len({row["patient_id"] for row in rows})
        datasets |= {row["dataset"] for row in rows}
        for row in rows:
            judged.update((each["name"], split) for each in row["targets"])
            present.update((each["name"], split) for each in row["targets"] if each["present"])
    findings = {
        name: {split: (present[name, split], judged[name, split]) for split in splits}
        for name in sorted({name for name, _ in judged})
    }
    return Films(datasets=tuple(sorted(datasets)), splits=splits, findings=findings, left_out=table.left_out)


def changed_settings(config: Config) -> dict[str, Any]:
    """The settings that differ from the defaults."""
    defaults = settings_of(Config())
    return {name: value for name, value in settings_of(config).items() if value != defaults[name]}


def funnel(run: Place) -> list[Stage]:
    """From the articles found to the pairs, with what every station left out and why; of films, or a user's own
    pairs, from these."""
    if not (run / "figures").exists():
        return _short_funnel(run)
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


def _short_funnel(run: Place) -> list[Stage]:
    """What a run has that begins with films, or with a table of pairs."""
    films, pairs = Table(run / "radiographs", Radiograph), Table(run / "pairs", Pair)
    stages = [Stage(name="films", kept=films.rows, unit="films", left_out=films.left_out)] if films.parts() else []
    name = "films with a report" if stages else "pairs"
    stages += [Stage(name=name, kept=pairs.rows, unit="pairs", left_out=pairs.left_out)] if pairs.parts() else []
    return stages


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
    rows = table.select("figure_id", chosen) if chosen else table.read()
    figures = sorted(from_table(rows, SeparatedFigure), key=lambda figure: figure.figure_id)
    return [
        MatchedFigure(
            figure=figure, matches=match_figure(figure, rule=config.match.rule, min_score=config.match.doubted)
        )
        for figure in figures
    ]


def _counts(table: Table) -> Counter[str]:
    return sum((Counter(part.counts) for part in table.parts()), Counter())


def _spread(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most so many, evenly from beginning to end."""
    step = max(1.0, len(rows) / max(1, most))
    return [rows[int(place * step)] for place in range(min(most, len(rows)))]


def _json(file: Place) -> dict[str, Any]:
    return file.read_json() if file.exists() else {}
