"""Whether a score can be believed: how many pairs of each score are right, and how far the two are apart.

Expected calibration error (Naeini et al., AAAI 2015): the mean over bins of equal width of |share right - mean score|,
weighted by how many pairs lie in each.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipelines.scoring.scorecard import FoundPair, TrueFigure, bare, best, in_all, same_text, words

BINS = 10
THRESHOLDS = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95)
Verdict = tuple[float, bool]  # a pair's score, 0 to 1, and whether its text is right


@dataclass(frozen=True, slots=True)
class Bin:
    """The pairs whose scores lie from `low` on: how many, their mean score, and the share that is right."""

    low: float
    pairs: int
    score: float
    right: float


@dataclass(frozen=True, slots=True)
class AtLeast:
    """What is kept at a threshold: the share of all pairs, and the share of these that is right."""

    threshold: float
    kept: float
    right: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """Scores against truth; `wrong_above` counts wrong pairs with a score above 0.9."""

    error: float
    bins: list[Bin]
    thresholds: list[AtLeast]
    pairs: int
    wrong: int
    wrong_above: int


def verdicts(truth: TrueFigure, found: Sequence[FoundPair]) -> list[Verdict]:
    """The score of the pair that lies on each true panel whose text is known, and whether its text is right."""
    by_label = {bare(panel.label): words(panel.text) for panel in truth.panels if panel.label and panel.text}
    shared = in_all(by_label.values())
    told = []
    for panel in truth.panels:
        place = best(panel.box, [pair.box for pair in found])
        score = None if place is None else found[place].score
        if panel.text is not None and place is not None and score is not None:
            told.append((score, same_text(words(found[place].text), words(panel.text), shared)))
    return told


def reliability(told: Iterable[Verdict]) -> Reliability | None:
    """Of all verdicts; None where there are none."""
    rows = list(told)
    if not rows:
        return None
    by_bin: dict[int, list[Verdict]] = {}
    for score, right in rows:
        by_bin.setdefault(min(int(score * BINS), BINS - 1), []).append((score, right))
    bins = [
        Bin(number / BINS, len(inside), _mean(score for score, _ in inside), _mean(right for _, right in inside))
        for number, inside in sorted(by_bin.items())
    ]
    error = sum(one.pairs * abs(one.right - one.score) for one in bins) / len(rows)
    thresholds = []
    for threshold in THRESHOLDS:
        kept = [right for score, right in rows if score >= threshold]
        if kept:
            thresholds.append(AtLeast(threshold, len(kept) / len(rows), _mean(kept)))
    wrong = [score for score, right in rows if not right]
    return Reliability(error, bins, thresholds, len(rows), len(wrong), sum(score > 0.9 for score in wrong))


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / len(listed)
