"""A sweep drawn: settings against metrics, what each setting mattered, the Pareto front, learning curves."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from app.report.curves import COLOURS, COLUMNS, STYLE, TEXT_COLOUR, as_svg
from tuning.importance import Importances
from tuning.spaces import Range, Space
from tuning.trials import Trial, as_text, curve_of, names_of, values

METRICS = {"mean_recall": "mean recall", "zero_shot_auc": "zero-shot AUC"}  # core.settings.SweepSettings
BEST, OTHER = COLOURS[:2]
LOOKS: dict[str, dict[str, Any]] = {  # by how a trial ended; hollow: it has trained for less
    "finished": {"marker": "o", "s": 42, "linewidths": 1.4, "zorder": 3, "facecolor": OTHER, "edgecolor": OTHER},
    "stopped": {"marker": "o", "s": 42, "linewidths": 1.4, "zorder": 3, "facecolor": "none", "edgecolor": OTHER},
    "failed": {"marker": "x", "s": 42, "linewidths": 1.4, "zorder": 3, "color": TEXT_COLOUR},
    "best": {"marker": "*", "s": 190, "zorder": 4, "facecolor": BEST, "edgecolor": BEST},
}
WIDTH = 11.2  # inches, as all plots of the report
WORD = 16  # letters of a value on an axis
MARGIN = 0.04  # of a range, on either side of it
OURS = STYLE | {"text.parse_math": False}  # a dollar in a value is a dollar


def words(metric: str) -> str:
    """A metric's name on the page."""
    return METRICS.get(metric, metric.replace("_", " "))


def settings_plot(rows: Sequence[Trial], metric: str, *, best: Trial | None, space: Space) -> Markup:
    """A metric against each setting: on an axis over the whole range, or, of a choice, a strip for each value."""
    shown = [row for row in rows if not math.isnan(values(row, [metric])[0])]
    names = names_of(shown, "settings")
    with matplotlib.rc_context(OURS):
        figure = Figure(figsize=(WIDTH, 2.9 * math.ceil(len(names) / COLUMNS)), layout="constrained")
        first: Axes | None = None
        for place, name in enumerate(names, start=1):
            axes = figure.add_subplot(math.ceil(len(names) / COLUMNS), COLUMNS, place, sharey=first)
            first = first or axes
            held = [row for row in shown if name in row["settings"]]
            places = _places(axes, [row["settings"][name] for row in held], space.get(name))
            heights = [values(row, [metric])[0] for row in held]
            _scatter(axes, held, np.column_stack([places, heights]), best)
            axes.set_title(name, loc="left")
            axes.margins(y=0.12)
            if place % COLUMNS == 1:
                axes.set_ylabel(words(metric))
        return as_svg(figure, f"{words(metric)} against " + ", ".join(names))


def _places(axes: Axes, held: Sequence[Any], drawn_from: Range | None) -> np.ndarray:
    """Where values stand along the axis, (n,); the axis is made to fit."""
    kind = drawn_from.kind if drawn_from else None
    if kind == "choice" or not all(map(_is_number, held)):
        return _strips(axes, held)
    if drawn_from is not None:
        _show_range(axes, *drawn_from.values, is_logarithmic=str(kind).startswith("log"))
    return np.array(held, dtype=float)


def _scatter(axes: Axes, rows: Sequence[Trial], points: np.ndarray, best: Trial | None) -> None:
    """Trials at their points, (n, 2), each with its look."""
    kinds = np.array(["best" if row is best else row["status"] for row in rows], dtype=str)
    for kind, look in LOOKS.items():
        axes.scatter(*points[kinds == kind].T, **look)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _strips(axes: Axes, held: Sequence[Any]) -> np.ndarray:
    """Places along the axis, (n,): a strip for each value, its trials side by side within it."""
    texts = [as_text(value) for value in held]
    numbers = {text: value for text, value in zip(texts, held) if _is_number(value)}
    order = [*sorted(numbers, key=lambda text: numbers[text]), *sorted(set(texts) - numbers.keys())]
    shown = [text.strip("'") for text in order]
    labels = [text if len(text) <= WORD else f"{text[: WORD - 1]}…" for text in shown]
    crowded = sum(map(len, labels)) > 2 * WORD
    axes.set_xticks(range(len(order)), labels, rotation=20 if crowded else 0, ha="right" if crowded else "center")
    axes.set_xlim(-0.6, len(order) - 0.4)
    axes.grid(visible=False, axis="x")
    places = np.empty(len(held))
    for strip, text in enumerate(order):
        here = [at for at, each in enumerate(texts) if each == text]
        places[here] = strip + (np.arange(len(here)) - (len(here) - 1) / 2) * min(0.12, 0.7 / len(here))
    return places


