"""Figures of a case report that show no scan: stained tissue and a chart."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

CAPTIONS = (
    "Histological examination of the specimen. Haematoxylin and eosin stain, original magnification ×200.",
    "Photomicrograph of the resected tissue (H&amp;E, ×400).",
    "Immunohistochemistry with a labelling index of 12%. Scale bar, 50 µm.",
)
CHART_CAPTION = "Course of serum sodium and body temperature during the hospital stay."


def draw_distractor(rng: np.random.Generator) -> tuple[Image.Image, str]:
    """A picture without anatomy, and its caption as JATS inline text."""
    if rng.random() < 0.35:
        return _chart(rng), CHART_CAPTION
    return _tissue(rng), CAPTIONS[int(rng.integers(len(CAPTIONS)))]


def _tissue(rng: np.random.Generator) -> Image.Image:
    """Pink ground with purple nuclei."""
    width, height = int(rng.integers(420, 700)), int(rng.integers(320, 520))
    cloud: NDArray[np.uint8] = rng.integers(0, 60, (height // 16 + 1, width // 16 + 1, 3)).astype(np.uint8)
    ground = Image.fromarray(np.array([235, 180, 205], dtype=np.uint8) - cloud).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    pen = ImageDraw.Draw(ground)
    for x, y, size in rng.uniform([0, 0, 3], [width, height, 9], (rng.integers(250, 600), 3)):
        pen.ellipse((x - size, y - 0.8 * size, x + size, y + 0.8 * size), fill=(98, 62, 140))
    return ground.filter(ImageFilter.GaussianBlur(0.8))


def _chart(rng: np.random.Generator) -> Image.Image:
    width, height = 640, 420
    chart = Image.new("RGB", (width, height), (255, 255, 255))
    pen = ImageDraw.Draw(chart)
    pen.line([(60, 30), (60, height - 50), (width - 30, height - 50)], fill=(0, 0, 0), width=2)
    for colour in ((200, 40, 40), (40, 80, 200)):
        heights = np.clip(np.cumsum(rng.normal(0, 28, 9)) + height / 2, 40, height - 60)
        points = [(80 + 62 * k, float(y)) for k, y in enumerate(heights)]
        pen.line(points, fill=colour, width=3)
    return chart
