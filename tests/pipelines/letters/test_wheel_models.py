"""PP-OCRv6's models without PaddleOCR's pipeline: the same letters and boxes as with it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from phantom.pictures.arrangement import FONTS, load_font
from pipelines.letters.paddle import page_reader, text_recogniser
from pipelines.letters.wheel_models import DETECTOR, LineReader, TextBoxes, source


def letters() -> list[np.ndarray]:
    """Crops of letters in several fonts and widths, BGR."""
    crops = []
    for number, text in enumerate(["A", "(b)", "c)", "D.", "(iii)", "F1", "Figure 2 of 9"]):
        crop = Image.new("RGB", (60 + 22 * len(text), 88), (20 * number, 30, 40))
        ImageDraw.Draw(crop).text((20, 16), text, font=load_font(FONTS[number % len(FONTS)], 46), fill="white")
        crops.append(np.ascontiguousarray(np.asarray(crop)[..., ::-1]))
    return crops


def test_lines_are_read_as_paddleocr_reads_them() -> None:
    crops = letters()
    expected = text_recogniser(height=48, width=96).predict(crops, batch_size=len(crops))
    found = LineReader(height=48, width=96)(crops)
    assert [text for text, _ in found] == [line["rec_text"] for line in expected]
    assert [score for _, score in found] == pytest.approx([line["rec_score"] for line in expected], abs=1e-6)


def test_lines_are_found_where_paddleocr_finds_them() -> None:
    page = Image.new("RGB", (300, 200), "white")
    for text, at in (("A", (8, 6)), ("T1-weighted", (90, 80)), ("12 mm", (220, 170))):
        ImageDraw.Draw(page).text(at, text, font=load_font("DejaVuSans-Bold.ttf", 22), fill="black")
    image = np.ascontiguousarray(np.asarray(page)[..., ::-1])
    detector = page_reader().paddlex_pipeline._pipeline.text_det_model
    (told,) = detector([image], limit_side_len=256, limit_type="max", thresh=0.2, box_thresh=0.4)
    expected, found = told["dt_polys"], TextBoxes(long_side=256)(image)
    assert len(found) == len(expected) > 0
    for shape in np.asarray(expected).reshape(-1, 4, 2):
        near = min(abs(shape.min(0) - own.min(0)).max() + abs(shape.max(0) - own.max(0)).max() for own in found)
        assert near <= 6


def test_nothing_is_read_or_found_on_paper() -> None:
    paper = np.full((48, 96, 3), 255, np.uint8)
    assert LineReader(height=48, width=64)([paper])[0][0] == ""
    assert LineReader(height=48, width=64)([]) == []
    assert TextBoxes(long_side=256)(paper) == []
    assert TextBoxes(long_side=256)(paper[:8, :9]) == []


def test_the_wheel_has_the_models() -> None:
    assert isinstance(source(DETECTOR), Path)
    assert source(DETECTOR).is_file()
