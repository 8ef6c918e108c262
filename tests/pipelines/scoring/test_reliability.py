"""Scores against truth, worked by hand."""

import pytest

from pipelines.scoring.reliability import reliability, verdicts
from pipelines.scoring.scorecard import FoundPair, TrueFigure, TruePanel

LEFT, RIGHT = (0.0, 0.0, 100.0, 100.0), (100.0, 0.0, 200.0, 100.0)
TRUTH = TrueFigure("a.png", "inside", "", [TruePanel(LEFT, "A", "axial scan"), TruePanel(RIGHT, "B", "coronal scan")])


def test_a_pair_is_judged_by_the_panel_it_lies_on() -> None:
    found = [FoundPair(RIGHT, "coronal scan", 0.9), FoundPair(LEFT, "sagittal scan", 0.4)]
    assert verdicts(TRUTH, found) == [(0.4, False), (0.9, True)]
    assert verdicts(TRUTH, [FoundPair(LEFT, "axial scan")]) == []  # without a score
    assert verdicts(TRUTH, []) == []


def test_the_error_is_the_distance_of_score_and_share_in_each_bin() -> None:
    told = [(0.95, True), (0.95, True), (0.95, False), (0.95, True), (0.5, True), (0.5, False)]
    found = reliability(told)
    assert found is not None
    assert [(one.low, one.pairs, one.right) for one in found.bins] == [(0.5, 2, 0.5), (0.9, 4, 0.75)]
    assert found.error == pytest.approx(4 / 6 * 0.2)
    assert (found.pairs, found.wrong, found.wrong_above) == (6, 2, 1)
    assert [(one.threshold, one.kept, one.right) for one in found.thresholds][-1] == (0.95, 4 / 6, 0.75)
    assert reliability([]) is None
    assert reliability([(1.0, True)]).bins[0].low == 0.9  # type: ignore[union-attr]
