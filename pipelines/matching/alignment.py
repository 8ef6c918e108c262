"""Panels aligned with the labels of a caption: one probabilistic decision per figure, by forward and backward sums.

The panels, in an order in which people read, walk through the labels like a hidden Markov chain (Rabiner 1989): mostly
one label on, sometimes none, where a label spans several panels, or more, where panels are missing. Letters read speak
for labels as far as they look like them.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.records import Subfigure
from pipelines.letters.run import likeness
from pipelines.separation.reading_order import down_columns, reading_order

Weights = NDArray[np.float64]

# Of 103 real figures whose letters follow rows, columns or neither but not both, 79, 9 and 15.
ROWS, COLUMNS, AS_READ = 0.8, 0.12, 0.08
SHARED = 0.05  # of the panels that have no label of their own, at least
ABSENT = 0.05  # of the labels that no panel has, at least
BACK = 0.001  # anywhere else
ASIDE, UNLETTERED = 0.02, 0.3  # a panel that no label speaks of, and that it has no letter
REPEATED = 0.05  # a letter on a panel that shares the label of the one before
STRANGE = 0.003  # a letter read that is none of those it is taken for
UNRELATED = 0.02  # that caption and panels have nothing to do with each other
ANY_LETTER = 1 / 26  # a letter on a panel that no caption speaks of
CASE = 0.9  # a letter that is a label but for its case
MISREAD = 0.2  # a letter taken for one that looks like it
TIE = 0.01  # of place, between panels whose letters decide nothing
WITHIN_ROW = 0.3  # of a step to the next label, where labels are fewer than panels


def alignment(panels: Sequence[Subfigure], labels: Sequence[str]) -> Weights:
    """How likely each panel is what each label names, (panels, labels); what a row lacks to 1 is that none names it.

    labels: of the caption, in their row; at least one.
    """
    said = np.array([[_agreement(panel, label) for label in labels] for panel in panels])  # (panels, labels)
    lettered = np.array([panel.label is not None for panel in panels])
    boxes = np.array([panel.box for panel in panels])
    rows, columns = reading_order([panel.box for panel in panels]), down_columns([panel.box for panel in panels])
    total = UNRELATED * ANY_LETTER ** int(lettered.sum())
    weights = np.zeros(said.shape)
    for prior, order, axis in ((ROWS, rows, 0), (COLUMNS, columns, 1), (AS_READ, _as_read(said, lettered, rows), 0)):
        turns = np.diff(boxes[order, axis], prepend=np.inf) < 0  # (panels,) where a row or column begins
        walks, total_of_order = _walks(said[order], lettered[order], turns)
        weights[order] += prior * walks
        total += prior * total_of_order
    return np.asarray(weights / total)


def decided(weights: Weights) -> list[int]:
    """The label of each panel in the likeliest assignment; labels may be shared where panels are more than labels."""
    n_panels, n_labels = weights.shape
    if n_panels > n_labels:
        return [int(label) for label in weights.argmax(axis=1)]
    _, columns = linear_sum_assignment(weights, maximize=True)
    return [int(label) for label in columns]


def _agreement(panel: Subfigure, label: str) -> float:
    """How likely the letter read on a panel is if its label is this one; 1 where none was read."""
    if panel.label is None:
        return 1.0
    score = 1.0 if panel.label_score is None else panel.label_score
    return max(STRANGE, score * resemblance(panel.label, label))


def resemblance(read: str, label: str) -> float:
    """How far a letter read is a label of the caption, 0 to 1; captions and figures may differ in case."""
    if read.lower() == label.lower():
        return 1.0 if read == label else CASE
    return MISREAD * max(likeness(read, label), likeness(read.lower(), label.lower()))


def _as_read(said: Weights, lettered: NDArray[np.bool_], order: Sequence[int]) -> list[int]:
    """The panels in the order of the letters read on them; those without one take the labels that are left in order."""
    n_panels, n_labels = said.shape
    places = np.linspace(0, n_labels - 1, n_panels)[np.argsort(order)]  # (panels,) were they evenly spread
    near = 1 - np.abs(places[:, None] - np.arange(n_labels)[None]) / n_labels
    labels = np.full(n_panels, float(n_labels))
    rows, columns = linear_sum_assignment(np.where(lettered[:, None], said, 0) + TIE * near, maximize=True)
    labels[rows] = columns
    return [int(index) for index in np.lexsort((np.argsort(order), labels))]


def _walks(said: Weights, lettered: NDArray[np.bool_], turns: NDArray[np.bool_]) -> tuple[Weights, float]:
    """The weight of all walks that have each panel at each label, (panels, labels), and of all walks.

    said: (panels, labels), lettered: (panels,), turns: (panels,), all in the order of the walk. Inside, a place before
    the first label comes first.
    """
    n_panels, n_labels = said.shape
    shared = max(SHARED, 1 - n_labels / n_panels)  # of the panels
    absent = max(ABSENT, 1 - n_panels / n_labels)  # of the labels
    ahead = np.arange(n_labels + 1)[None] - np.arange(n_labels + 1)[:, None]  # (from, to)
    step = np.where(ahead > 0, absent ** np.maximum(ahead - 1, 0), np.where(ahead < 0, BACK, 0.0)) * (1 - shared)
    enter = np.where(lettered[:, None], said, _missed(lettered, n_labels))
    if n_panels > n_labels:
        enter = np.where(turns[:, None], enter, WITHIN_ROW * enter)
    stay = shared * np.where(lettered[:, None], REPEATED * said, 1.0)
    enter, stay = (np.pad(weights, ((0, 0), (1, 0))) for weights in (enter, stay))
    aside = ASIDE * np.where(lettered, ANY_LETTER, UNLETTERED)  # (panels,)
    forward, backward = np.zeros((n_panels + 1, n_labels + 1)), np.zeros((n_panels + 1, n_labels + 1))
    forward[0, 0] = 1.0
    backward[-1] = absent ** np.arange(n_labels + 1)[::-1]
    for k in range(n_panels):
        forward[k + 1] = (forward[k] @ step) * enter[k] + forward[k] * (stay[k] + aside[k])
    for k in reversed(range(n_panels)):
        backward[k] = step @ (enter[k] * backward[k + 1]) + (stay[k] + aside[k]) * backward[k + 1]
    named = ((forward[:-1] @ step) * enter + forward[:-1] * stay) * backward[1:]
    return np.asarray(named[:, 1:]), float(backward[0, 0])


def _missed(lettered: NDArray[np.bool_], n_labels: int) -> float:
    """How often the letter of a label was not read in this figure; lettered: (panels,)."""
    expected, n_read = min(len(lettered), n_labels), int(lettered.sum())
    return (1 + max(0, expected - n_read)) / (2 + expected) if n_read else 1.0
