"""Panels to the words that speak of them: MedVL's rule (section 2.1), and one decision for all panels of a figure."""

import re
from collections.abc import Sequence
from typing import Literal

import numpy as np
from PIL import Image
from scipy.optimize import linear_sum_assignment

from pipelines.images import encode_jpeg, open_image
from pipelines.markers import ROMANS
from pipelines.reading_order import down_columns, reading_order
from pipelines.records import Box, Match, Pair, SeparatedFigure, Split, SplitCaption, Subfigure

Rule = Literal["paper", "joint", "whole"]

WHOLE = -1  # the index of the whole figure among its panels
FEW_WORDS = 3  # below it a subcaption takes the preamble along
PLACE_WEIGHT = 0.25  # of reading order beside a letter read with certainty
AGREEING = 0.5  # share of the letters read that must agree before the other panels go by order
FAR = 0.35  # of the figure's extent; two panels of three are 0.5 apart
AIMS = {"left": (0, 0.0), "right": (0, 1.0), "upper": (1, 0.0), "top": (1, 0.0), "lower": (1, 1.0), "bottom": (1, 1.0)}
MIDDLE = ("middle", "center", "centre", "central")


def match(subfigures: Sequence[Subfigure], split: SplitCaption, caption: str, *, rule: Rule) -> list[Match]:
    """The text of every panel, in their order; under "whole" one match for the figure as it is."""
    if rule == "whole":
        return [_whole(WHOLE, caption, "the rule asks for whole figures")]
    if len(subfigures) == 1:
        return [_alone(subfigures[0], caption)]
    texts = _texts(split)
    if rule == "paper":
        return [_by_paper(index, subfigure, texts, caption) for index, subfigure in enumerate(subfigures)]
    if not texts or not subfigures:
        return [_whole(index, caption, split.reason, panel.label) for index, panel in enumerate(subfigures)]
    return _jointly(subfigures, texts, caption)


def match_figure(figure: SeparatedFigure, *, rule: Rule) -> list[Match]:
    """The texts of a figure; one that JATS already separates keeps its published caption."""
    if figure.part_caption is None or rule == "whole":
        return match(figure.subfigures, figure.split_caption, figure.caption, rule=rule)
    published = Match(
        subfigure=WHOLE,
        label=figure.part_label,
        text=figure.part_caption,
        matched_by="published",
        score=1.0,
        reason="separated by the publisher",
    )
    return [published]


def make_pairs(figure: SeparatedFigure, *, rule: Rule, split: Split) -> list[Pair]:
    """Every match of a figure with its pixels. Raises images.ImageError where the figure's image cannot be opened."""
    image = open_image(figure.image).image
    return [_pair(figure, image, found, split) for found in match_figure(figure, rule=rule)]


def _pair(figure: SeparatedFigure, image: Image.Image, found: Match, split: Split) -> Pair:
    whole = found.subfigure == WHOLE
    box = (0, 0, image.width, image.height) if whole else figure.subfigures[found.subfigure].box
    panel = image if whole else image.crop(box)
    return Pair(
        pair_id=f"{figure.figure_id}#{'whole' if whole else found.subfigure}",
        figure_id=figure.figure_id,
        article_id=figure.article_id,
        split=split,
        image=encode_jpeg(panel),
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
    )


def _whole(index: int, caption: str, reason: str, label: str | None = None) -> Match:
    return Match(subfigure=index, label=label, text=caption, matched_by="whole", score=0.0, reason=reason)


def _alone(panel: Subfigure, caption: str) -> Match:
    reason = "the only panel"
    return Match(subfigure=0, label=panel.label, text=caption, matched_by="single", score=panel.score, reason=reason)


def _texts(split: SplitCaption) -> dict[str, str]:
    """The text of each label, in the order of the labels; labels said twice keep both texts."""
    texts: dict[str, str] = {}
    for part in split.subcaptions:
        text = part.text if len(part.text.split()) >= FEW_WORDS else f"{split.preamble} {part.text}".strip()
        for label in part.labels:
            texts[label] = f"{texts[label]} {text}" if label in texts else text
    return texts


def _by_paper(index: int, panel: Subfigure, texts: dict[str, str], caption: str) -> Match:
    """The text whose label is the letter read, if there is exactly one."""
    if panel.label is None:
        return _whole(index, caption, "no letter read")
    same = [label for label in texts if label.lower() == panel.label.lower()]
    if len(same) != 1:
        return _whole(index, caption, f"letter {panel.label} names {len(same)} subcaptions", panel.label)
    return _by_letter(index, panel, texts[same[0]])


def _by_letter(index: int, panel: Subfigure, text: str) -> Match:
    score = panel.score if panel.label_score is None else panel.label_score
    reason = f"letter {panel.label}"
    return Match(subfigure=index, label=panel.label, text=text, matched_by="letter", score=score, reason=reason)


