"""The ink of a letter."""

import numpy as np
from PIL import Image, ImageDraw

from phantom.pictures.arrangement import load_font
from pipelines.letters.ink import ink_box


def letter(ground: int, ink: int) -> tuple[np.ndarray, tuple[int, int, int, int]]:
    image = Image.new("RGB", (60, 60), (ground,) * 3)
    pen, font = ImageDraw.Draw(image), load_font("DejaVuSans-Bold.ttf", 20)
    pen.text((20, 15), "B", font=font, fill=(ink,) * 3)
    left, top, right, bottom = (round(edge) for edge in pen.textbbox((20, 15), "B", font=font))
    return np.asarray(image), (left, top, right, bottom)


def test_a_loose_box_comes_to_the_letter_light_or_dark() -> None:
    for ground, ink in ((255, 0), (10, 250)):
        image, true = letter(ground, ink)
        found = ink_box(image, (8, 5, 50, 50))
        assert all(abs(one - other) <= 2 for one, other in zip(found, true, strict=True))


def test_what_touches_the_edge_of_the_box_is_no_part_of_the_letter() -> None:
    image, true = letter(255, 0)
    image = image.copy()
    image[:, 8:11] = 0  # the edge of a panel beside the letter
    found = ink_box(image, (8, 5, 50, 50))
    assert abs(found[0] - true[0]) <= 2


def test_a_box_without_ink_stays() -> None:
    assert ink_box(np.full((40, 40, 3), 255, dtype=np.uint8), (5, 5, 30, 30)) == (5, 5, 30, 30)
