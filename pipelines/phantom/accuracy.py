"""How much of a drawn corpus the stations read right: figures kept, panels, letters, pairs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_

import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from pipelines.phantom.truth import FigureTruth, PanelTruth
from pipelines.records import Pair, SeparatedFigure, Subfigure

Words = Counter[str]
SAME_PANEL = 0.5  # intersection over union, the usual bound of detection
SAME_WORDS = 0.7  # F1 of the words that tell a panel from the others of its figure: one may be lost or gained
SAME_TEXT = 0.9  # F1 of all words


def accuracy(
    truth: Sequence[FigureTruth], figures: Sequence[SeparatedFigure], pairs: Sequence[Pair]
) -> dict[str, float]:
    """Shares of 1.

    figures_kept: of all drawn figures, kept or left out as they should be. panels_f1: at IoU 0.5. letters: of the
    letters drawn, read right on the panel that lies on theirs. pairs: of the true panels of kept figures, those whose
    panel carries the right text; words that all panels of a figure share count on neither side, since they may be given
    to each panel or to none. pairs_labelled: the same over panels with a letter.
    """
    found = {figure.figure_id: figure for figure in figures}
    kept = [figure for figure in truth if figure.kept and figure.figure_id in found]
    made: dict[str, list[Pair]] = {figure.figure_id: [] for figure in kept}
    for pair in pairs:
        if pair.figure_id in made:
            made[pair.figure_id].append(pair)
    lettered = [(panel, figure.figure_id) for figure in kept for panel in figure.panels if panel.label]
    judged = [verdict for figure in kept for verdict in _verdicts(figure, made[figure.figure_id])]
    return {
        "figures_kept": _share(figure.kept == (figure.figure_id in found) for figure in truth),
        "panels_f1": _panels_f1(kept, found),
        "letters": _share(_letter_is_right(panel, found[figure_id].subfigures) for panel, figure_id in lettered),
        "pairs": _share(panel_is_right for panel_is_right, _ in judged),
        "pairs_labelled": _share(panel_is_right for panel_is_right, panel in judged if panel.label),
    }


def word_f1(found: Words, truth: Words) -> float:
    """F1 of two bags of words."""
    return 2 * (found & truth).total() / max(1, found.total() + truth.total())


def words(text: str) -> Words:
    """The words of a text as a bag, in lower case."""
    return Counter(re.findall(r"[a-z0-9]+", text.lower()))


def _verdicts(figure: FigureTruth, pairs: Sequence[Pair]) -> list[tuple[bool, PanelTruth]]:
    """Whether each panel of a figure carries its text."""
    boxes = [pair.box for pair in pairs]
    best = [_best(panel, boxes) for panel in figure.panels]
    texts = [words(pairs[place].text) if place is not None else Counter() for place in best]
    true = [words(panel.text) for panel in figure.panels]
    own, own_true = _own(texts), _own(true)
    return [
        (word_f1(texts[n], true[n]) >= SAME_TEXT or word_f1(own[n], own_true[n]) >= SAME_WORDS, panel)
        for n, panel in enumerate(figure.panels)
    ]


def _own(texts: Sequence[Words]) -> list[Words]:
    """Each text without the words that all of them have."""
    there = [text for text in texts if text]
    shared = reduce(and_, there) if len(there) > 1 else Counter()
    return [text - shared for text in texts]


def _letter_is_right(panel: PanelTruth, subfigures: Sequence[Subfigure]) -> bool:
    best = _best(panel, [subfigure.box for subfigure in subfigures])
    return best is not None and subfigures[best].label == panel.label


def _best(panel: PanelTruth, boxes: Sequence[tuple[int, int, int, int]]) -> int | None:
    """The box that lies on the panel, None if none does."""
    if not boxes:
        return None
    overlap, best = box_iou(_tensor([panel.box]), _tensor(boxes))[0].max(dim=0)
    return int(best) if float(overlap) >= SAME_PANEL else None


def _panels_f1(kept: Sequence[FigureTruth], found: dict[str, SeparatedFigure]) -> float:
    hits = total = 0
    for figure in kept:
        boxes = [subfigure.box for subfigure in found[figure.figure_id].subfigures]
        total += len(boxes) + len(figure.panels)
        if boxes and figure.panels:
            overlap = box_iou(_tensor([panel.box for panel in figure.panels]), _tensor(boxes)).numpy()  # (true, found)
            rows, columns = linear_sum_assignment(-overlap)
            hits += int((overlap[rows, columns] >= SAME_PANEL).sum())
    return 2 * hits / max(1, total)


def _tensor(boxes: Sequence[tuple[int, int, int, int]]) -> torch.Tensor:
    return torch.tensor(boxes, dtype=torch.float32)


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / max(1, len(listed))
