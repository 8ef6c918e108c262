"""How much of a drawn corpus the stations read right: figures kept, panels, letters, pairs."""

from collections import Counter
from collections.abc import Iterable, Sequence

from core.records import Pair, SeparatedFigure, Subfigure
from pipelines.scoring.scorecard import (
    SAME_PANEL,
    SAME_TEXT,
    SAME_WORDS,
    Words,
    best,
    in_all,
    same_boxes,
    word_f1,
    words,
)
from pipelines.scoring.truth import FigureTruth, PanelTruth


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


def _verdicts(figure: FigureTruth, pairs: Sequence[Pair]) -> list[tuple[bool, PanelTruth]]:
    """Whether each panel of a figure carries its text."""
    boxes = [pair.box for pair in pairs]
    places = [best(panel.box, boxes) for panel in figure.panels]
    texts = [words(pairs[place].text) if place is not None else Counter() for place in places]
    true = [words(panel.text) for panel in figure.panels]
    own, own_true = _own(texts), _own(true)
    return [
        (word_f1(texts[n], true[n]) >= SAME_TEXT or word_f1(own[n], own_true[n]) >= SAME_WORDS, panel)
        for n, panel in enumerate(figure.panels)
    ]


def _own(texts: Sequence[Words]) -> list[Words]:
    """Each text without the words that all of them have."""
    shared = in_all(text for text in texts if text)
    return [text - shared for text in texts]


def _letter_is_right(panel: PanelTruth, subfigures: Sequence[Subfigure]) -> bool:
    place = best(panel.box, [subfigure.box for subfigure in subfigures])
    return place is not None and subfigures[place].label == panel.label


def _panels_f1(kept: Sequence[FigureTruth], found: dict[str, SeparatedFigure]) -> float:
    hits = total = 0
    for figure in kept:
        boxes = [subfigure.box for subfigure in found[figure.figure_id].subfigures]
        total += len(boxes) + len(figure.panels)
        hits += same_boxes([panel.box for panel in figure.panels], boxes, SAME_PANEL)
    return 2 * hits / max(1, total)


def _share(values: Iterable[bool]) -> float:
    listed = list(values)
    return sum(listed) / max(1, len(listed))
