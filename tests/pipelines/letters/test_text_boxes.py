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


def test_a_title_in_the_upper_part_of_a_panel_comes_after_what_may_be_a_letter() -> None:
    figure = Image.new("RGB", (300, 220), "white")
    pen = ImageDraw.Draw(figure)
    pen.text((90, 8), "a) E. coli", font=load_font("DejaVuSans.ttf", 18), fill="black")
    pen.text((60, 180), "number of bouts", font=load_font("DejaVuSans.ttf", 18), fill="black")
    boxes = TextFinder()(np.asarray(figure), (0, 0, 300, 220))
    assert [top < 40 for _, top, _, _ in boxes] == [True]
