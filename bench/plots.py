"""Pages of plots and schemes drawn by matplotlib, which the separator has not learnt from, and how many are read right.

    python -m bench.plots --figures 70 --seed 1000

Letters name one plot or several, or there is one plot, or a scheme, without a letter. A page is right where as many
panels are found as there are and each shares more than half of its area with its own.
"""

import argparse
import io
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import NDArray
from PIL import Image

from bench.numbers import say
from core.config import load
from core.records import Box, Subfigure
from pipelines.figure_reader import FigureReader
from pipelines.separation.layout import overlap

SAME = 0.5  # intersection over union of a panel and its own
KINDS_OF_PAGES = {"lettered": 0.7, "plot": 0.18, "scheme": 0.12}
MARKS = ("{A}", "{A}", "{A}", "{a}", "{a}", "({a})", "({A})", "{a})", "{A}.")
Draw = Callable[[Axes, random.Random], Any]


@dataclass(frozen=True)
class Page:
    """A drawn page: its kind, its pixels (H, W, 3), and the box of each panel with its letter."""

    kind: str
    image: NDArray[np.uint8]
    panels: list[tuple[Box, str | None]]


def drawn(seed: int) -> Page:
    """The page of a seed."""
    draw = random.Random(seed)
    kind = draw.choices(list(KINDS_OF_PAGES), list(KINDS_OF_PAGES.values()))[0]
    is_lettered = kind == "lettered"
    size = (draw.uniform(4.5, 9), draw.uniform(3, 10) if is_lettered else draw.uniform(2.5, 5))
    figure = plt.figure(figsize=size, dpi=draw.choice([80, 100, 150]))
    if is_lettered:
        plots = _plates(figure, draw)
    else:
        plots = [[figure.add_subplot()]]
        (_scheme if kind == "scheme" else draw.choice(PLOTS[:9]))(plots[0][0], draw)
    for axes in (axes for own in plots for axes in own):
        axes.tick_params(labelsize=6)
    figure.canvas.draw()
    boxes = [_around(figure, own) for own in plots]
    if is_lettered:
        _write_letters(figure, boxes, draw)
    file = io.BytesIO()
    figure.savefig(file, facecolor="w", format="png")
    plt.close(figure)
    letters = [chr(ord("A") + k) if is_lettered else None for k in range(len(boxes))]
    pixels = np.asarray(Image.open(file).convert("RGB"))
    return Page(kind, pixels, list(zip(boxes, letters, strict=True)))


def _plates(figure: Any, draw: random.Random) -> list[list[Axes]]:
    """A grid of plots, some over two cells, a quarter of them two or three under one letter."""
    rows, columns = draw.randint(1, 4), draw.randint(2, 4)
    grid = figure.add_gridspec(rows, columns, wspace=draw.uniform(0.35, 0.7), hspace=draw.uniform(0.45, 0.8))
    used = np.zeros((rows, columns), bool)
    same = draw.choice(PLOTS) if draw.random() < 0.35 else None
    plots = []
    for row, column in np.ndindex(rows, columns):
        if used[row, column]:
            continue
        wide = 2 if draw.random() < 0.2 and column + 1 < columns and not used[row, column + 1] else 1
        below = used[row + 1 : row + 2, column : column + wide]
        high = 2 if draw.random() < 0.15 and below.size and not below.any() else 1
        used[row : row + high, column : column + wide] = True
        cell, own = grid[row : row + high, column : column + wide], 1
        if draw.random() < 0.25:
            own = draw.choice([2, 2, 3])
        shape = (1, own) if draw.random() < 0.5 else (own, 1)
        inner = cell.subgridspec(*shape, wspace=0.35, hspace=0.5)
        plots.append([figure.add_subplot(inner[k]) for k in range(own)])
        for axes in plots[-1]:
            (same or draw.choice(PLOTS))(axes, draw)
    return plots


def _around(figure: Any, own: Sequence[Axes]) -> Box:
    """The box of plots with their axes' texts, in pixels from the upper left."""
    drawn_boxes = (axes.get_tightbbox(figure.canvas.get_renderer()) for axes in own)
    found = [box for box in drawn_boxes if box is not None]
    width, height = figure.bbox.width, figure.bbox.height
    left, right = max(0, min(box.x0 for box in found)), min(width, max(box.x1 for box in found))
    low, high = max(0, min(box.y0 for box in found)), min(height, max(box.y1 for box in found))
    return round(left), round(height - high), round(right), round(height - low)


def _write_letters(figure: Any, boxes: Sequence[Box], draw: random.Random) -> None:
    mark, size, weight = draw.choice(MARKS), draw.choice([9, 11, 13, 16]), draw.choice(["bold", "bold", "normal"])
    away, family = draw.choice([0, 0.01, 0.03]), draw.choice(["sans-serif", "sans-serif", "serif"])
    width, height, pixels = figure.bbox.width, figure.bbox.height, size / 72 * figure.dpi
    for k, (left, top, _, _) in enumerate(boxes):
        across = max(2.0, left - away * width - pixels * draw.choice([0, 0.5]))
        up = min(height - 2, height - top + draw.choice([0, 0.3, 1]) * pixels)
        text = mark.format(A=chr(ord("A") + k), a=chr(ord("a") + k))
        figure.text(across / width, up / height, text, size=size, weight=weight, family=family, va="top", ha="left")


def _numbers(draw: random.Random) -> np.random.Generator:
    return np.random.default_rng(draw.randint(0, 9999))


