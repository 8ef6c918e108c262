"""Letters onto panels."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from core.records import Box, Subfigure
from phantom.pictures.arrangement import load_font
from pipelines.letters.lettering import Letterer, joined
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import Printed
from pipelines.letters.text_boxes import TextFinder


@pytest.fixture(scope="module")
def letterer() -> Letterer:
    return Letterer(LabelReader(None, min_score=0.5), TextFinder())


def panels(*boxes: Box) -> list[Subfigure]:
    return [Subfigure(box=box, score=0.9) for box in boxes]


def figure(letters: dict[tuple[int, int], str], *boxes: Box) -> np.ndarray:
    """Grey panels on paper, with letters at places; white ones on panels, black ones beside."""
    image = Image.new("RGB", (640, 360), (255, 255, 255))
    pen = ImageDraw.Draw(image)
    for box in boxes:
        pen.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=(70, 70, 70))
    for (left, top), letter in letters.items():
        on_panel = any(box[0] <= left < box[2] and box[1] <= top < box[3] for box in boxes)
        pen.text(
            (left, top), letter, font=load_font("DejaVuSans-Bold.ttf", 24), fill=(255,) * 3 if on_panel else (0,) * 3
        )
    return np.asarray(image)


def test_letters_in_boxes_that_a_detector_saw_are_read(letterer: Letterer) -> None:
    boxes = ((0, 0, 310, 300), (330, 0, 640, 300))
    image = figure({(140, 306): "a", (470, 306): "b"}, *boxes)
    read = letterer(image, panels(*boxes), [(138, 308, 160, 336), (468, 304, 492, 336)])
    assert [panel.label for panel in read] == ["a", "b"]
    assert all(panel.label_score and panel.label_score > 0.5 for panel in read)


def test_a_letter_that_no_detector_saw_is_searched_for(letterer: Letterer) -> None:
    boxes = ((0, 0, 310, 300), (330, 0, 640, 300))
    read = letterer(figure({(6, 4): "A", (338, 4): "B"}, *boxes), panels(*boxes))
    assert [panel.label for panel in read] == ["A", "B"]


def test_a_lone_panel_is_not_read(letterer: Letterer) -> None:
    box = (0, 0, 310, 300)
    assert letterer(figure({(6, 4): "R"}, box), panels(box), [(4, 6, 28, 32)]) == panels(box)


def test_panels_over_one_letter_become_one() -> None:
    row = [(x, y, x + 90, y + 90) for y in (0, 120) for x in (0, 100, 200)]
    a, b = Printed("a", 0.95, (140, 95, 150, 105)), Printed("b", 0.95, (140, 215, 150, 225))
    whole, printed = joined(panels(*row), [[], [a], [], [], [b], []])
    assert [panel.box for panel in whole] == [(0, 0, 290, 90), (0, 120, 290, 210)]
    assert printed == [[a], [b]]


def test_panels_are_not_joined_over_letters_that_begin_no_run() -> None:
    row = [(x, y, x + 90, y + 90) for y in (0, 120) for x in (0, 100, 200)]
    b, e = Printed("b", 0.95, (140, 95, 150, 105)), Printed("e", 0.95, (140, 215, 150, 225))
    assert len(joined(panels(*row), [[], [b], [], [], [e], []])[0]) == 6
