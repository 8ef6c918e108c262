"""The letters of a page of plots."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.records import Box
from pipelines.letters.page_letters import page_letters
from pipelines.letters.reader import LabelReader

PLACES = [(20, 20), (320, 20), (20, 220), (320, 220)]


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    return LabelReader(min_score=0.0)


def page(letters: str, size: int = 22) -> tuple[np.ndarray, list[Box]]:
    """Four plots with letters beside them, and the boxes of the letters."""
    image = Image.new("RGB", (620, 420), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(size=size)
    boxes = []
    for letter, (left, top) in zip(letters, PLACES, strict=False):
        pen.rectangle((left + 50, top + 10, left + 250, top + 160), outline="black")
        pen.line((left + 60, top + 150, left + 240, top + 30), fill="black")
        pen.text((left, top), letter, fill="black", font=font)
        a, b, c, d = map(round, pen.textbbox((left, top), letter, font=font))
        boxes.append((a, b, c, d))
    return np.asarray(image), boxes


@pytest.mark.parametrize("letters", ["ABCD", "abcd"])
def test_letters_that_no_detector_saw_are_found_by_the_height_of_those_it_saw(
    letters: str, reader: LabelReader
) -> None:
    image, boxes = page(letters)
    found = page_letters(image, boxes[1:2], reader)
    assert "".join(one.label for one in found).lower() == letters.lower()
    for one, box in zip(found, boxes, strict=True):
        assert np.abs(np.subtract(one.box, box)).max() <= 4


def test_without_a_letter_to_begin_with_there_is_none(reader: LabelReader) -> None:
    image, _ = page("ABCD")
    assert page_letters(image, [], reader) == []


def test_letters_that_make_no_run_name_nothing(reader: LabelReader) -> None:
    image, boxes = page("TNRK")
    assert page_letters(image, boxes, reader) == []
