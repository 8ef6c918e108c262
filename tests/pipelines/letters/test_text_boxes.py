"""Text found on a panel."""

import numpy as np
from PIL import Image, ImageDraw

from phantom.pictures.arrangement import load_font
from pipelines.letters.text_boxes import TextFinder


def test_a_letter_in_a_corner_is_found_and_comes_first() -> None:
    figure = Image.new("RGB", (600, 300), (90, 90, 90))
    pen = ImageDraw.Draw(figure)
    pen.text((310, 6), "B", font=load_font("DejaVuSans-Bold.ttf", 24), fill=(255, 255, 255))
    pen.text((420, 150), "12 mm", font=load_font("DejaVuSans.ttf", 18), fill=(255, 255, 255))
    boxes = TextFinder()(np.asarray(figure), (300, 0, 600, 300))
    left, top, right, bottom = boxes[0]
    assert left <= 318 <= right
    assert top <= 18 <= bottom


def test_an_empty_panel_has_none() -> None:
    assert TextFinder()(np.zeros((50, 50, 3), dtype=np.uint8), (10, 10, 10, 10)) == []
