"""Separation of figures drawn here, whose panels are known to the pixel, and of real ones."""

import json
from itertools import product
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from core.records import Box
from pipelines.separation.xy_cuts import XYCuts

REAL = Path(__file__).resolve().parents[4] / "shared" / "compound_figures"
SEPARATOR = XYCuts(min_panel=0.1, max_panels=40)


def draw_figure(size: tuple[int, int], boxes: list[Box], *, ground: int) -> np.ndarray:
    """A figure of (width, height) whose panels are grey discs on near-black, as scans are."""
    image = np.full((size[1], size[0], 3), ground, dtype=np.uint8)
    for k, (left, top, right, bottom) in enumerate(boxes):
        image[top:bottom, left:right] = 8
        centre, radius = ((left + right) // 2, (top + bottom) // 2), min(right - left, bottom - top) * 2 // 5
        cv2.circle(image, centre, radius, (90 + 20 * k,) * 3, thickness=-1)
    return image


def grid(columns: int, rows: int, *, side: int, gap: int) -> list[Box]:
    step = side + gap
    return [(x * step, y * step, x * step + side, y * step + side) for y, x in product(range(rows), range(columns))]


def found_boxes(image: np.ndarray) -> list[Box]:
    return [subfigure.box for subfigure in SEPARATOR(image).subfigures]


def test_panels_between_white_gaps_are_found_to_the_pixel() -> None:
    boxes = grid(3, 2, side=200, gap=10)
    assert found_boxes(draw_figure((620, 410), boxes, ground=255)) == boxes


def test_panels_between_black_gaps_are_found_within_the_gap() -> None:
    boxes = grid(2, 2, side=240, gap=6)
    found = found_boxes(draw_figure((486, 486), boxes, ground=0))
    assert len(found) == 4
    assert np.abs(np.array(found) - np.array(boxes)).max() <= 6


def test_touching_panels_part_where_their_greys_meet() -> None:
    image = np.full((200, 400, 3), 90, dtype=np.uint8)
    image[:, 200:] = 160
    (_, _, middle, _), (start, *_) = found_boxes(image)
    assert middle == start
    assert abs(middle - 200) <= 2


def test_letters_under_panels_are_no_panels() -> None:
    boxes = grid(2, 1, side=300, gap=20)
    image = draw_figure((620, 360), boxes, ground=255)
    for left, letter in ((130, "(a)"), (450, "(b)")):
        cv2.putText(image, letter, (left, 340), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (0, 0, 0), 2)
    assert found_boxes(image) == boxes


def test_an_empty_place_of_the_last_row_is_no_panel() -> None:
    boxes = grid(2, 2, side=200, gap=8)[:3]
    assert found_boxes(draw_figure((408, 408), boxes, ground=255)) == boxes


def test_a_large_panel_beside_small_ones_is_found() -> None:
    boxes = [(0, 0, 408, 408), (416, 0, 616, 200), (416, 208, 616, 408)]
    assert found_boxes(draw_figure((616, 408), boxes, ground=255)) == boxes


@pytest.mark.parametrize("ground", [0, 255])
def test_a_single_panel_stays_one(ground: int) -> None:
    assert len(found_boxes(draw_figure((400, 400), [(0, 0, 400, 400)], ground=ground))) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 300, 3), (60, 60, 3)])
def test_an_empty_figure_is_one_whole_panel(shape: tuple[int, int, int]) -> None:
    image = np.full(shape, 255, dtype=np.uint8)
    assert found_boxes(image) == [(0, 0, shape[1], shape[0])]


def test_more_panels_than_allowed_are_texture() -> None:
    image = draw_figure((620, 410), grid(3, 2, side=200, gap=10), ground=255)
    assert [panel.box for panel in XYCuts(min_panel=0.1, max_panels=5)(image).subfigures] == [(0, 0, 620, 410)]


@pytest.mark.shared
@pytest.mark.skipif(not REAL.is_dir(), reason="shared/compound_figures is not beside the repository")
def test_most_real_figures_come_apart_into_as_many_panels_as_they_have() -> None:
    rows = [row for row in json.loads((REAL / "annotations.json").read_text()) if row["label_position"] != "single"]
    images = [np.asarray(Image.open(REAL / row["image"]).convert("RGB")) for row in rows]
    right = [len(found) == len(row["subfigures"]) for found, row in zip(map(found_boxes, images), rows)]
    assert np.mean(right) > 0.85
