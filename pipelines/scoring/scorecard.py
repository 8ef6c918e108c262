"""What separation, letters, subcaptions and pairs are worth against a labelled set, figure by figure.

The measures are those of the field: ImageCLEF's of figure separation (de Herrera et al., 2016), F1 at an overlap (IoU),
and the F1 of words. Each is a ratio of two sums over figures or captions, so that resampling these gives its interval.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

import numpy as np
from numpy.typing import NDArray

from core.records import SplitCaption, Subfigure

Words = Counter[str]
AnyBox = tuple[float, float, float, float]  # left, top, right, bottom in pixels
Overlaps = NDArray[np.float64]
INSIDE = 2 / 3  # of a found panel that must lie in the true one: ImageCLEF
SAME_PANEL = 0.5  # intersection over union, the usual bound of detection
SAME_WORDS = 0.7  # F1 of the words that tell a panel from the others of its figure: one may be lost or gained
SAME_TEXT = 0.9  # F1 of all words
RESAMPLED = 2_000  # times
INTERVAL = (2.5, 97.5)  # percentiles


@dataclass(frozen=True, slots=True)
class TruePanel:
    """A panel as people marked it."""

    box: AnyBox
    label: str | None
    text: str | None = None  # its own words, or the whole caption where it has none; None: nobody has said


@dataclass(frozen=True, slots=True)
class TrueFigure:
    """A figure as people marked it; `kind` groups figures: where its letters stand, or "single"."""

    image: str
    kind: str
    caption: str
    panels: list[TruePanel]


@dataclass(frozen=True, slots=True)
class TrueCaption:
    """A caption as people split it: the words of each label; none where it speaks of one panel."""

    id: str
    caption: str
    is_compound: bool
    parts: dict[str, Words]


@dataclass(frozen=True, slots=True)
class FoundPair:
    """A box and its text, as the line found them, and how sure it is, 0 to 1."""

    box: AnyBox
    text: str
    score: float | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """What one figure or caption adds to a measure: so much right, of so much."""

    right: float
    of: float


@dataclass(frozen=True, slots=True)
class Measure:
    """A share of 1 with its 95 % interval, over so many figures or captions, and so many of what is counted."""

    value: float
    low: float
    high: float
    items: int
    of: float


Tallies = dict[str, Tally]


def measures(tallies: Sequence[Tallies], *, seed: int) -> dict[str, Measure]:
    """Every measure over all items; its interval is the percentile bootstrap over items."""
    names = sorted({name for item in tallies for name, tally in item.items() if tally.of})
    return {name: _measure([item[name] for item in tallies if name in item], seed) for name in names}


def _measure(tallies: Sequence[Tally], seed: int) -> Measure:
    counts = np.array([(tally.right, tally.of) for tally in tallies])  # (items, 2)
    n = len(tallies)
    drawn = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=RESAMPLED) @ counts  # (RESAMPLED, 2)
    resampled = drawn[drawn[:, 1] > 0]
    low, high = np.percentile(resampled[:, 0] / resampled[:, 1], INTERVAL)
    right, of = counts.sum(axis=0)
    return Measure(float(right / of), float(low), float(high), n, float(of))


def separation(truth: TrueFigure, found: Sequence[Subfigure]) -> Tallies:
    """Panels and letters of one figure."""
    true_boxes, boxes = [panel.box for panel in truth.panels], [panel.box for panel in found]
    both = len(true_boxes) + len(boxes)
    accuracy = Tally(imageclef(true_boxes, boxes), 1)
    told = {f"imageclef_{truth.kind}": accuracy}
    if truth.kind == "single":
        told["single_kept_whole"] = Tally(accuracy.right == 1.0, 1)
    else:
        told["imageclef_compound"] = accuracy
    for bound in (0.5, 0.75):
        told[f"f1_iou{bound}"] = Tally(2 * same_boxes(true_boxes, boxes, bound), both)
    lettered = [panel for panel in truth.panels if panel.label]
    if lettered:
        letters = Tally(sum(letter_is_right(panel, found) for panel in lettered), len(lettered))
        told |= {"letters": letters, f"letters_{truth.kind}": letters}
    return told


def splitting(truth: TrueCaption, found: SplitCaption) -> Tallies:
    """Subcaptions of one caption."""
    texts: dict[str, list[str]] = {}
    for part in found.subcaptions:
        for label in part.labels:
            texts.setdefault(bare(label), []).append(part.text)
    is_split = len(texts) > 1
    if not truth.is_compound:
        return {"false_splits": Tally(is_split, 1)}
    told = {
        "compound_found": Tally(is_split, 1),
        "label_set_exact": Tally(texts.keys() == truth.parts.keys(), 1),
        "label_f1": Tally(2 * len(texts.keys() & truth.parts.keys()), len(texts) + len(truth.parts)),
    }
    if truth.parts:
        told["token_f1"] = Tally(sum(_token_f1(truth, found, texts)), len(truth.parts))
    return {name: tally for name, tally in told.items() if tally.of}


def _token_f1(truth: TrueCaption, found: SplitCaption, texts: Mapping[str, Sequence[str]]) -> Iterable[float]:
    """The F1 of the words of each true label; the best of the text, with preamble, with preamble and tail."""
    shared = in_all(truth.parts.values())
    for label, true_words in truth.parts.items():
        if label not in texts:
            yield 0.0
            continue
        text = " ".join(texts[label])
        forms = (text, f"{found.preamble} {text}", f"{found.preamble} {text} {found.tail}")
        yield max(word_f1(words(form) - shared, true_words - shared) for form in forms)


def pairing(truth: TrueFigure, found: Sequence[FoundPair]) -> Tallies:
    """Panels of one figure that carry the right text; none where nobody has said which is right."""
    verdicts = [right for right in pairs_right(truth, found) if right is not None]
    return {"pairs": Tally(sum(verdicts), len(verdicts))} if verdicts else {}


def pairs_right(truth: TrueFigure, found: Sequence[FoundPair]) -> list[bool | None]:
    """Whether each true panel carries its text; words that all labels of the figure share count on neither side."""
    by_label = {bare(panel.label): words(panel.text) for panel in truth.panels if panel.label and panel.text}
    shared = in_all(by_label.values())
    verdicts: list[bool | None] = []
    for panel in truth.panels:
        if panel.text is None:
            verdicts.append(None)
            continue
        place = best(panel.box, [pair.box for pair in found])
        verdicts.append(place is not None and same_text(words(found[place].text), words(panel.text), shared))
    return verdicts


def same_text(found: Words, truth: Words, shared: Words) -> bool:
    """Whether a text is the true one: nearly all of its own words, or of all its words."""
    return word_f1(found - shared, truth - shared) >= SAME_WORDS or word_f1(found, truth) >= SAME_TEXT


def imageclef(truth: Sequence[AnyBox], found: Sequence[AnyBox]) -> float:
    """ImageCLEF's accuracy of one figure: true panels in which a found one lies, over the larger of both counts.

    A found panel lies in a true one if two thirds of its own area do; each counts once.
    """
    if not truth or not found:
        return 0.0
    area, shared = _areas(found), _intersections(truth, found)
    inside = np.divide(shared, area, out=np.zeros_like(shared), where=area > 0) >= INSIDE  # (true, found)
    free, right = np.ones(len(found), dtype=bool), 0
    for row in inside:
        lying = np.flatnonzero(row & free)
        if lying.size:
            free[lying[0]] = False
            right += 1
    return right / max(len(truth), len(found))


def same_boxes(truth: Sequence[AnyBox], found: Sequence[AnyBox], bound: float) -> int:
    """How many found boxes are true ones, one to one, the closest first (as in detection's F1 and precision)."""
    if not truth or not found:
        return 0
    overlap, right = overlaps(truth, found), 0
    while (closest := overlap.max()) >= bound and closest > 0:
        row, column = np.unravel_index(overlap.argmax(), overlap.shape)
        overlap[row, :] = overlap[:, column] = -1
        right += 1
    return right


def letter_is_right(panel: TruePanel, found: Sequence[Subfigure]) -> bool:
    """Whether the panel that lies on this one carries its letter, brackets and case aside."""
    place = best(panel.box, [subfigure.box for subfigure in found])
    return place is not None and bare(found[place].label) == bare(panel.label)


def best(box: AnyBox, found: Sequence[AnyBox]) -> int | None:
    """The box that lies on this one, None if none does."""
    if not found:
        return None
    overlap = overlaps([box], found)[0]
    place = int(overlap.argmax())
    return place if overlap[place] >= SAME_PANEL else None


def overlaps(truth: Sequence[AnyBox], found: Sequence[AnyBox]) -> Overlaps:
    """Intersection over union, (true, found)."""
    shared = _intersections(truth, found)
    union = _areas(truth)[:, None] + _areas(found) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def _intersections(truth: Sequence[AnyBox], found: Sequence[AnyBox]) -> Overlaps:
    a, b = np.array(truth, dtype=float)[:, None], np.array(found, dtype=float)[None]  # (true, 1, 4), (1, found, 4)
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])
    return np.asarray(sides.clip(min=0).prod(axis=-1))


def _areas(boxes: Sequence[AnyBox]) -> Overlaps:
    corners = np.array(boxes, dtype=float).reshape(-1, 2, 2)
    return np.asarray((corners[:, 1] - corners[:, 0]).clip(min=0).prod(axis=-1))


def words(text: str | None) -> Words:
    """The words of a text as a bag, in lower case."""
    return Counter(re.findall(r"[a-z0-9]+", (text or "").lower()))


def word_f1(found: Words, truth: Words) -> float:
    """F1 of two bags of words; two empty ones agree."""
    total = found.total() + truth.total()
    return 2 * (found & truth).total() / total if total else 1.0


def in_all(texts: Iterable[Words]) -> Words:
    """The words that all of several texts have; none of a single text's."""
    listed = list(texts)
    return reduce(and_, listed) if len(listed) > 1 else Counter()


def bare(label: str | None) -> str:
    """A label without brackets and case, for comparison: "(A)" and "a" are one."""
    return re.sub(r"[^a-z0-9]", "", (label or "").lower())
