"""Captions into subcaptions: which panel each stretch of a caption speaks of, by rules."""

import re
import string
from collections.abc import Sequence

from core.records import Span, SplitCaption, Subcaption
from pipelines.captions.families import WEAK_STYLES, labels_of, ranks_of
from pipelines.captions.marked import read_marks
from pipelines.captions.markers import Marker
from pipelines.captions.mentions import without_mentions
from pipelines.captions.spans import Parts, distributed

PLAIN, UNUSUAL, LATE, WEAK = 0.98, 0.6, 0.7, 0.9  # what the parts of a confidence are worth
LEFT_OUT = {ord("I") - ord("A"), ord("O") - ord("A")}  # letters that some journals pass over: they look like 1 and 0

MAX_CAPTION = 20_000  # characters that are split; the longest captions of PMC have some 6,000

_LEADING = re.compile(r"^(?:[\s.,;:)\]–—-]|(?:and|or|as well as)\b)+", re.IGNORECASE)
_JOINTS = string.whitespace + ",;:(["
_JOINT = re.compile(r"(?:\s(?:and|or|but|with|while|whereas)|(?:\b|^)Notes?)$")


def split_short(caption: str, emphasis: Sequence[Span] = (), *, min_confidence: float) -> SplitCaption:
    """A caption taken apart, unless it is so long that it is none: then it stays whole, and says so."""
    if len(caption) > MAX_CAPTION:
        reason = f"{len(caption):,} characters; at most {MAX_CAPTION:,} are split"
        return SplitCaption(preamble="", subcaptions=[], tail="", confidence=0.0, reason=reason)
    return split_caption(caption, emphasis, min_confidence=min_confidence)


def split_caption(caption: str, emphasis: Sequence[Span] = (), *, min_confidence: float) -> SplitCaption:
    """Take a caption apart by its letters, or by its words of place where it has no letters.

    `emphasis` are the bold and italic stretches of `caption`. Below `min_confidence` (0 to 1), or where the marks make
    no sense, no subcaptions are returned and the caption is the preamble, with the reason. Never raises.
    """
    marked = without_mentions(read_marks(caption, emphasis))
    labels = marked.labels
    if len(labels) < 2:
        return _whole(caption, 0.0, "no run of labels")
    parts = distributed(marked)
    subcaptions = _grouped(parts, labels)
    confidence = _confidence(marked.markers, subcaptions)
    subcaptions = [part for part in subcaptions if part.text]
    if confidence < min_confidence or sum(len(part.labels) for part in subcaptions) < 2:
        return _whole(caption, confidence, f"unsure of {', '.join(labels)}")
    return SplitCaption(
        preamble=_tidy(parts.preamble),
        subcaptions=subcaptions,
        tail=_tidy(parts.tail),
        confidence=confidence,
        reason=f"{marked.markers[0].style} markers",
    )


def _whole(caption: str, confidence: float, reason: str) -> SplitCaption:
    return SplitCaption(preamble=_tidy(caption), subcaptions=[], tail="", confidence=confidence, reason=reason)


def _grouped(parts: Parts, labels: Sequence[str]) -> list[Subcaption]:
    """One subcaption for each text, with the labels that share it."""
    by_text: dict[str, list[str]] = {}
    for label in labels:
        text = _tidy(" ".join(_ended(piece) for piece in parts.texts.get(label, [])))
        by_text.setdefault(text, []).append(label)
    return [Subcaption(labels=sharing, text=text) for text, sharing in by_text.items()]


def _confidence(markers: Sequence[Marker], subcaptions: Sequence[Subcaption]) -> float:
    """0 to 1: about the share of such captions whose labels are all found and no others.

    Measured on 346 captions that name letters: of those with an unbroken run of plain letters 0.98, of those with a
    letter missing or with numbered letters 0.6. All 39 of weak marks were right; they lose a tenth for the captions
    without panels, of which the measured ones were few. Hardly a run began late.
    """
    is_position = markers[0].style == "position"
    labels = labels_of(markers)
    ranks = sorted(set(ranks_of(labels))) if not is_position else [0]
    share = PLAIN
    share *= UNUSUAL if not set(range(ranks[0], ranks[-1] + 1)) - set(ranks) <= LEFT_OUT else 1.0
    share *= UNUSUAL if not is_position and any(label[1:].isdigit() and label[0].isalpha() for label in labels) else 1.0
    share *= LATE if ranks[0] > 0 else 1.0
    share *= WEAK if markers[0].style in (*WEAK_STYLES, "position") and not markers[0].emphasised else 1.0
    n_worded = sum(len(part.labels) for part in subcaptions if re.search(r"\w{2}", part.text))
    return round(share * n_worded / len(labels), 3)


def _tidy(text: str) -> str:
    """Without the joints of a list at its ends, white space made single."""
    text = " ".join(text.split())
    text = re.sub(r"\s+([.,;:])", r"\1", text)
    return _ended(_LEADING.sub("", text)).strip()


def _ended(text: str) -> str:
    """Without what joined its end to the words that followed: ", and"."""
    while True:
        short = text.rstrip(_JOINTS)
        joint = _JOINT.search(short, max(0, len(short) - 10))
        if joint is None:
            return short
        text = short[: joint.start()]