def _bars(axes: Axes, draw: random.Random) -> None:
    places, groups = np.arange(draw.randint(2, 7)), draw.choice([1, 1, 2, 3])
    for k in range(groups):
        colour = draw.choice(["k", "0.5", "w", "C0", "C1", "C3"])
        heights = _numbers(draw).uniform(1, 10, len(places))
        axes.bar(places + 0.8 * k / groups, heights, 0.8 / groups, yerr=heights / 9, color=colour, ec="k", capsize=2)
    names = [draw.choice(["ctrl", "WT", "KO", "si-1", "drug", "24h"]) for _ in places]
    axes.set_xticks(places, names, rotation=draw.choice([0, 45, 90]), fontsize=7)
    axes.set_ylabel(draw.choice(["Relative level", "Cells (%)"]), fontsize=8)


def _points(axes: Axes, draw: random.Random) -> None:
    for k in range(draw.randint(1, 4)):
        found = _numbers(draw).normal(size=(2, 40))
        axes.scatter(found[0] + k, found[1], s=draw.choice([3, 8, 15]), marker=draw.choice("o^sx"))
    axes.set_xlabel("PC 1", fontsize=8)
    axes.set_ylabel("PC 2", fontsize=8)


def _lines(axes: Axes, draw: random.Random) -> None:
    for k in range(draw.randint(1, 5)):
        axes.plot(np.linspace(0, 10, 60), np.cumsum(_numbers(draw).normal(size=60)), lw=1, label=f"s{k}")
    if draw.random() < 0.5:
        axes.legend(fontsize=6)
    axes.set_xlabel("Time (min)", fontsize=8)


def _boxes(axes: Axes, draw: random.Random) -> None:
    axes.boxplot([_numbers(draw).normal(k, 1, 50) for k in range(draw.randint(2, 5))])
    axes.set_title(draw.choice(["Active genes", "Silent", "n = 12", ""]), fontsize=8)


def _heat(axes: Axes, draw: random.Random) -> None:
    size = (draw.randint(6, 30), draw.randint(6, 30))
    shown = axes.imshow(_numbers(draw).normal(size=size), aspect="auto", cmap=draw.choice(["viridis", "hot", "binary"]))
    if draw.random() < 0.5:
        plt.colorbar(shown, ax=axes)


def _histogram(axes: Axes, draw: random.Random) -> None:
    axes.hist(_numbers(draw).normal(size=300), bins=draw.choice([10, 20, 40]), color=draw.choice(["0.6", "C0"]))
    axes.set_ylabel("count", fontsize=8)


def _pie(axes: Axes, draw: random.Random) -> None:
    axes.pie([draw.uniform(1, 5) for _ in range(draw.randint(2, 6))])


def _scheme(axes: Axes, draw: random.Random) -> None:
    axes.axis("off")
    number, columns = draw.randint(3, 7), draw.choice([1, 2, 3])
    rows = -(-number // columns)
    at = [((k % columns + 0.5) / columns, 1 - (k // columns + 0.5) / rows) for k in range(number)]
    frame = {"boxstyle": draw.choice(["round", "square"]), "fc": draw.choice(["w", "lightblue"]), "ec": "k"}
    for x, y in at:
        words = draw.choice(["Records\nidentified", "Case\ndefinition", "Excluded (n=4)", "Patients\nenrolled"])
        axes.text(x, y, words, ha="center", va="center", fontsize=7, bbox=frame)
    for start, end in pairwise(at):
        arrow = {"arrowstyle": "->", "shrinkA": 12, "shrinkB": 12}
        axes.annotate("", xy=end, xytext=start, arrowprops=arrow)


def _photo(axes: Axes, draw: random.Random) -> None:
    axes.imshow(_numbers(draw).normal(size=(20, 20)), cmap=draw.choice(["gray", "magma"]), interpolation="bicubic")
    axes.axis("off")


PLOTS: list[Draw] = [_bars, _bars, _points, _lines, _lines, _boxes, _heat, _histogram, _pie, _scheme, _photo]


def main() -> None:
    """Draw, read, count and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=int, default=70)
    parser.add_argument("--seed", type=int, default=1000)
    asked = parser.parse_args()
    mpl.use("Agg")
    config = load(None, [])
    read = FigureReader(config.separate, config.labels)
    counts = {kind: np.zeros(5, int) for kind in KINDS_OF_PAGES}
    for page in (drawn(asked.seed + k) for k in range(asked.figures)):
        counts[page.kind] += _count(page, read(page.image))
    for kind, (pages, right, panels, found, lettered) in counts.items():
        say(f"{kind}: pages right {right} of {pages}; panels found {found} of {panels}, with their letter {lettered}")


def _count(page: Page, panels: Sequence[Subfigure]) -> NDArray[np.int_]:
    """Of a page: 1, whether it is right, its panels, those found, and those found with their letter."""
    nearest = [max(panels, key=lambda one: overlap(one.box, box)) for box, _ in page.panels]
    hits = [overlap(one.box, box) > SAME for one, (box, _) in zip(nearest, page.panels, strict=True)]
    named = [
        hit and one.label is not None and one.label.upper() == letter
        for hit, one, (_, letter) in zip(hits, nearest, page.panels, strict=True)
    ]
    # A page without letters is one panel, however much white there is around it.
    is_right = len(panels) == len(page.panels) and (all(hits) or page.kind != "lettered")
    return np.array([1, is_right, len(hits), sum(hits), sum(named)])


if __name__ == "__main__":
    main()
