"""Panels to the words that speak of them: MedVL's rule (section 2.1), and one decision for all panels of a figure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from PIL import Image

from core.images import encode_jpeg, encode_small, open_image
from core.records import Figure, Match, Pair, SeparatedFigure, Split, SplitCaption, Subfigure
from pipelines.captions.markers import ROMANS
from pipelines.captions.modality import modality_of
from pipelines.letters.run import as_label
from pipelines.matching.alignment import alignment, decided
from pipelines.matching.calibration import Evidence, probability
from pipelines.matching.positions import FAR, nearest_places

Rule = Literal["paper", "joint", "whole"]
Text = Literal["full", "own"]
Decision = tuple[list[str], np.ndarray, list[int]]  # labels in their row, weights (panels, labels), each panel's label

TWO_SIGNS = re.compile(r"[A-Za-z](?:\d{1,2}|'+|[’′]+)")  # "a1", "B'"
OF_THEIR_OWN = ("letter", "order", "position")  # how a panel comes to a text of its own
FEW_WORDS = 3  # below it a panel's own words say little
WHOLE = -1  # the index of the whole figure among its panels
UNSPLIT = 0.8  # of captions without subcaptions are said of all panels, after 63 panels of phantom and real layouts
LIKELY = 0.7  # from which a panel gets the text of a label


def match(subfigures: Sequence[Subfigure], split: SplitCaption, caption: str, *, rule: Rule) -> list[Match]:
    """The text of every panel, in their order; under "whole" one match for the figure as it is."""
    if rule == "whole":
        return [_whole(WHOLE, caption, "the rule asks for whole figures")]
    if rule == "paper":
        return [_by_paper(index, panel, split, caption) for index, panel in enumerate(subfigures)]
    if len(subfigures) == 1:
        return [_alone(subfigures[0], caption)]
    words, texts = _texts(subfigures, split)
    if not texts or not subfigures:
        return [_unsplit(index, panel, split, caption) for index, panel in enumerate(subfigures)]
    if _are_places(texts):
        return _by_position(subfigures, texts, split.confidence, caption)
    return _jointly(subfigures, texts, split, words, caption)


def evidence_of(subfigures: Sequence[Subfigure], split: SplitCaption) -> list[Evidence]:
    """What the scores of a figure's panels are made from; empty where letters and order decide nothing."""
    words, texts = _texts(subfigures, split)
    if len(subfigures) < 2 or not texts or _are_places(texts):
        return []
    return _evidence(subfigures, texts, split, words, _decided(subfigures, texts))


def _texts(subfigures: Sequence[Subfigure], split: SplitCaption) -> tuple[dict[str, str], dict[str, str]]:
    """The own words of each label, and all that is said of it."""
    words = _of_whole_panels(_words(split), subfigures)
    return words, {label: _in_full(own, split) for label, own in words.items()}


def _are_places(labels: Iterable[str]) -> bool:
    """Whether the labels are words of place."""
    return all(re.fullmatch(r"[a-z]{3,}(?: [a-z]+)*", label) and label not in ROMANS for label in labels)


def told(split: SplitCaption, text: Text) -> SplitCaption:
    """What of a split caption goes to its panels: "full" all of it, "own" each panel's own words."""
    return own_words(split) if text == "own" else split


def own_words(split: SplitCaption) -> SplitCaption:
    """The subcaptions alone; one of fewer than three words takes the caption's beginning along."""
    parts = [
        part
        if len(part.text.split()) >= FEW_WORDS
        else replace(part, text=" ".join(filter(None, [split.preamble, part.text])))
        for part in split.subcaptions
    ]
    return replace(split, preamble="", subcaptions=parts, tail="") if parts else split


def believed(matches: Sequence[Match], caption: str, *, min_score: float) -> list[Match]:
    """The matches, those of a text of their own that are less sure than min_score (0 to 1) with the whole caption."""
    return [
        _whole(one.subfigure, caption, f"{one.reason}, but a score of {one.score:.2f}", one.label)
        if one.matched_by in OF_THEIR_OWN and one.score < min_score
        else one
        for one in matches
    ]


def match_figure(figure: SeparatedFigure, *, rule: Rule, min_score: float = 0.0) -> list[Match]:
    """The texts of a figure; one that JATS already separates keeps its published caption, or that of its letter."""
    if rule == "whole" or not is_part(figure):
        found = match(figure.subfigures, figure.split_caption, figure.caption, rule=rule)
        return believed(found, figure.caption, min_score=min_score)
    if figure.part_caption is None:
        part = Subfigure(box=(0, 0, figure.width, figure.height), score=1.0, label=_part_letter(figure.part_label))
        return [_by_paper(WHOLE, part, figure.split_caption, figure.caption)]
    published = Match(
        subfigure=WHOLE,
        label=figure.part_label,
        text=figure.part_caption,
        matched_by="published",
        score=1.0,
        reason="separated by the publisher",
    )
    return [published]