def _jointly(panels: Sequence[Subfigure], texts: dict[str, str], caption: str) -> list[Match]:
    """One decision for all panels of a figure."""
    if all(re.fullmatch(r"[a-z]{3,}(?: [a-z]+)*", label) and label not in ROMANS for label in texts):
        return _by_position(panels, texts, caption)
    labels = sorted(texts, key=_natural)
    assigned = _assigned(panels, labels)
    n_lettered = sum(_says(panels[index], label) for index, label in assigned.items())
    doubtful = _doubt(panels, labels, n_lettered)
    matches = []
    for index, panel in enumerate(panels):
        label = assigned.get(index) if not doubtful else None
        said = next((label for label in labels if _says(panel, label)), None)
        if said is not None and (label is None or label == said):
            matches.append(_by_letter(index, panel, texts[said]))
        elif label is not None:
            score = panel.score * (1 + n_lettered / len(panels)) / 2
            matches.append(_by_order(index, label, texts[label], score, n_lettered))
        else:
            matches.append(_whole(index, caption, doubtful or "no label is left", panel.label))
    return matches


def _assigned(panels: Sequence[Subfigure], labels: Sequence[str]) -> dict[int, str]:
    """The label of each panel, one to one, that agrees best with the letters read and the reading order."""
    letters = np.array([[_letter_score(panel, label) for label in labels] for panel in panels])  # (panels, labels)
    candidates = []
    for order in (reading_order([panel.box for panel in panels]), down_columns([panel.box for panel in panels])):
        places = np.argsort(order)[:, None] - np.arange(len(labels))[None]  # (panels, labels)
        agreement = letters + PLACE_WEIGHT * (places == 0)
        rows, columns = linear_sum_assignment(agreement, maximize=True)
        candidates.append(
            (float(agreement[rows, columns].sum()), dict(zip(rows.tolist(), columns.tolist(), strict=True)))
        )
    _, best = max(candidates, key=lambda candidate: candidate[0])
    return {index: labels[column] for index, column in best.items()}


def _doubt(panels: Sequence[Subfigure], labels: Sequence[str], n_lettered: int) -> str:
    """Why panels without a letter of their own cannot be told apart; empty where they can."""
    if len(panels) != len(labels):
        return f"{len(panels)} panels, {len(labels)} labels"
    n_read = sum(panel.label is not None for panel in panels)
    if n_read and n_lettered < n_read * AGREEING:
        return f"{n_read - n_lettered} of {n_read} letters read disagree with the caption"
    return ""


def _by_order(index: int, label: str, text: str, score: float, n_lettered: int) -> Match:
    reason = f"reading order, {n_lettered} letters agree"
    return Match(subfigure=index, label=label, text=text, matched_by="order", score=score, reason=reason)


def _says(panel: Subfigure, label: str) -> bool:
    return panel.label is not None and panel.label.lower() == label.lower()


def _letter_score(panel: Subfigure, label: str) -> float:
    """How much the letter read speaks for a label, 0 to 1."""
    if not _says(panel, label):
        return 0.0
    return 1.0 if panel.label_score is None else panel.label_score


def _natural(label: str) -> tuple[int, str, int]:
    """Labels in their row: i, ii, iv; a, b, b1, b2; 2, 10."""
    if label.lower() in ROMANS and label.lower() != "c":
        return ROMANS.index(label.lower()), "", 0
    letters, digits = re.fullmatch(r"(\D*)(\d*).*", label, re.DOTALL).groups()  # type: ignore[union-attr]
    return 0, letters.lower(), int(digits or 0)


def _by_position(panels: Sequence[Subfigure], texts: dict[str, str], caption: str) -> list[Match]:
    """Panels to words of place: one to one where they are equally many, else each to the nearest if it is near."""
    labels = list(texts)
    distances = _distances([panel.box for panel in panels], labels)  # (panels, labels)
    nearest = distances.argmin(axis=1)
    if len(panels) == len(labels):
        _, nearest = linear_sum_assignment(distances)
    matches = []
    for index, panel in enumerate(panels):
        distance, label = float(distances[index, nearest[index]]), labels[nearest[index]]
        if distance > FAR:
            matches.append(_whole(index, caption, "lies at none of the places named", panel.label))
            continue
        score, reason = panel.score * (1 - distance), f"lies {label}"
        text = texts[label]
        matches.append(
            Match(subfigure=index, label=label, text=text, matched_by="position", score=score, reason=reason)
        )
    return matches


def _distances(boxes: Sequence[Box], labels: Sequence[str]) -> np.ndarray:
    """How far each box lies from each place, 0 to 1 along either axis of the figure, (boxes, labels)."""
    corners = np.array(boxes, dtype=float).reshape(-1, 2, 2)  # (boxes, corner, axis)
    centres = corners.mean(axis=1)
    spread = np.ptp(centres, axis=0)
    side = by_side if (by_side := np.median(corners[:, 1] - corners[:, 0], axis=0)).all() else np.ones(2)
    # Panels of one row differ a little in height; that is no position.
    flat = spread < side / 2
    shares = np.where(flat, 0.5, (centres - centres.min(axis=0)) / np.where(flat, 1, spread))
    return np.stack([_distance(shares, label, axis=int(spread.argmax())) for label in labels], axis=1)


def _distance(shares: np.ndarray, label: str, *, axis: int) -> np.ndarray:
    """How far centres, (boxes, 2) from 0 to 1, lie from a place; (boxes,). A mere "middle" is one along `axis`."""
    words = label.split()
    aims = [AIMS[word] for word in words if word in AIMS]
    if any(word in MIDDLE for word in words):
        taken = {aimed for aimed, _ in aims}
        aims.append((axis if axis not in taken else 1 - axis, 0.5))
    if not aims:
        return np.ones(len(shares))
    return np.max([np.abs(shares[:, aimed] - aim) for aimed, aim in aims], axis=0)
