"""`figray bench`: the line from figure to pairs against a plain loop of PaddleOCR over every crop, timed in one run.

Both run on one thread and are counted in CPU time, so that other load on the machine weighs on neither.
"""

import multiprocessing as mp
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np
from PIL import Image

from app.own_files import FileError, images_below
from core.images import encode_jpeg, open_image
from core.places import Place
from core.records import Box
from core.settings import Config
from phantom.pmc.corpus import read_truth, write_corpus
from pipelines.captions.split import split_caption
from pipelines.figure_reader import FigureReader
from pipelines.letters.paddle import page_reader
from pipelines.loose_files import images_in
from pipelines.matching.match import match, told

ARTICLES, MOST_PANELS = 24, 8  # drawn; their compound figures have four panels on the mean
CONTROLS = 8  # figures, spread over all, whose every crop the plain loop reads
WARM_UP = 2  # figures
LEAST_RATIO, LEAST_PER_SECOND = 10.0, 4.0  # the goals: times the plain loop, figures of four panels per second and core
PANELS = 4
# How far the plain loop enlarges a crop before it looks for text. PaddleOCR 3.7 leaves it at its size; the package that
# brings these weights (rapidocr) makes its shorter side 736 px.
SIZES = {"paddleocr": (64, "min"), "rapidocr": (736, "min")}


@dataclass(frozen=True)
class BenchFigure:
    """A figure as a file, and its caption; boxes of its true panels, where they are known."""

    image: bytes
    caption: str
    boxes: list[Box]


class Line:
    """From the bytes of a figure to its pairs, as `figray pair` makes them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.read = FigureReader(config.separate, config.labels)

    def __call__(self, figure: BenchFigure) -> list[Box]:
        """The boxes of the panels whose pairs were made."""
        image = open_image(figure.image).image
        panels = self.read(np.asarray(image))
        split = split_caption(figure.caption, min_confidence=self.config.captions.min_confidence)
        settings = self.config.match
        for found in match(panels, told(split, settings.text), figure.caption, rule=settings.rule):
            encode_jpeg(image.crop(panels[found.subfigure].box))
        return [panel.box for panel in panels]


class PlainLoop:
    """PaddleOCR's detection and recognition on each crop."""

    def __init__(self) -> None:
        self._model: Any = page_reader()

    def __call__(self, image: Image.Image, boxes: Iterable[Box], size: tuple[int, str]) -> list[list[str]]:
        """The texts on every crop of a figure."""
        texts = []
        for box in boxes:
            crop = np.ascontiguousarray(np.asarray(image.crop(box))[..., ::-1])
            (page,) = self._model.predict(crop, text_det_limit_side_len=size[0], text_det_limit_type=size[1])
            texts.append([str(text) for text in page["rec_texts"]])
        return texts


def drawn_figures(folder: Path, *, seed: int) -> list[BenchFigure]:
    """Compound figures of drawn case reports, with their captions."""
    write_corpus(folder, articles=ARTICLES, seed=seed)
    bucket = folder / "bucket"
    files = {image.rpartition(".")[0]: bucket / image for image in images_in(Place.at(bucket))}
    return [
        BenchFigure(files[truth.figure_id].read_bytes(), truth.caption, [panel.box for panel in truth.panels])
        for truth in read_truth(folder)
        if truth.kept and 1 < len(truth.panels) <= MOST_PANELS
    ]


def own_figures(folder: Place, line: Line) -> list[BenchFigure]:
    """The compound figures of a folder, without captions; what the line finds are their panels."""
    figures = []
    for name in images_below(folder):
        data = (folder / name).read_bytes()
        boxes = line(BenchFigure(data, "", []))
        if len(boxes) > 1:
            figures.append(BenchFigure(data, "", boxes))
    if not figures:
        raise FileError(f"{folder} has no compound figures to time")
    return figures


def run_bench(config: Config, images: Place | None) -> dict[str, float]:
    """The numbers on drawn figures, or on those of a folder."""
    line = Line(config)
    if images is not None:
        return bench(config, own_figures(images, line), line)
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        return bench(config, drawn_figures(Path(folder), seed=config.phantom.seed), line)


def bench(config: Config, figures: Sequence[BenchFigure], line: Line) -> dict[str, float]:
    """What the line costs by itself, in two processes, and beside the plain loop on the same figures."""
    for figure in figures[:WARM_UP]:
        line(figure)
    begun = perf_counter()
    costs = [_cpu(line, figure) for figure in figures]
    one = len(figures) / (perf_counter() - begun)
    spread = sorted({k * len(figures) // CONTROLS for k in range(CONTROLS)})
    return {
        **_of_line(costs, sum(len(figure.boxes) for figure in figures)),
        **_of_loop([figures[k] for k in spread], sum(costs[k] for k in spread)),
        "figures_per_second_1_process": one,
        "figures_per_second_2_processes": throughput(config, figures, processes=2),
        "load": os.getloadavg()[0],  # of which these two processes are a part
    }


def _of_line(costs: Sequence[float], panels: int) -> dict[str, float]:
    """The line's numbers, from the CPU seconds of each figure."""
    figures, seconds = len(costs), sum(costs)
    return {
        "figures": figures,
        "panels_per_figure": panels / figures,
        "cpu_ms_per_figure": 1000 * seconds / figures,
        "cpu_ms_per_panel": 1000 * seconds / panels,
        "figures_per_second_and_core": figures / seconds,
        f"figures_of_{PANELS}_panels_per_second_and_core": panels / (PANELS * seconds),
    }


def _of_loop(figures: Sequence[BenchFigure], ours: float) -> dict[str, float]:
    """The plain loop's CPU time on figures that took the line so many CPU seconds."""
    loop, told = PlainLoop(), {}
    images = [open_image(figure.image).image for figure in figures]
    for name, size in SIZES.items():
        loop(images[0], figures[0].boxes[:1], size)
        begun = process_time()
        for image, figure in zip(images, figures):
            loop(image, figure.boxes, size)
        seconds = process_time() - begun
        told[f"{name}_cpu_ms_per_panel"] = 1000 * seconds / sum(len(figure.boxes) for figure in figures)
        told[f"times_{name}"] = seconds / ours
    return told


def missed(told: dict[str, float]) -> list[str]:
    """The goals that a run missed, in words."""
    speed, ratio = told[f"figures_of_{PANELS}_panels_per_second_and_core"], told["times_rapidocr"]
    slow = [f"{speed:.1f} figures per second and core, of {LEAST_PER_SECOND:g}"] if speed < LEAST_PER_SECOND else []
    return slow + ([f"{ratio:.1f} times the plain loop, of {LEAST_RATIO:g}"] if ratio < LEAST_RATIO else [])


def _cpu(line: Line, figure: BenchFigure) -> float:
    begun = process_time()
    line(figure)
    return process_time() - begun


_line: Line  # of a process of the pool


def throughput(config: Config, figures: Sequence[BenchFigure], *, processes: int) -> float:
    """Figures per second of wall time in so many processes, each with its own readers."""
    context = mp.get_context("spawn")
    ready = context.Barrier(processes + 1)
    with context.Pool(processes, _begin, (config, ready)) as pool:
        ready.wait(timeout=120)
        begun = perf_counter()
        for _ in pool.imap_unordered(_take, figures):
            pass
        return len(figures) / (perf_counter() - begun)


def _begin(config: Config, ready: Any) -> None:
    global _line
    _line = Line(config)
    ready.wait()


def _take(figure: BenchFigure) -> int:
    return len(_line(figure))
