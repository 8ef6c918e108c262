"""Measures that other systems print: average precision of boxes, panel starts of captions, sentence BLEU of texts."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from core.records import Subfigure
from pipelines.scoring.scorecard import AnyBox, TrueFigure, overlaps

BOUNDS = tuple(0.5 + 0.05 * step for step in range(10))  # of COCO's mAP@.5:.95
POINTS = np.linspace(0, 1, 101)  # of recall, at which COCO takes the precision
LONGEST = 4  # words of BLEU's n-grams
NEAR = 2  # words between a start found and the true one: a bracket is a word of its own


class Share(NamedTuple):
    """Right, found and true: what precision, recall and F1 are made from."""

    right: int
    found: int
    true: int

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall; 0 of nothing."""
        return 2 * self.right / (self.found + self.true) if self.found + self.true else 0.0


def mean_average_precision(truths: Sequence[TrueFigure], found: Sequence[Sequence[Subfigure]]) -> dict[str, float]:
    """COCO's mAP@.5:.95 of panels as one class, and AP@.5 and AP@.75; found: in the order of the figures."""
    by_bound = [average_precision(truths, found, bound) for bound in BOUNDS]
    return {"map": sum(by_bound) / len(by_bound), "ap_0.5": by_bound[0], "ap_0.75": by_bound[5]}


def average_precision(truths: Sequence[TrueFigure], found: Sequence[Sequence[Subfigure]], bound: float) -> float:
    """The mean over 101 recalls of the best precision at that recall or above; boxes match from this IoU on."""
    marks: list[tuple[float, bool]] = []
    for truth, panels in zip(truths, found, strict=True):
        marks += _matched([panel.box for panel in truth.panels], panels, bound)
    n_true = sum(len(truth.panels) for truth in truths)
    if not n_true or not marks:
        return 0.0
    right = np.cumsum([hit for _, hit in sorted(marks, key=lambda mark: -mark[0])])
    precision = right / np.arange(1, len(right) + 1)
    best = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(right / n_true, POINTS, side="left")
    return float(np.mean([best[place] if place < len(best) else 0.0 for place in places]))


def _matched(truth: Sequence[AnyBox], panels: Sequence[Subfigure], bound: float) -> list[tuple[float, bool]]:
    """The score of each panel and whether it takes a true one, the surest first."""
    free, marks = set(range(len(truth))), []
    order = sorted(panels, key=lambda panel: -panel.score)
    shares = overlaps([panel.box for panel in order], truth) if truth and order else np.zeros((len(order), 0))
    for panel, row in zip(order, shares, strict=True):
        near = max(free, key=lambda place: row[place], default=None)
        hit = near is not None and row[near] >= bound
        if hit:
            free.discard(near)
        marks.append((panel.score, bool(hit)))
    return marks


def starts_found(caption: str, true: Sequence[int], found: Sequence[int]) -> Share:
    """Panel starts, as characters of a caption, met at most NEAR words away, each once."""
    place = {}
    number = 0
    for index, character in enumerate(caption):
        place[index] = number
        number += character == " "
    free = [place.get(start, 0) for start in true]
    right = 0
    for start in found:
        near = min(free, key=lambda one: abs(one - place.get(start, 0)), default=None)
        if near is not None and abs(near - place.get(start, 0)) <= NEAR:
            free.remove(near)
            right += 1
    return Share(right, len(found), len(true))


def sentence_bleu(found: str, truth: str) -> float:
    """BLEU of one text (Papineni et al., ACL 2002), longer n-grams counted with one more (Lin and Och, 2004)."""
    ours, theirs = found.lower().split(), truth.lower().split()
    if not ours or not theirs:
        return float(ours == theirs)
    total = 0.0
    for length in range(1, LONGEST + 1):
        mine, true = _grams(ours, length), _grams(theirs, length)
        right, of = sum((mine & true).values()), sum(mine.values())
        more = length > 1
        if not right + more:
            return 0.0
        total += math.log((right + more) / (of + more))
    short = min(0.0, 1 - len(theirs) / len(ours))
    return math.exp(short + total / LONGEST)


def _grams(words: Sequence[str], length: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[at : at + length]) for at in range(len(words) - length + 1))
