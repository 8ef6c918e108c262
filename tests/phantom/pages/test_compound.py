"""Compound figures drawn without end."""

from functools import partial

import numpy as np
import pytest

from core.records import Box
from phantom.pages import compound
from phantom.pages.compound import ON_PAPER, Compound, Contents, draw_compound, draw_compounds


@pytest.fixture(scope="module")
def figures() -> list[Compound]:
    rng = np.random.default_rng(5)
    contents = Contents(rng, size=60)
    return [draw_compound(contents, (448, 330), rng) for _ in range(60)]


def test_the_same_seed_draws_the_same_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compound, "Contents", partial(Contents, size=60))  # the whole bank takes seconds, twice
    first, again = (next(draw_compounds(3)) for _ in range(2))
    assert all(
        np.array_equal(one.image, other.image) and one.panels == other.panels for one, other in zip(first, again)
    )


def test_boxes_lie_on_the_figure(figures: list[Compound]) -> None:
    for figure in figures:
        height, width = figure.image.shape[:2]
        for left, top, right, bottom in figure.panels + figure.labels:
            assert 0 <= left < right <= width
            assert 0 <= top < bottom <= height


def test_there_are_single_figures_compound_ones_and_letters(figures: list[Compound]) -> None:
    counts = [len(figure.panels) for figure in figures]
    assert 1 in counts
    assert 3 <= np.mean(counts) <= 9
    assert sum(bool(figure.labels) for figure in figures) > len(figures) / 2


def test_a_letter_is_ink_on_its_ground(figures: list[Compound]) -> None:
    seen = [np.ptp(cut(figure, box).astype(int)) for figure in figures for box in figure.labels]
    assert np.median(seen) > 120


def test_pictures_are_cut_to_the_size_asked_for() -> None:
    contents = Contents(np.random.default_rng(0), size=30)
    for kind in ("ct", "plot"):
        assert contents.draw(kind, height=70, width=123).shape == (70, 123, 3)
    assert "plot" in ON_PAPER


def cut(figure: Compound, box: Box) -> np.ndarray:
    return figure.image[box[1] : box[3], box[0] : box[2]]
