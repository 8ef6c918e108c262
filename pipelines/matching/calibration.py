"""A pair's score: how often such pairs have the right text, by a logistic regression on labelled figures.

Fitted by `python -m bench.readings` on the A halves of two sets of composed figures (captions of brain case reports and
of all biology on real layouts), 867 panels; `docs/results.md` has its calibration error on the B halves, and with one
source left out.
"""

from dataclasses import dataclass
from math import exp, log1p, log10

CERTAIN = 1e-5  # a likelihood is at most so near to 1
WHOLE_RUN = 0.95  # a caption's confidence from which its labels are an unbroken run of plain letters
HOLED = (
    0.88  # and below which one is missing or they are of an unusual kind: few such were fitted, so it lowers the score
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What speaks for a panel's text; likelihood, panel and confidence from 0 to 1."""

    likelihood: float  # of the label, among all labels of the figure
    panel: float  # how sure the detector is
    is_even: bool  # whether there are as many panels as labels
    confidence: float  # of the caption's labels
    has_tail: bool  # whether the caption ends in words that were taken for all panels'
    own_words: int  # of the label


INTERCEPT = 3.12
WEIGHTS = (0.25, 0.49, -0.31, 0.36, -2.25, -0.46)  # in the order of `features`


def features(evidence: Evidence) -> tuple[float, ...]:
    """What the regression weighs."""
    return (
        -log10(max(CERTAIN, 1 - evidence.likelihood)),
        evidence.panel,
        float(not evidence.is_even),
        float(evidence.confidence < WHOLE_RUN),
        float(evidence.has_tail),
        log1p(evidence.own_words),
    )


def probability(evidence: Evidence) -> float:
    """How likely the text is right, 0 to 1."""
    total = INTERCEPT + sum(weight * value for weight, value in zip(WEIGHTS, features(evidence), strict=True))
    return min(1.0, evidence.confidence / HOLED) / (1 + exp(-total))
