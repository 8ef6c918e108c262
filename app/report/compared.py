"""Two or more runs side by side as one page: their models in the same tables and plots, and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.report import findings
from app.report.evaluated import merged, models_of, read_evaluation
from app.report.findings import Finding
from app.report.from_run import curve_of, films_of, funnel
from app.report.page import Report, results
from app.report.pair_list import scores_of, totals_of
from app.report.probes import read_probes
from app.report.provenance import provenance
from app.report.templates import quantity, templates
from core.config import settings_of
from core.places import Place
from core.settings import Config

ABSENT = "–"


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What the page shows."""

    names: Sequence[str]  # of the runs
    findings: Mapping[str, Sequence[Finding]]  # by run
    report: Report  # the models of all, each as RUN/MODEL
    counts: Mapping[str, Sequence[str]]  # stage -> what came out of it, by run
    settings: Mapping[str, Sequence[str]]  # those that differ -> value, by run
    provenance: Mapping[str, Sequence[str]]


def read_compared(runs: Sequence[tuple[Place, Config]]) -> Compared:
    """Runs with their settings into the page. Runs of one name are numbered."""
    names = names_of([run.name for run, _ in runs])
    labelled = [(name, run, config) for name, (run, config) in zip(names, runs, strict=True)]
    models = [(name, run, config, model) for name, run, config in labelled for model in models_of(run)]
    found = [read_evaluation(run, model, config, named=f"{name}/{model}") for name, run, config, model in models]
    evaluated = merged([each for each in found if each])
    probes = [
        replace(probe, model=f"{name}/{probe.model}")
        for name, run, _ in labelled
        for probe in read_probes(run, models_of(run))
    ]
    curves = {f"{name}/{model}": curve for name, run, _, model in models if (curve := curve_of(run, model))}
    report = Report(
        title="figray: " + ", ".join(names),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        run="",
        settings={},
        seconds={},
        funnel=[],
        curves=curves,
        probes=probes,
        retrieval=evaluated.retrieval,
        intervals=evaluated.intervals,
        modalities=evaluated.modalities,
        pools=evaluated.pools,
    )
    of_run = [{stage.name: f"{quantity(stage.kept)} {stage.unit}" for stage in funnel(run)} for run, _ in runs]
    known = [settings_of(config) for _, config in runs]
    origins = [provenance(run, config, models_of(run), found_of(run)) for run, config in runs]
    return Compared(
        names=names,
        findings={name: findings_of(run) for name, run, _ in labelled},
        report=report,
        counts=side_by_side(of_run),
        settings={name: values for name, values in side_by_side(known).items() if len(set(values)) > 1},
        provenance={name: values for name, values in side_by_side(origins).items() if len(set(values)) > 1},
    )


def render_compared(compared: Compared) -> str:
    """The page: self-contained, without a script."""
    page = templates().get_template("compared.html")
    return page.render(
        title=compared.report.title, compared=compared, report=compared.report, **results(compared.report)
    )


def names_of(names: Sequence[str]) -> list[str]:
    """The same names, those that stand twice numbered."""
    return [f"{name} ({place + 1})" if names.count(name) > 1 else name for place, name in enumerate(names)]


def side_by_side(columns: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Name -> the values of all columns as texts; a dash where a column does not have it."""
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: [str(column.get(name, ABSENT)) for column in columns] for name in names}


def findings_of(run: Place) -> list[Finding]:
    """The numbers of a run that stand for themselves."""
    accuracy, scores = run / "accuracy.json", scores_of(run)
    return [
        *findings.of_films(films_of(run)),
        *findings.of_pairs(totals_of(scores) if scores else None),
        *findings.of_accuracy(accuracy.read_json() if accuracy.exists() else {}),
    ]


def found_of(run: Place) -> dict[str, Any]:
    """How the articles of a run were found."""
    file = run / "figures" / "found.json"
    return file.read_json() if file.exists() else {}
