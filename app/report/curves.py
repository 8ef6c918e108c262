"""Training over its steps: a small plot for each metric, every model in the same axes, drawn by matplotlib as SVG."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.ndimage import uniform_filter1d

Records = Sequence[Mapping[str, float | int | None]]

METRICS = {  # what is drawn where a run logs it: name in the log -> title and axis
    "loss": ("Total loss", "loss"),
    "mean_recall": ("Recall on validation", "mean recall"),
    "zero_shot_auc": ("AUC on validation", "AUC by prompts"),
    "samples_per_s": ("Throughput", "samples per second"),
    "wait_share": ("Waiting for data", "share of the time"),
    "itc": ("Image–text contrastive, ITC", "loss"),
    "itm": ("Image–text matching, ITM", "loss"),
    "mlm": ("Masked language modelling, MLM", "loss"),
    "lm": ("Language modelling, LM", "loss"),
    "spm": ("Sentence–patch matching, SPM", "loss"),
    "mip": ("Masked image prediction, MIP", "loss"),
    "temperature": ("Temperature of ITC", "temperature"),
    "lr": ("Learning rate", "learning rate"),
}
FIRST = ("loss", "mean_recall", "zero_shot_auc", "samples_per_s", "wait_share")  # the others stand beneath
EXACT = ("lr", "mean_recall", "zero_shot_auc")  # without noise, so that a running mean would only round it off
COLOURS = ("#d55e00", "#3f7fe0", "#009e73", "#b0569b", "#b08900", "#6f7782")
DASHES = ("solid", "dashed", "dashdot", "dotted")
COLUMNS = 3
SIZE = (3.7, 2.7)  # inches: a plot fills the width of a phone, and three stand side by side on a desk
# A colour used for nothing else, so that it can be told apart afterwards and follow the page's light or dark text.
TEXT_COLOUR = "#010203"
STYLE: dict[Any, Any] = {  # matplotlib's own type lists every name it knows
    "svg.fonttype": "none",  # text stays text: the reader's font, and found by search
    "svg.hashsalt": "figray",  # same curves, same bytes
    "font.size": 11,
    "axes.titlesize": 11.5,
    "axes.grid": True,
    "grid.alpha": 0.15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.formatter.limits": (-3, 5),
} | dict.fromkeys(
    ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color", "grid.color"), TEXT_COLOUR
)


@dataclass(frozen=True, kw_only=True)
class LegendEntry:
    """How a scheme is drawn."""

    scheme: str
    colour: str
    dash: str


def legend(curves: Mapping[str, Records]) -> list[LegendEntry]:
    """The line of each scheme, in the order of the mapping."""
    return [
        LegendEntry(scheme=scheme, colour=COLOURS[i % len(COLOURS)], dash=DASHES[i % len(DASHES)])
        for i, scheme in enumerate(curves)
    ]


def draw(curves: Mapping[str, Records]) -> dict[str, Markup]:
    """An SVG element for each metric that any model logged, by its name in METRICS.

    The same input gives the same bytes. Names of models are not in it: they stand in the legend beside it.
    """
    metrics = [name for name in METRICS if any(len(points(records, name)[0]) for records in curves.values())]
    drawn = {}
    with matplotlib.rc_context(STYLE):
        for metric in metrics:
            figure = Figure(figsize=SIZE, layout="constrained")
            _draw_metric(figure.add_subplot(), curves, metric)
            drawn[metric] = as_svg(figure, f"Training curve: {METRICS[metric][0]}")
    return drawn


def points(records: Records, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """Steps and values, each (n,), of the records that hold a finite value."""
    held = [(record.get("step"), record.get(metric)) for record in records]
    finite = [(step, value) for step, value in held if _is_finite(step) and _is_finite(value)]
    steps_values = np.array(finite, dtype=float).reshape(-1, 2)
    return steps_values[:, 0], steps_values[:, 1]


def not_finite(curves: Mapping[str, Records]) -> list[str]:
    """A sentence for each scheme and metric with values that are infinite or no number, since no plot shows them."""
    found = []
    for scheme, records in curves.items():
        for metric in METRICS:
            held = [record[metric] for record in records if record.get(metric) is not None]
            lost = sum(not _is_finite(value) for value in held)
            if lost:
                found.append(f"{scheme}: {lost} of {len(held)} values of {metric} are not finite and not drawn.")
    return found


def _is_finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _draw_metric(axes: Axes, curves: Mapping[str, Records], metric: str) -> None:
    title, unit = METRICS[metric]
    for entry in legend(curves):
        steps, values = points(curves[entry.scheme], metric)
        window = 1 if metric in EXACT else max(1, len(values) // 25)
        if window > 1:
            axes.plot(steps, values, color=entry.colour, alpha=0.25, linewidth=0.8)
        smooth = uniform_filter1d(values, window, mode="nearest") if len(values) else values
        marker = "o" if len(values) == 1 else None
        axes.plot(steps, smooth, color=entry.colour, linestyle=entry.dash, marker=marker, linewidth=1.8)
    axes.set_title(title, loc="left")
    axes.set_xlabel("step")
    axes.set_ylabel(unit)
    axes.margins(x=0.02)


def as_svg(figure: Figure, description: str) -> Markup:
    """The figure as an element to stand in a page: no prologue, no metadata, a description for who cannot see it."""
    figure.patch.set_alpha(0)
    for axes in figure.axes:
        axes.patch.set_alpha(0)
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    element = buffer.getvalue().partition("<svg ")[2].replace(TEXT_COLOUR, "currentColor")
    # Nothing in it comes from data but numbers: matplotlib writes them, titles are those above.
    return Markup('<svg role="img" aria-label="{}" ').format(description) + Markup(element)
