"""What one panel of a biomedical figure may show, drawn without end, with the edges inside it that end no panel."""

from collections.abc import Callable

import cv2
import numpy as np

from phantom.pictures.annotations import annotate
from phantom.pictures.brushes import Canvas, Shape, in_rgb, soften
from phantom.pictures.charts import draw_plot
from phantom.pictures.radiographs import draw_xray
from phantom.pictures.scans import draw_angiogram, draw_ct, draw_mri
from phantom.pictures.sheets import draw_drawing, draw_ecg, draw_gel, draw_table
from phantom.pictures.tissues import draw_histology, draw_photo
from phantom.pictures.views import draw_endoscopy, draw_nuclear, draw_ultrasound

DRAWERS: dict[str, Callable[[np.random.Generator, Shape], Canvas]] = {
    "ct": draw_ct,
    "mri": draw_mri,
    "xray": draw_xray,
    "ultrasound": draw_ultrasound,
    "histology": draw_histology,
    "photo": draw_photo,
    "endoscopy": draw_endoscopy,
    "angiogram": draw_angiogram,
    "nuclear": draw_nuclear,
    "plot": draw_plot,
    "drawing": draw_drawing,
    "gel": draw_gel,
    "ecg": draw_ecg,
    "table": draw_table,
}
KINDS: tuple[str, ...] = tuple(DRAWERS)
ON_PAPER = {"plot", "drawing", "gel", "ecg", "table"}


def draw_content(kind: str, rng: np.random.Generator, *, height: int, width: int) -> Canvas:
    """RGB (height, width, 3) of one panel of a kind among `KINDS`; the same for the same state of `rng`.

    Raises KeyError for another kind.
    """
    picture = np.ascontiguousarray(DRAWERS[kind](rng, (height, width)))
    if kind in ON_PAPER:
        return _recompress(picture, rng)
    if rng.random() < 0.15:
        picture = in_rgb(np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), dtype=np.uint8))
    picture = _window(picture, rng)
    annotate(picture, rng, scanner=kind in ("ct", "mri", "angiogram"))
    return _recompress(picture, rng)


def _window(picture: Canvas, rng: np.random.Generator) -> Canvas:
    """Another contrast, brightness and sharpness, as each journal's copy has."""
    gamma, gain = rng.uniform(0.7, 1.4), rng.uniform(0.8, 1.25)
    lift = rng.uniform(0, 25) if rng.random() < 0.2 else 0.0
    table = (lift + gain * 255 * (np.arange(256) / 255) ** gamma).clip(0, 255).astype(np.uint8)
    windowed = table[picture]
    return soften(windowed, rng.uniform(0.4, 1.2)) if rng.random() < 0.2 else windowed


def _recompress(picture: Canvas, rng: np.random.Generator) -> Canvas:
    """The picture after JPEG at a quality between 35 and 95, or as it is."""
    if rng.random() < 0.4:
        return picture
    quality = int(rng.integers(35, 96))
    coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), dtype=np.uint8)
