"""Average precision, panel starts and BLEU, worked by hand."""

import pytest

from core.records import Subfigure
from pipelines.scoring.detection import average_precision, mean_average_precision, sentence_bleu, starts_found
from pipelines.scoring.scorecard import TrueFigure, TruePanel

LEFT, RIGHT = (0, 0, 100, 100), (100, 0, 200, 100)
TRUTH = [TrueFigure("a", "unknown", "", [TruePanel(LEFT, None), TruePanel(RIGHT, None)])]


def found(*panels: tuple[tuple[int, int, int, int], float]) -> list[list[Subfigure]]:
    return [[Subfigure(box=box, score=score) for box, score in panels]]


def test_precision_is_averaged_over_recall() -> None:
    assert average_precision(TRUTH, found((LEFT, 0.9), (RIGHT, 0.8)), 0.5) == 1.0
    # The surest is wrong: precision 1/2 at recall 1/2, and 2/3 at recall 1, which is the best from there on.
    wrong = found(((0, 200, 50, 250), 0.95), (LEFT, 0.9), (RIGHT, 0.8))
    assert average_precision(TRUTH, wrong, 0.5) == pytest.approx(2 / 3)
    assert average_precision(TRUTH, found((LEFT, 0.9)), 0.5) == pytest.approx(51 / 101)  # recall 0 to 0.5
    assert average_precision(TRUTH, found((LEFT, 0.9), (LEFT, 0.8)), 0.5) == pytest.approx(51 / 101)
    assert average_precision(TRUTH, [[]], 0.5) == 0.0
    assert average_precision([], [], 0.5) == 0.0


def test_bounds_are_from_half_to_nearly_all() -> None:
    shifted = found(((0, 0, 100, 80), 0.9), (RIGHT, 0.8))  # IoU 0.8 and 1
    told = mean_average_precision(TRUTH, shifted)
    assert told["ap_0.5"] == told["ap_0.75"] == 1.0
    assert 0.7 < told["map"] < 0.8  # above 0.8 the surer box is wrong


def test_a_start_may_lie_a_bracket_away_and_counts_once() -> None:
    caption = "MRI . ( A ) T1 . ( B ) T2"
    share = starts_found(caption, [6, 17], [8, 8, 19])
    assert (share.right, share.found, share.true) == (2, 3, 2)
    assert share.f1 == pytest.approx(0.8)
    assert starts_found(caption, [], []).f1 == 0.0


def test_bleu_of_the_same_is_one_and_of_nothing_none() -> None:
    assert sentence_bleu("axial T1 MRI of the head", "Axial T1 MRI of the head") == pytest.approx(1.0)
    assert sentence_bleu("", "axial") == 0.0
    assert sentence_bleu("coronal", "axial") == 0.0
    assert 0 < sentence_bleu("axial T1 MRI", "axial T1 MRI of the head") < 0.5  # too short
