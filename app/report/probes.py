"""What models of a run find in radiographs: a table of the probes, and curves (ROC, precision over recall) of findings.

In: `probe-TASK-RUN-DIGEST.json` and `.csv` beside each model, as app/probe.py leaves them.
"""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

from app.report.curves import SIZE, STYLE, TEXT_COLOUR, LegendEntry, as_svg
from core.places import Place

WORDS = {
    "zero-shot": "classification by prompts, mean AUC",
    "few-shot": "linear heads on few patients, mean AUC",
    "segmentation": "segmentation from few masks, Dice",
    "pointing": "pointing at the finding, hits",
    "pointing-apart": "pointing, map less that of its absence, hits",
    "pointing-seen": "pointing by patches seen, hits",
    "grounding": "phrases, P@1",
}
TASKS = "|".join(sorted(WORDS, key=len, reverse=True))  # one may begin as another does
NAME = re.compile(rf"probe-(?P<task>{TASKS})-(?P<run>.+)-[0-9a-f]{{8}}\.json")
# BenchX (Zhou et al., 2024, arXiv 2410.21969), tables 1 and 2: mean AUC of NIH's 14 findings, and F1, by models
# that were fine-tuned whole on 1, 10 and 100 % of the training images of its own lists.
BENCHX_NIH = {"MRM": (80.1, 83.5, 85.3), "MGCA-ViT": (78.2, 82.4, 84.4), "ConVIRT": (77.0, 81.5, 84.2),
              "MedKLIP": (75.2, 80.3, 83.9)}  # fmt: skip
BENCHX_F1 = {"RSNA": (62.6, 66.6, 66.5), "SIIM": (65.0, 69.3, 75.6)}  # of MRM
BENCHX_SHARES = (1, 10, 100)  # %
BY_HAND = 4  # findings whose curves are shown; the others have their AUC in the table


@dataclass(frozen=True, kw_only=True)
class Probe:
    """The answer of one model to one probe of one set."""

    model: str
    task: str
    dataset: str
    found: Mapping[str, Any]  # as app/probe.py keeps it
    rows: Sequence[Mapping[str, str]]  # image, target, score, present, and of few-shot the share
    notes: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class ProbeRow:
    """One line of the table."""

    model: str
    what: str
    value: str
    interval: str
    chance: str


@dataclass(frozen=True, kw_only=True)
class ProbeTable:
    """All probes of one set."""

    dataset: str
    rows: Sequence[ProbeRow]
    notes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class FindingCurves:
    """The two curves of one finding."""

    title: str  # "Nodule, 20 of 99"
    roc: Markup
    precision: Markup


def read_probes(run: Place, models: Sequence[str]) -> list[Probe]:
    """All answers of the models, the last one where one was asked with several settings."""
    found = {}
    for model in models:
        folder = run / "models" / model
        for name in folder.files():
            named = NAME.fullmatch(name)
            if not named:
                continue
            told = (folder / name).read_json()
            table = folder / name.replace(".json", ".csv")
            text = table.read_bytes().decode() if table.exists() else ""
            key = (model, named["task"], told["dataset"])
            found[key] = Probe(
                model=model,
                task=named["task"],
                dataset=told["dataset"],
                found=told["found"],
                rows=list(csv.DictReader(io.StringIO(text))),
                notes=told.get("notes", []),
            )
    return list(found.values())


def probe_tables(probes: Sequence[Probe]) -> list[ProbeTable]:
    """A table for each set, the probes in the order of WORDS."""
    tables = []
    for dataset in dict.fromkeys(probe.dataset for probe in probes):
        of = [probe for probe in probes if probe.dataset == dataset]
        rows = [row for task in WORDS for probe in of if probe.task == task for row in rows_of_probe(probe)]
        notes = list(dict.fromkeys(note for probe in of for note in probe.notes))
        if any(probe.task == "few-shot" for probe in of):
            rows, notes = [*rows, *benchx_rows(dataset)], [*notes, *benchx_notes(dataset)]
        tables.append(ProbeTable(dataset=dataset, rows=rows, notes=notes))
    return tables


def benchx_rows(dataset: str) -> list[ProbeRow]:
    """What BenchX prints of NIH, where that alone was asked: the same measure, by another protocol."""
    if dataset != "NIH":
        return []
    return [
        ProbeRow(
            model=f"{model} (BenchX)",
            what=f"fine-tuned whole, mean AUC, {share} % of training",
            value=f"{value:.1f}",
            interval="",
            chance="50.0",
        )
        for model, values in BENCHX_NIH.items()
        for share, value in zip(BENCHX_SHARES, values, strict=True)
    ]


