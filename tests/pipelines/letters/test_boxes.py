"""Candidates for printed letters on figures drawn here."""

import cv2
import numpy as np

from core.records import Box, Subfigure
from pipelines.letters.boxes import label_boxes

PANELS: list[Box] = [(0, 0, 300, 300), (310, 0, 610, 300)]


def draw_figure() -> np.ndarray:
    """Two dark panels on white with room below."""
    image = np.full((350, 610, 3), 255, dtype=np.uint8)
    for left, top, right, bottom in PANELS:
        image[top:bottom, left:right] = 10
        cv2.circle(image, ((left + right) // 2, 150), 100, (120, 120, 120), thickness=-1)
    return image


def first_boxes(image: np.ndarray) -> list[Box]:
    return [boxes[0] for boxes in label_boxes(image, [Subfigure(box=box, score=1.0) for box in PANELS])]


def print_letter(image: np.ndarray, letter: str, at: tuple[int, int], grey: int) -> None:
    cv2.putText(image, letter, at, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (grey,) * 3, 2)


def covers(box: Box, point: tuple[int, int]) -> bool:
    return box[0] <= point[0] < box[2] and box[1] <= point[1] < box[3]


def test_white_letters_in_the_corner_come_first() -> None:
    image = draw_figure()
    print_letter(image, "A", (10, 30), 255)
    print_letter(image, "B", (320, 30), 255)
    first, second = first_boxes(image)
    assert covers(first, (18, 22)) and covers(second, (328, 22))


def test_a_bracketed_letter_below_is_one_box() -> None:
    image = draw_figure()
    print_letter(image, "(a)", (130, 332), 0)
    print_letter(image, "(b)", (440, 332), 0)
    first, second = first_boxes(image)
    assert first[0] <= 136 and first[2] >= 158 and first[1] > 300
    assert second[0] <= 446 and second[2] >= 468 and second[1] > 300


def test_a_black_letter_on_a_white_square_is_found_without_the_square() -> None:
    image = draw_figure()
    for left, letter in ((8, "A"), (318, "B")):
        image[8:38, left : left + 30] = 255
        print_letter(image, letter, (left + 6, 32), 0)
    first, _ = first_boxes(image)
    assert first[0] > 9 and first[2] < 38


def test_never_more_than_three_candidates_and_none_on_an_empty_figure() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (300, 610, 3), dtype=np.uint8)
    panels = [Subfigure(box=box, score=1.0) for box in PANELS]
    assert all(len(boxes) <= 3 for boxes in label_boxes(noise, panels))
    assert label_boxes(np.full((350, 610, 3), 255, dtype=np.uint8), panels) == [[], []]