def is_part(figure: Figure) -> bool:
    """Whether JATS has separated a figure already: its graphic has a caption of its own, or a letter."""
    return figure.part_caption is not None or _part_letter(figure.part_label) is not None


def _part_letter(label: str | None) -> str | None:
    """The letter of a part as publishers write it: "(A)", "a.", "Figure 2B"; None where a whole figure is meant."""
    numbered = re.fullmatch(r"\D*\d+\s?\(?([A-Za-z])\)?[.:]?", label or "")
    return numbered[1] if numbered else as_label(label or "")


def make_pairs(
    figure: SeparatedFigure, *, rule: Rule, split: Split, min_score: float = 0.0, train_side: int | None = None
) -> list[Pair]:
    """Every match of a figure with its pixels. Raises images.ImageError where the figure's image cannot be opened.

    train_side: see tables.train_side.
    """
    image = open_image(figure.image).image
    found = match_figure(figure, rule=rule, min_score=min_score)
    return [_pair(figure, image, match, split, train_side) for match in found]


def _pair(figure: SeparatedFigure, image: Image.Image, found: Match, split: Split, train_side: int | None) -> Pair:
    whole = found.subfigure == WHOLE
    box = (0, 0, image.width, image.height) if whole else figure.subfigures[found.subfigure].box
    panel = image if whole else image.crop(box)
    return Pair(
        pair_id=f"{figure.figure_id}#{'whole' if whole else found.subfigure}",
        figure_id=figure.figure_id,
        article_id=figure.article_id,
        split=split,
        image=encode_jpeg(panel),
        small=encode_small(panel, train_side),
        width=panel.width,
        height=panel.height,
        box=box,
        label=found.label,
        text=found.text,
        matched_by=found.matched_by,
        score=found.score,
        reason=found.reason,
        licence=figure.licence,
        attribution=figure.attribution,
        media_url=figure.media_url,
        md5=figure.md5,
        modality=modality_of(found.text, figure.caption),
        permission=figure.permission,
    )


def _whole(index: int, caption: str, reason: str, label: str | None = None) -> Match:
    return Match(subfigure=index, label=label, text=caption, matched_by="whole", score=0.0, reason=reason)


def _unsplit(index: int, panel: Subfigure, split: SplitCaption, caption: str) -> Match:
    """The whole caption, where it speaks of no panel by itself."""
    score = UNSPLIT * (1 - split.confidence) * panel.score
    return Match(subfigure=index, label=panel.label, text=caption, matched_by="whole", score=score, reason=split.reason)


def _alone(panel: Subfigure, caption: str) -> Match:
    reason = "the only panel"
    return Match(subfigure=0, label=panel.label, text=caption, matched_by="single", score=panel.score, reason=reason)


def _words(split: SplitCaption) -> dict[str, str]:
    """The own words of each label; of one said twice, both."""
    own: dict[str, str] = {}
    for part in split.subcaptions:
        for label in part.labels:
            own[label] = f"{own[label]} {part.text}" if label in own else part.text
    return own


def _of_whole_panels(words: dict[str, str], panels: Sequence[Subfigure]) -> dict[str, str]:
    """The words of A1 and A2 as those of A, where panels are printed with A and are about as many as such letters."""
    heads = {label: label[0] if TWO_SIGNS.fullmatch(label) else label for label in words}
    printed = any(panel.label is not None and TWO_SIGNS.fullmatch(panel.label) for panel in panels)
    if printed or abs(len(panels) - len(set(heads.values()))) >= abs(len(panels) - len(words)):
        return words
    joined: dict[str, list[str]] = {}
    for label, own in words.items():
        joined.setdefault(heads[label], []).append(own)
    return {head: " ".join(own) for head, own in joined.items()}


def _in_full(own: str, split: SplitCaption) -> str:
    """All that a caption says of a panel: what it says of all at its beginning, the panel's own words, its end."""
    return " ".join(filter(None, [split.preamble, own, split.tail]))


def _by_paper(index: int, panel: Subfigure, split: SplitCaption, caption: str) -> Match:
    """The subcaption whose label is the letter read; with no such subcaption, or more than one, the whole caption."""
    if panel.label is None:
        return _whole(index, caption, "no letter read")
    said = [label for part in split.subcaptions for label in part.labels if label.lower() == panel.label.lower()]
    if len(said) != 1:
        return _whole(index, caption, f"letter {panel.label} names {len(said)} subcaptions", panel.label)
    score = panel.score if panel.label_score is None else panel.label_score
    return _by_letter(index, said[0], _in_full(_words(split)[said[0]], split), score)