def _show_range(axes: Axes, low: float, high: float, *, is_logarithmic: bool) -> None:
    """The whole range and a little more; ticks written as numbers, more of them where it is less than two decades."""
    if not is_logarithmic:
        axes.set_xlim(low - MARGIN * (high - low), high + MARGIN * (high - low))
        return
    axes.set_xscale("log")
    more = (high / low) ** MARGIN
    axes.set_xlim(low / more, high * more)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 100 * low else (1,), numticks=7))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def importance_plot(found: Mapping[str, Importances]) -> Markup:
    """Of each metric, the settings as bars, the most important on top, with their intervals over resamples."""
    longest = max(len(each.settings) for each in found.values())
    with matplotlib.rc_context(OURS):
        figure = Figure(figsize=(WIDTH, 0.8 + 0.36 * longest), layout="constrained")
        for axes, (metric, each) in zip(figure.subplots(1, max(2, len(found)), squeeze=False)[0], found.items()):
            bars = list(reversed(each.settings))
            means = np.array([bar.mean for bar in bars])
            beside = [[max(0, bar.mean - bar.low) for bar in bars], [max(0, bar.high - bar.mean) for bar in bars]]
            axes.barh([bar.setting for bar in bars], means, color=OTHER, height=0.55)
            axes.errorbar(means, range(len(bars)), xerr=beside, fmt="none", ecolor=TEXT_COLOUR, capsize=3)
            axes.axvline(0, color=TEXT_COLOUR, linewidth=0.8)
            axes.set_title(words(metric), loc="left")
            axes.set_xlabel("growth of the squared error, in variances")
            axes.grid(visible=False, axis="y")
        for axes in figure.axes[len(found) :]:
            axes.set_axis_off()
        return as_svg(figure, "How much each setting mattered for " + ", ".join(map(words, found)))


def front_plot(rows: Sequence[Trial], metrics: Sequence[str], front: Sequence[Trial], best: Trial | None) -> Markup:
    """Two metrics against each other; the Pareto front of the finished trials as steps, numbered in its order."""
    shown = [row for row in rows if not any(map(math.isnan, values(row, metrics)))]
    with matplotlib.rc_context(OURS):
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        axes = figure.add_subplot()
        corners = sorted(values(row, metrics) for row in front)
        axes.step(*np.array(corners).reshape(-1, 2).T, where="pre", color=BEST, linewidth=1.2, alpha=0.7)
        _scatter(axes, shown, np.array([values(row, metrics) for row in shown]).reshape(-1, 2), best)
        for number, (right, up) in enumerate(reversed(corners), start=1):
            axes.annotate(str(number), (right, up), (6, 6), textcoords="offset points")
        axes.set_xlabel(words(metrics[0]))
        axes.set_ylabel(words(metrics[1]))
        axes.margins(x=0.08, y=0.1)
        return as_svg(figure, f"{words(metrics[0])} against {words(metrics[1])}, with the Pareto front")


def curves_plot(rows: Sequence[Trial], metrics: Sequence[str], best: Trial | None) -> Markup:
    """Every metric over the steps: all trials pale, where they ended marked, the best strong."""
    with matplotlib.rc_context(OURS):
        figure = Figure(figsize=(WIDTH, 3.6), layout="constrained")
        every = figure.subplots(1, len(metrics), squeeze=False)[0]
        for axes, metric in zip(every, metrics):
            for row in rows:
                _draw_curve(axes, row, metric, is_best=row is best)
            axes.set_title(words(metric), loc="left")
            axes.set_xlabel("step")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        return as_svg(figure, "Learning curves: " + ", ".join(map(words, metrics)))


def _draw_curve(axes: Axes, row: Trial, metric: str, *, is_best: bool) -> None:
    points = sorted(curve_of(row, metric).items())
    if not points:
        return
    colour, width, alpha = (BEST, 2.4, 1.0) if is_best else (OTHER, 1.0, 0.55)
    axes.plot(*zip(*points), color=colour, linewidth=width, alpha=alpha, zorder=3 if is_best else 2)
    end = LOOKS["best"] if is_best else LOOKS[row["status"]] | {"s": 20, "linewidths": 1}
    axes.scatter(*points[-1], **end)
