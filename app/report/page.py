"""A run as one self-contained HTML page: what was found, what went in, and how well it retrieves (MedVL, section 4)."""

import base64
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import files
from typing import Any

from markupsafe import Markup
from PIL import Image

from app.report import contact_sheet, curves, findings, retrieval_table
from app.report.contact_sheet import FigureCard, MatchedFigure
from app.report.curves import LegendEntry, Records
from app.report.examples import Example
from app.report.findings import Films, Finding
from app.report.pair_list import FACETS, PLAIN, PairList
from app.report.probes import Probe, finding_curves, probe_tables
from app.report.retrieval_table import Intervals, Modalities, Pool, Results
from app.report.templates import templates
from core.images import ImageError, open_image

THUMBNAIL_SIDE = 200  # pixels
READABLE = 4  # panels


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A station of the way from article to pair: what came out of it, and what was left out in it."""

    name: str  # "figures selected"
    kept: int
    unit: str  # "figures"
    left_out: Mapping[str, int] = field(default_factory=dict)  # by reason code, in the same unit


@dataclass(frozen=True, kw_only=True)
class Report:
    """All that the page shows. A part that is empty was not made in this run, and the page says so."""

    title: str
    made: str  # when, as it is to be read
    run: str
    settings: Mapping[str, Any]  # those that differ from the defaults, by dotted name
    seconds: Mapping[str, float]  # by stage
    funnel: Sequence[Stage]
    matched_by: Mapping[str, int] = field(default_factory=dict)  # pairs by how their text was found
    notes: Sequence[str] = ()  # what a reader must know before believing a number, "the corpus is drawn"
    accuracy: Mapping[str, float] = field(default_factory=dict)  # shares of 1, against the truth of a drawn corpus
    films: Films | None = None
    figures: Sequence[MatchedFigure] = ()
    curves: Mapping[str, Records] = field(default_factory=dict)  # by model
    retrieval: Results = field(default_factory=dict)  # model -> pool -> metric -> percent
    intervals: Intervals = field(default_factory=dict)  # of the retrieval; empty: as if queries were independent
    modalities: Modalities = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)
    examples: Sequence[Example] = ()
    probes: Sequence[Probe] = ()
    pairs: PairList | None = None
    provenance: Mapping[str, str] = field(default_factory=dict)
    commands: Sequence[str] = ()  # that make the run again
    files: Sequence[str] = ()  # of the run, relative to the page


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A stage as a bar: widths in percent of the longest."""

    stage: Stage
    kept_width: float
    left_out: int
    left_out_width: float


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An image or a text as the page shows it; a text also stands for an image that cannot be opened."""

    uri: str | None
    text: str


def render(report: Report) -> str:
    """The page. It loads nothing from anywhere, runs its one script alone, and is the same for the same report."""
    script = files("app.report").joinpath("report.js").read_text(encoding="utf-8")
    return (
        templates()
        .get_template("report.html")
        .render(
            title=report.title,
            report=report,
            summary=summary(report),
            findings=first_findings(report),
            bars=bars(report.funnel),
            cards=sorted(map(contact_sheet.card, report.figures), key=shows_little),
            fold_figures=True,
            pairs=report.pairs,
            facets=FACETS,
            plain=PLAIN,
            blank_pair=defaultdict(str),
            script=Markup(script),
            script_hash=policy_hash(script),
            show=show,
            **results(report),
        )
    )


def shows_little(card: FigureCard) -> int:
    """The first figure stands open on the page: one of two to four panels, which show a match and fit a screen."""
    return 0 if 2 <= len(card.rows) <= READABLE else 1


def numbers(report: Report) -> dict[str, Any]:
    """What the page says, for those who read it by program."""
    return {
        "findings": [asdict(finding) for finding in first_findings(report)],
        "funnel": [asdict(stage) for stage in report.funnel],
        "pair_accuracy": dict(report.accuracy),
        "retrieval": report.retrieval,
        "probes": [asdict(table) for table in probe_tables(report.probes)],
        "pools": {name: asdict(pool) for name, pool in report.pools.items()},
        "seconds": report.seconds,
        "settings": report.settings,
        "provenance": report.provenance,
    }


def results(report: Report) -> dict[str, Any]:
    """What the templates of models, probes and training are filled with."""
    shown = models_legend(report)
    plots = curves.draw({entry.scheme: report.curves.get(entry.scheme, []) for entry in shown})
    return {
        "legend": shown,
        "first_plots": [plot for name, plot in plots.items() if name in curves.FIRST],
        "other_plots": [plot for name, plot in plots.items() if name not in curves.FIRST],
        "not_finite": curves.not_finite(report.curves),
        "metrics": retrieval_table.METRICS,
        "rows": retrieval_table.rows(report.retrieval, report.pools, report.intervals),
        "modalities": retrieval_table.modality_tables(report.modalities),
        "chance": retrieval_table.chance_row(report.pools),
        "probe_tables": probe_tables(report.probes),
        "finding_curves": finding_curves(report.probes, shown),
    }


def models_legend(report: Report) -> list[LegendEntry]:
    """One line for each model, the same in every plot of the page."""
    names = [*report.curves, *(probe.model for probe in report.probes)]
    return curves.legend({name: [] for name in dict.fromkeys(names)})


def first_findings(report: Report) -> list[Finding]:
    """What stands at the top of the page."""
    return [
        *findings.of_films(report.films),
        *findings.of_pairs(report.pairs.totals if report.pairs else None),
        *findings.of_accuracy(report.accuracy),
        *findings.of_retrieval(report.retrieval, report.pools),
        *findings.of_probes(report.probes),
        *findings.of_training(report.curves),
    ]


def policy_hash(script: str) -> str:
    """What the page's policy calls its script: that one runs, and no other."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def summary(report: Report) -> str:
    """The run in one line: the retrieval result, or how far it got without one."""
    retrieved = retrieval_table.summary(report.retrieval, report.pools, report.intervals)
    if retrieved:
        return retrieved
    if not report.funnel:
        return "This run holds no articles, no pairs and no model."
    first, unit = report.funnel[0], report.funnel[-1].unit
    # The stages of the last unit may go on to say how the same pairs were matched.
    reached = next(stage for stage in report.funnel if stage.unit == unit)
    return f"{first.kept:,} {first.unit} gave {reached.kept:,} {unit}. No model was evaluated in this run."


def bars(funnel: Sequence[Stage]) -> list[Bar]:
    """The stages as bars on one linear scale."""
    left_out = [sum(stage.left_out.values()) for stage in funnel]
    longest = max((stage.kept + lost for stage, lost in zip(funnel, left_out, strict=True)), default=0) or 1
    return [
        Bar(stage=stage, kept_width=100 * stage.kept / longest, left_out=lost, left_out_width=100 * lost / longest)
        for stage, lost in zip(funnel, left_out, strict=True)
    ]


def show(item: str | bytes) -> Shown:
    """A text, or an image as a thumbnail of at most 200 px."""
    if isinstance(item, str):
        return Shown(uri=None, text=item)
    try:
        image = open_image(item).image.copy()
    except ImageError as error:
        return Shown(uri=None, text=f"image not shown: {error.message}")
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.LANCZOS)
    return Shown(uri=contact_sheet.data_uri(image), text="")