def _jointly(
    panels: Sequence[Subfigure], texts: dict[str, str], split: SplitCaption, own: dict[str, str], caption: str
) -> list[Match]:
    """One decision for all panels of a figure; texts: all that is said of each label, own: its own words."""
    decision = _decided(panels, texts)
    labels, weights, chosen = decision
    seen = _evidence(panels, texts, split, own, decision)
    n_lettered = sum(_says(panel, labels) for panel in panels)
    matches = []
    for index, (panel, choice, evidence) in enumerate(zip(panels, chosen, seen, strict=True)):
        label, score = labels[choice], round(probability(evidence), 4)
        if evidence.likelihood < LIKELY:
            matches.append(_whole(index, caption, _doubt(panels, labels, weights[index]), panel.label))
        elif _says(panel, [label]):
            matches.append(_by_letter(index, label, texts[label], score))
        else:
            reason = f"reading order, {n_lettered} letters agree"
            matches.append(
                Match(subfigure=index, label=label, text=texts[label], matched_by="order", score=score, reason=reason)
            )
    return matches


def _decided(panels: Sequence[Subfigure], texts: dict[str, str]) -> Decision:
    """The labels in their row, their weights (panels, labels), and the place of the one that each panel has."""
    labels = _in_row(texts)
    weights = alignment(panels, labels)
    return labels, weights, decided(weights)


def _evidence(
    panels: Sequence[Subfigure],
    texts: dict[str, str],
    split: SplitCaption,
    own: dict[str, str],
    decision: Decision,
) -> list[Evidence]:
    """What speaks for the text that each panel gets."""
    labels, weights, chosen = decision
    alike = np.array([[texts[one] == texts[other] for other in labels] for one in labels])  # of a range, "(A-C)"
    likelihoods = weights @ alike
    return [
        Evidence(
            likelihood=float(likelihoods[index, choice]),
            panel=panel.score,
            is_even=len(panels) == len(labels),
            confidence=split.confidence,
            has_tail=bool(split.tail),
            own_words=len(own[labels[choice]].split()),
        )
        for index, (panel, choice) in enumerate(zip(panels, chosen, strict=True))
    ]


def _by_letter(index: int, label: str, text: str, score: float) -> Match:
    return Match(subfigure=index, label=label, text=text, matched_by="letter", score=score, reason=f"letter {label}")


def _says(panel: Subfigure, labels: Sequence[str]) -> bool:
    return panel.label is not None and panel.label.lower() in [label.lower() for label in labels]


def _doubt(panels: Sequence[Subfigure], labels: Sequence[str], likelihoods: np.ndarray) -> str:
    """Why a panel keeps the whole caption; likelihoods: of each label for it, (labels,)."""
    strange = [panel.label for panel in panels if panel.label is not None and not _says(panel, labels)]
    if strange and likelihoods.sum() < LIKELY:
        n_read = sum(panel.label is not None for panel in panels)
        return f"{len(strange)} of {n_read} letters read disagree with the caption"
    first, second = np.argsort(-likelihoods, kind="stable")[:2] if len(labels) > 1 else (0, 0)
    return f"{len(panels)} panels, {len(labels)} labels: as well {labels[first]} as {labels[second]}"


def _in_row(labels: Iterable[str]) -> list[str]:
    """Labels in their row: i, ii, iv; a, b, b1, b2; 2, 10."""
    listed = list(labels)
    if any(len(label) > 1 and label.lower() in ROMANS for label in listed):
        return sorted(listed, key=lambda label: (*ROMANS, label.lower()).index(label.lower()))
    return sorted(listed, key=_natural)


def _natural(label: str) -> tuple[str, int, str]:
    letters, digits, rest = re.fullmatch(r"(\D*)(\d*)(.*)", label, re.DOTALL).groups()  # type: ignore[union-attr]
    return letters.lower(), int(digits or 0), rest


def _by_position(panels: Sequence[Subfigure], texts: dict[str, str], confidence: float, caption: str) -> list[Match]:
    """Panels to words of place, where they are near enough."""
    labels = list(texts)
    matches = []
    for index, (place, distance) in enumerate(nearest_places([panel.box for panel in panels], labels)):
        label, panel = labels[place], panels[index]
        if distance > FAR:
            matches.append(_whole(index, caption, "lies at none of the places named", panel.label))
            continue
        score, reason = panel.score * (1 - distance) * confidence, f"lies {label}"
        matches.append(
            Match(subfigure=index, label=label, text=texts[label], matched_by="position", score=score, reason=reason)
        )
    return matches