def benchx_notes(dataset: str) -> list[str]:
    """What has to be known of BenchX's numbers for a set; of RSNA and SIIM it prints another measure."""
    source = "BenchX (Zhou et al., 2024, arXiv 2410.21969)"
    if dataset == "NIH":
        return [f"{source} fine-tunes encoders whole; heads here are linear, on a frozen encoder. Its lists: --splits."]
    for name, values in BENCHX_F1.items():
        if dataset.startswith(name):
            told = ", ".join(f"{value} at {share} %" for share, value in zip(BENCHX_SHARES, values, strict=True))
            return [
                f"{source} prints F1 for {name}, which is no AUC: MRM, fine-tuned whole, {told} of its training list."
            ]
    return []


def rows_of_probe(probe: Probe) -> list[ProbeRow]:
    """The main numbers of an answer."""
    found, what = probe.found, WORDS[probe.task]

    def row(what: str, value: float | None, interval: Sequence[float] | None, chance: float | None) -> ProbeRow:
        bounds = f"{100 * interval[0]:.0f}–{100 * interval[1]:.0f}" if interval else ""
        return ProbeRow(
            model=probe.model,
            what=what,
            value="undefined" if value is None else f"{100 * value:.1f}",
            interval=bounds,
            chance="–" if chance is None else f"{100 * chance:.1f}",
        )

    if probe.task == "zero-shot":
        mean = found["mean"]
        return [row(what, mean["metrics"]["auc"], mean["intervals"].get("auc"), 0.5)]
    if probe.task == "few-shot":
        return [
            row(f"{what}, {100 * each['share']:g} % of training", each["mean"]["auc"], each["mean"]["interval"], 0.5)
            for each in found["shares"]
        ]
    if probe.task == "segmentation":
        metrics, intervals = found["metrics"], found["intervals"]
        return [row(f"{what}, {found['target']}", metrics["dice"], intervals.get("dice"), metrics["dice_all_empty"])]
    hits = found["overall"]
    rows = [row(what, hits["hit_rate"], hits.get("hit_interval"), hits["random_rate"])]
    if probe.task == "grounding":
        rows.append(row("phrases, mean IoU", hits["mean_iou"], hits["iou_interval"], None))
    return rows


def finding_curves(probes: Sequence[Probe], legend: Sequence[LegendEntry]) -> list[FindingCurves]:
    """ROC and precision over recall by prompts, of the findings with most positives; a line for each model."""
    asked = [probe for probe in probes if probe.task == "zero-shot"]
    found: dict[tuple[str, str], dict[str, tuple[np.ndarray, np.ndarray]]] = {}
    for probe in asked:
        for target, (truth, scores) in _by_target(probe.rows).items():
            found.setdefault((probe.dataset, target), {})[probe.model] = (truth, scores)
    positives = {key: int(max(truth.sum() for truth, _ in lines.values())) for key, lines in found.items()}
    shown = sorted(found, key=lambda key: (-positives[key], key))[:BY_HAND]
    lines = {entry.scheme: entry for entry in legend}
    several = len({dataset for dataset, _ in found}) > 1
    drawn = []
    for dataset, target in shown:
        of = found[dataset, target]
        count = len(next(iter(of.values()))[0])
        name = f"{target} ({dataset})" if several else target
        drawn.append(
            FindingCurves(
                title=f"{name}: in {positives[dataset, target]:,} of {count:,} films",
                roc=_drawn(of, lines, roc=True, name=name),
                precision=_drawn(of, lines, roc=False, name=name),
            )
        )
    return drawn


def _by_target(rows: Sequence[Mapping[str, str]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Truths and scores, (N,) each, of the findings that are both there and not there in films that were judged."""
    told: dict[str, list[tuple[int, float]]] = {}
    for row in rows:
        if row.get("present") in ("0", "1"):
            told.setdefault(row["target"], []).append((int(row["present"]), float(row["score"])))
    arrays = {name: np.array(each) for name, each in told.items()}
    return {name: (each[:, 0], each[:, 1]) for name, each in arrays.items() if 0 < each[:, 0].sum() < len(each)}


def _drawn(
    of: Mapping[str, tuple[np.ndarray, np.ndarray]], lines: Mapping[str, LegendEntry], *, roc: bool, name: str
) -> Markup:
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        for model, (truth, scores) in of.items():
            if roc:
                across, up, _ = roc_curve(truth, scores)
            else:
                up, across, _ = precision_recall_curve(truth, scores)
            entry = lines[model]
            axes.plot(across, up, color=entry.colour, linestyle=entry.dash, linewidth=1.8)
        share = float(np.mean([truth.mean() for truth, _ in of.values()]))
        axes.plot([0, 1], [0, 1] if roc else [share, share], color=TEXT_COLOUR, linewidth=0.8, linestyle=":")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
        axes.set_title("ROC" if roc else "Precision over recall", loc="left")
        axes.set_xlabel("share of films without it, called present" if roc else "recall")
        axes.set_ylabel("share found" if roc else "precision")
        told = ", ".join(f"{model} AUC {roc_auc_score(truth, scores):.2f}" for model, (truth, scores) in of.items())
        return as_svg(figure, f"{'ROC' if roc else 'Precision over recall'} of {name}: {told}")
