"""How much of a drawn corpus the stations read right: figures kept, panels, letters, pairs."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from scipy.optimize import linear_sum_assignment
from torchvision.ops import box_iou

from pipelines.phantom.truth import FigureTruth, PanelTruth
from pipelines.records import Pair, SeparatedFigure, Subfigure

SAME_PANEL = 0.5  # intersection over union, the usual bound of detection
SAME_TEXT = 0.7  # F1 of the words: a subcaption may lose a marker or gain a word of the preamble


def accuracy(
    truth: Sequence[FigureTruth], figures: Sequence[SeparatedFigure], pairs: Sequence[Pair]
) -> dict[str, float]:
    """Shares of 1.

    figures_kept: of all drawn figures, kept or left out as they should be. panels_f1: at IoU 0.5. letters: of the
    letters drawn, read right on the panel that lies on theirs. pairs: of the true panels of kept figures, those whose
    panel carries the right text (word F1 at least 0.7). pairs_labelled: the same over panels with a letter.
    """
    found = {figure.figure_id: figure for figure in figures}
    kept = [figure for figure in truth if figure.kept and figure.figure_id in found]
    made: dict[str, list[Pair]] = {figure.figure_id: [] for figure in kept}
    for pair in pairs:
        if pair.figure_id in made:
            made[pair.figure_id].append(pair)
    panels = [(panel, figure.figure_id) for figure in kept for panel in figure.panels]
    lettered = [(panel, figure_id) for panel, figure_id in panels if panel.label]
    return {
        "figures_kept": _share(figure.kept == (figure.figure_id in found) for figure in truth),
        "panels_f1": _panels_f1(kept, found),
        "letters": _share(_letter_is_right(panel, found[figure_id].subfigures) for panel, figure_id in lettered),
        "pairs": _share(_pair_is_right(panel, made[figure_id]) for panel, figure_id in panels),
        "pairs_labelled": _share(_pair_is_right(panel, made[figure_id]) for panel, figure_id in lettered),
    }


def word_f1(found: str, truth: str) -> float:
    """F1 of the words of two texts, as bags."""
    a, b = (Counter(re.findall(r"[a-z0-9]+", text.lower())) for text in (found, truth))
    return 2 * sum((a & b).values()) / max(1, sum(a.values()) + sum(b.values()))


def _pair_is_right(panel: PanelTruth, pairs: Sequence[Pair]) -> bool:
    best = _best(panel, [pair.box for pair in pairs])
    return best is not None and word_f1(pairs[best].text, panel.text) >= SAME_TEXT


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
