"""The grid of heat maps: what is drawn where, and that words stay on the page."""

import io
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.papers.heatmap_grid import CELL, GAP, Heat, HeatRow, heatmap_grid, outlined, overlay, split_words, wrap


def example(
    caption: str = "A small aneurysm.",
    *,
    image: bytes | None = None,
    heats: Mapping[str, Heat] | None = None,
    found: Sequence[tuple[int, int]] = ((8, 16),),
) -> HeatRow:
    file = io.BytesIO()
    Image.new("RGB", (60, 60), (100, 100, 100)).save(file, "PNG")
    return HeatRow(
        image=file.getvalue() if image is None else image,
        heats={"raw": np.zeros((3, 3)), "processed": np.eye(3)} if heats is None else heats,
        caption=caption,
        found=found,
        source="PMC1.1/f1#0 · Doe J. CC BY",
    )


def drawn(*rows: HeatRow) -> NDArray[np.uint8]:
    page = heatmap_grid(rows, ["raw", "processed"], title="Where the models look for “aneurysm”")
    return np.asarray(Image.open(io.BytesIO(page)))


def first_row(page: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    """The three squares of the first example."""
    top = int((page[:, GAP + CELL // 2] == 100).all(axis=-1).argmax())
    return [page[top : top + CELL, left : left + CELL] for left in range(GAP, 3 * (CELL + GAP), CELL + GAP)]


def test_models_come_first_and_the_image_last() -> None:
    raw, processed, image = first_row(drawn(example()))
    assert (image == 100).all()
    assert (raw[: CELL // 2] == 100).all()  # a map of nothing lets the image through, and says so at its foot
    assert (raw[CELL // 2 :] != 100).any()
    assert (processed[CELL // 6, CELL // 6] != 100).all()
    assert (processed[CELL // 6, -CELL // 6] == 100).all()


def test_heat_lies_where_the_letterbox_put_it() -> None:
    heat = np.zeros((6, 6))
    heat[2, 0] = 1.0  # a patch is 20 px; the image is 120 x 60, so that one and a half rows lie above it
    warm = np.abs(np.asarray(overlay(Image.new("RGB", (120, 60)), heat), int)).sum(axis=-1)
    row, column = divmod(int(warm.argmax()), 120)
    assert row == pytest.approx(20, abs=6) and column < 16


@pytest.mark.parametrize("box", [(20, 10, 40, 30), (0, 0, 60, 48), (50, 0, 60, 9)])
def test_an_outline_runs_around_its_box_even_at_the_border(box: tuple[int, int, int, int]) -> None:
    left, top, right, bottom = box
    mask = np.zeros((48, 60), dtype=bool)
    mask[top:bottom, left:right] = True
    pixels = np.asarray(outlined(Image.new("RGB", (120, 96), (100, 100, 100)), mask))[..., 0]
    middle = pixels[top + bottom], pixels[:, left + right]
    assert all((line == 0).sum() == 4 and np.flatnonzero(line == 0).min() >= 0 for line in middle)
    down, across = np.nonzero(pixels == 0)
    ends = (2 * left, 2 * top, 2 * right, 2 * bottom)
    assert np.allclose([across.min(), down.min(), across.max() + 1, down.max() + 1], ends, atol=3)


def test_more_heat_is_lighter_on_a_dark_image() -> None:
    heats = np.tile(np.linspace(0, 1, 8), (8, 1))
    lightness = np.asarray(overlay(Image.new("RGB", (80, 80)), heats).convert("L"))[40].astype(int)
    assert (np.diff(lightness) >= 0).all() and lightness[-1] > 150


def test_what_cannot_be_drawn_leaves_a_word() -> None:
    usual = drawn(example())
    for row in (example(image=b"junk"), example(heats={"raw": np.eye(3)})):
        page = drawn(row)
        assert page.shape == usual.shape and (page != usual).any()


def test_the_term_is_set_apart_inside_its_word() -> None:
    text = "Two (aneurysms), aneurysm neck."
    words = split_words(text, [(5, 13), (17, 25), (26, 30)])
    assert words[1] == [("(", False), ("aneurysm", True), ("s),", False)]
    assert words[2:] == [[("aneurysm", True)], [("neck", True), (".", False)]]
    assert "".join(part for word in words for part, _ in word) == text.replace(" ", "")


def test_a_long_caption_is_shown_around_its_term() -> None:
    text = "word " * 200 + "aneurysm" + " word" * 200
    lines = wrap(split_words(text, [(1000, 1008)]), 400, kind="caption")
    parts = [part for line in lines for word in line for part in word]
    assert len(lines) == 5
    assert ("aneurysm", True) in parts
    assert parts[0] == ("… ", False) and parts[-1] == (" …", False)
    assert wrap(split_words("short", []), 400, kind="caption") == [[[("short", False)]]]


@pytest.mark.parametrize("caption", ["aneurysm " * 300, "x" * 3000, "", "Ωmega ≥ 3 mm, β-amyloid, 脳 "])
def test_no_word_runs_over_the_edge(caption: str) -> None:
    page = drawn(example(caption, found=[]), example(caption, found=[]))
    assert (page[:, : GAP - 1] == 255).all() and (page[:, -GAP + 1 :] == 255).all()


def test_a_page_without_examples_has_its_heading_and_legend() -> None:
    assert (drawn() != 255).any()
