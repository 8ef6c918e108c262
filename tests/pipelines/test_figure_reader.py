"""Figures to panels and letters, by the readers that every command uses."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.settings import LabelSettings, SeparateSettings
from pipelines.figure_reader import SMALLEST, FigureReader


@pytest.fixture(scope="module")
def reader() -> FigureReader:
    return FigureReader(SeparateSettings(method="classical"), LabelSettings())


def test_panels_and_their_letters_are_found(reader: FigureReader) -> None:
    rng = np.random.default_rng(0)
    figure = Image.new("RGB", (640, 320), "white")
    for left, letter in ((0, "A"), (330, "B")):
        noise = rng.integers(20, 120, (310, 310), dtype=np.uint8)
        figure.paste(Image.fromarray(noise).convert("RGB"), (left, 5))
        pen = ImageDraw.Draw(figure)
        pen.rectangle((left, 5, left + 40, 45), fill="black")
        pen.text((left + 8, 5), letter, fill="white", font=ImageFont.load_default(size=34))
    found = reader(np.asarray(figure))
    assert [panel.label for panel in found] == ["A", "B"]
    for panel, left in zip(found, (0, 330)):
        assert np.abs(np.subtract(panel.box, (left, 5, left + 310, 315))).max() <= 3


@pytest.mark.parametrize("size", [(1, 1), (9, 7), (500, SMALLEST - 1), (1, 4000), (64, 64), (3000, 33)])
def test_no_picture_is_too_odd(size: tuple[int, int], reader: FigureReader) -> None:
    width, height = size
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    for image in (noise, np.zeros_like(noise), np.full_like(noise, 255)):
        for panel in reader(image):
            left, top, right, bottom = panel.box
            assert 0 <= left < right <= width and 0 <= top < bottom <= height
