"""Alignments against a sum over every walk of the panels through the labels, and worked by hand."""

from collections.abc import Sequence
from itertools import product
from math import prod

import numpy as np
import pytest

from core.records import Box, Subfigure
from pipelines.matching import alignment as module
from pipelines.matching.alignment import alignment, decided, resemblance


def row(*labels: str | None, columns: int = 9, score: float = 0.95) -> list[Subfigure]:
    places = [divmod(k, columns) for k in range(len(labels))]
    boxes: list[Box] = [(110 * c, 110 * r, 110 * c + 100, 110 * r + 100) for r, c in places]
    return [Subfigure(box=box, score=1.0, label=label, label_score=score) for box, label in zip(boxes, labels)]


def named(panels: list[Subfigure], labels: str) -> str:
    """The label of each panel; "?" where it is unlikely."""
    weights = alignment(panels, list(labels))
    chosen = decided(weights)
    return "".join(labels[k] if weights[index, k] > 0.7 else "?" for index, k in enumerate(chosen))


def weight(walk: Sequence[int], said: np.ndarray, lettered: list[bool]) -> float:
    """The weight of one walk: the place of each panel among the labels, -1 where it stands aside."""
    n_panels, n_labels = said.shape
    shared, absent = max(module.SHARED, 1 - n_labels / n_panels), max(module.ABSENT, 1 - n_panels / n_labels)
    missed = (1 + max(0, min(n_panels, n_labels) - sum(lettered))) / (2 + min(n_panels, n_labels))
    last, parts = -1, []
    for k, place in enumerate(walk):
        if place < 0:
            parts.append(module.ASIDE * (module.ANY_LETTER if lettered[k] else module.UNLETTERED))
            continue
        if place == last:
            parts.append(shared * (module.REPEATED * said[k, place] if lettered[k] else 1.0))
            continue
        parts.append((1 - shared) * (absent ** (place - last - 1) if place > last else module.BACK))
        parts.append(module.WITHIN_ROW if k and n_panels > n_labels else 1.0)  # all panels stand in one row
        parts.append(said[k, place] if lettered[k] else missed)
        last = place
    return prod(parts) * absent ** (n_labels - 1 - last)


@pytest.mark.parametrize(
    ("read", "n_labels"), [((None, "b", None), 3), (("a", None), 3), ((None, "b", "b", None), 2), (("x", None, "c"), 3)]
)
def test_weights_are_sums_over_every_walk(read: tuple[str | None, ...], n_labels: int) -> None:
    labels, panels = list("abc"[:n_labels]), row(*read)
    lettered = [one is not None for one in read]
    said = np.array([[resemblance(panel.label or one, one) for one in labels] for panel in panels])
    sums, total = np.zeros(said.shape), 0.0
    for walk in product(range(-1, n_labels), repeat=len(read)):
        one = weight(walk, said, lettered)
        total += one
        for k, place in enumerate(walk):
            sums[k, place] += one if place >= 0 else 0.0
    turns = np.array([True] + [False] * (len(read) - 1))
    found, found_total = module._walks(said, np.array(lettered), turns)
    assert found == pytest.approx(sums)
    assert found_total == pytest.approx(total)


def test_likelihoods_are_shares_of_one() -> None:
    for read in (("a", "b", "c"), (None, None), ("x", "y"), ("a", None, None, "b")):
        weights = alignment(row(*read), list("abc"))
        assert weights.min() >= 0
        assert weights.sum(axis=1).max() <= 1 + 1e-9


def test_three_of_four_letters_name_the_fourth() -> None:
    assert named(row("a", "b", None, "d", columns=2), "abcd") == "abcd"
    assert named(row("d", None, "a", "c", columns=2), "abcd") == "dbac"


def test_letters_tell_columns_from_rows() -> None:
    assert named(row("a", None, "b", None, columns=2), "abcd") == "acbd"
    assert named(row(None, None, None, None, columns=2), "abcd") == "abcd"


def test_a_letter_over_several_panels_names_them_all() -> None:
    assert named(row("a", None, None, "b", None, None, columns=3), "ab") == "aaabbb"
    assert named(row("a", "b", None, "c"), "abc") == "abbc"


def test_a_missing_panel_leaves_open_only_what_it_must() -> None:
    assert named(row("a", None, None, "e"), "abcde") == "a??e"
    assert named(row("a", None, "d", "e"), "abcde") == "a?de"
    assert named(row("a", None, "c", "e"), "abcde") == "abce"
    assert named(row(None, None), "abc") == "??"


def test_a_letter_between_its_neighbours_is_taken_for_what_it_looks_like() -> None:
    assert named(row("a", "6", "c"), "abc") == "abc"
    assert named(row("A", "B"), "ab") == "ab"


def test_a_letter_outweighs_its_place_unless_another_panel_has_the_letter_there() -> None:
    assert named(row("a", "c", "b", "d"), "abcd") == "acbd"
    assert named(row("a", "b", "d", "d"), "abcd") in ("abcd", "ab?d")


def test_a_panel_whose_letter_the_caption_leaves_out_is_given_no_other() -> None:
    assert named(row("a", "b", "c", "d"), "abd") == "ab?d"
    assert named(row("a", "b", "c", "d"), "acd") == "a?cd"


def test_letters_that_no_label_looks_like_make_everything_unlikely() -> None:
    assert alignment(row("x", "y", "z"), list("abc")).max() < 0.3


def test_very_many_panels_are_still_told_apart() -> None:
    labels = [f"{chr(ord('a') + k // 9)}{k % 9 + 1}" for k in range(45)]
    weights = alignment(row(*labels), labels)
    assert decided(weights) == list(range(45))
    assert weights.max(axis=1).min() > 0.9
    assert np.isfinite(alignment(row(*["X"] * 45), labels)).all()
