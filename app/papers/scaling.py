"""Recall against the share of the training articles, raw and processed in the same axes (MedVL, Figure 3)."""

import io
from collections.abc import Mapping, Sequence

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.papers.medvl_models import PERCENTS, SCHEMES, Result, chosen, summary
from app.papers.medvl_published import METRICS as DRAWN
from app.report.curves import STYLE, LegendEntry, as_svg, legend
from app.report.retrieval_table import METRICS

PNG_DPI = 160
CAPTION = (
    "Lines: mean over seeds; bands: the seeds from lowest to highest. A smaller share lies inside every larger one."
)


def scheme_legend() -> list[LegendEntry]:
    """The line of each scheme."""
    return legend(dict.fromkeys(SCHEMES, ()))


def draw(results: Sequence[Result], pools: Sequence[str]) -> Markup:
    """An SVG element: a row for each pool, a plot for each metric; lines are means over seeds, bands their range."""
    with matplotlib.rc_context(STYLE):
        return as_svg(_figure(results, pools), "Recall by the share of training articles, raw and processed")


def draw_png(results: Sequence[Result], pools: Sequence[str]) -> bytes:
    """The same as a picture on white."""
    data = io.BytesIO()
    with matplotlib.rc_context(STYLE):
        figure = _figure(results, pools)
        figure.legend(SCHEMES, loc="outside upper center", ncols=2, frameon=False)
        figure.savefig(data, format="png", dpi=PNG_DPI, metadata={"Software": None})
    return data.getvalue()


def _figure(results: Sequence[Result], pools: Sequence[str]) -> Figure:
    figure = Figure(figsize=(11.2, 2.8 * len(pools)), layout="constrained")
    axes = figure.subplots(len(pools), len(DRAWN), sharey=False, squeeze=False)
    for row, pool in zip(axes, pools, strict=True):
        for place, metric in zip(row, DRAWN, strict=True):
            _draw(place, chosen(results, pool=pool), metric)
            place.set_title(METRICS[metric], loc="left")
        row[0].set_ylabel(f"{pool}\nrecall in %")
    return figure


def _draw(axes: Axes, results: Sequence[Result], metric: str) -> None:
    lines = {entry: _line(chosen(results, scheme=entry.scheme), metric) for entry in scheme_legend()}
    for entry, line in lines.items():
        means = [mean for mean, _, _ in line.values()]
        axes.plot(list(line), means, color=entry.colour, linestyle=entry.dash, marker="o", markersize=4, linewidth=1.8)
    for entry, line in lines.items():
        lows, highs = ([each[side] for each in line.values()] for side in (1, 2))
        axes.fill_between(list(line), lows, highs, color=entry.colour, alpha=0.15, linewidth=0)
    axes.set_xticks(PERCENTS)
    axes.set_xlabel("% of the training articles")
    axes.set_ylim(bottom=0)


def _line(results: Sequence[Result], metric: str) -> Mapping[int, tuple[float, float, float]]:
    """Mean, lowest and highest over seeds by the share of articles, in percent."""
    found = {percent: summary(chosen(results, percent=percent), metric) for percent in PERCENTS}
    return {percent: (each.mean, each.low, each.high) for percent, each in found.items() if each}
