"""Captions into subcaptions: which panel each stretch of a caption speaks of, by rules."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from pipelines.markers import (
    Marker,
    calls_back,
    chosen_family,
    find_markers,
    find_positions,
    labels_of,
    opens_bracket,
    ranks_of,
)
from pipelines.records import Span, SplitCaption, Subcaption

Role = Literal["before", "after"]

SHORT = 6  # words; a shorter segment lends the beginning of the one before it

_SENTENCE_END = re.compile(
    r"(?<=[.!?])(?<!\bvs\.)(?<!\bcf\.)(?<!\bFig\.)(?<!\b[Ii]\.e\.)(?<!\b[Ee]\.g\.)\s*(?=[A-Z“\"(\[])|$"
)
_TAIL = re.compile(
    r"(?:abbreviations?|notes?|scale\s?bars?|bars?|(?:original )?magnifications?|adapted|reproduced|reprinted|courtesy"
    r"|used with|copyright|(?:written )?informed consent|consent|arrows|(?:the )?patients? (?:gave|consented))\b"
    r"|[A-Z][A-Za-z0-9]{0,9}(?:\s?[:=]\s?|,\s)[a-z]"
    r"|[A-Z][A-Z0-9]+(?: and [A-Z0-9]+)* (?:is|are|denotes?|indicates?|stands? for)\b"
    r"|[A-Z][A-Z0-9-]{1,9}\s?[:=]\s?\w",
    re.IGNORECASE,
)
_LEGEND = re.compile(r"\b(?:Abbreviations?|Scale bars?)\b\s?[:,=.]|\bAbbreviations\b")
_VERB = re.compile(
    r"\b(?:show(?:s|ed|ing|n)?|demonstrat(?:es?|ed|ing)|reveal(?:s|ed|ing)?|depict(?:s|ed|ing)?|display(?:s|ed|ing)?"
    r"|indicat(?:es?|ed|ing)|illustrat(?:es?|ed|ing)|suggest(?:s|ed|ing)?|with|is|are|was|were)\b"
)
_HEAD = re.compile(r"^.*\b(?:in|of|on|from|by|at|for|showing|shows?|showed|demonstrat\w+|reveal\w+)\s", re.DOTALL)

_PREDICATE = re.compile(r"\b(?:show|demonstrat|reveal|depict|display|illustrat)\w*\s.*", re.DOTALL)
_SHARED = re.compile(rf"^(?:[^.]*:\s|.*?{_VERB.pattern}\s)", re.DOTALL)  # up to a colon or a verb
_IMAGING = re.compile(
    r"\b(?:MRI?A?V?|CTA?|PET|SPECT|DWI|ADC|FLAIR|DSA|T[12]\w*|imag\w+|scans?|\w+gra(?:m|ph|phy)s?|stain\w*|sections?"
    r"|axial|coronal|sagittal|sequences?)\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"(?:[.;]\s|,\s(?:and\s)?|\sand\s|\swith\s)")
_LEADING = re.compile(r"^(?:[\s.,;:)\]–—-]|(?:and|or|as well as)\b)+", re.IGNORECASE)
_TRAILING = re.compile(r"(?:[\s,;:(\[]|\sand\b)+$")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Placed:
    """A marker and the side of its text on which it stands."""

    marker: Marker
    role: Role


@dataclass(kw_only=True, slots=True)
class _Parts:
    """What has been given to each label so far, and what the sentence under way may still share out."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    preamble: str = ""
    tail: str = ""
    sentence: list[str] = field(default_factory=list)  # labels that closed a stretch of the sentence under way
    lead: str = ""  # of its bracket, "(A: rest, B: stress)", the words before it
    row: list[str] = field(default_factory=list)  # of them, those since a label came again
    head: str = ""  # the words before the first of them that later ones may leave out

    def give(self, labels: Sequence[str], text: str) -> None:
        """Add a stretch to the text of each label."""
        for label in labels:
            self.texts.setdefault(label, []).append(text)


def split_caption(caption: str, emphasis: Sequence[Span] = (), *, min_confidence: float) -> SplitCaption:
    """Take a caption apart by its letters, or by its words of place where it has no letters.

    `emphasis` are the bold and italic stretches of `caption`. Below `min_confidence` (0 to 1), or where the marks make
    no sense, no subcaptions are returned and the caption is the preamble, with the reason. Never raises.
    """
    markers = chosen_family(caption, find_markers(caption, emphasis)) or _distinct_positions(caption)
    markers = _apart(_without_references(caption, _without_repeats_in_brackets(caption, markers)))
    labels = labels_of(markers)
    if len(labels) < 2:
        return _whole(caption, 0.0, "no run of labels")
    parts = _distributed(
        caption, [_Placed(marker=m, role=r) for m, r in zip(markers, _roles(caption, markers), strict=True)]
    )
    subcaptions = _grouped(parts, labels)
    confidence = _confidence(markers, subcaptions)
    subcaptions = [part for part in subcaptions if part.text]
    if confidence < min_confidence or sum(len(part.labels) for part in subcaptions) < 2:
        return _whole(caption, confidence, f"unsure of {', '.join(labels)}")
    return SplitCaption(
        preamble=_tidy(parts.preamble),
        subcaptions=subcaptions,
        tail=_tidy(parts.tail),
        confidence=confidence,
        reason=f"{markers[0].style} markers",
    )


def _whole(caption: str, confidence: float, reason: str) -> SplitCaption:
    return SplitCaption(preamble=_tidy(caption), subcaptions=[], tail="", confidence=confidence, reason=reason)


def _distinct_positions(caption: str) -> list[Marker]:
    """The words of place, if they are two or more and none is said of two panels."""
    markers = find_positions(caption)
    return markers if len(labels_of(markers)) > 1 else []


def _without_repeats_in_brackets(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Leave out colons within brackets, "(A-D: patient 1)", whose labels have colons outside as well."""
    inside = [marker for marker in markers if marker.style == "colon" and opens_bracket(caption[: marker.start])]
    outside = {label for marker in markers if marker not in inside for label in marker.labels}
    return [marker for marker in markers if marker not in inside or not outside.issuperset(marker.labels)]


def _without_references(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Leave out "as in (A)" where A is named elsewhere too."""
    named = {label for marker in markers if not calls_back(caption, marker) for label in marker.labels}
    return [marker for marker in markers if not calls_back(caption, marker) or not named.issuperset(marker.labels)]


def _apart(markers: Sequence[Marker]) -> list[Marker]:
    """The first of those that overlap."""
    kept: list[Marker] = []
    for marker in markers:
        if not kept or marker.start >= kept[-1].end:
            kept.append(marker)
    return kept


def _roles(caption: str, markers: Sequence[Marker]) -> list[Role]:
    """Whether each marker stands before or after its text; where it cannot be told, as most of the caption's do."""
    leanings = [_leaning(caption, marker) for marker in markers]
    usual: Role = "before" if sum(leanings) > 0 or (sum(leanings) == 0 and leanings[0] >= 0) else "after"
    return [usual if leaning == 0 else "before" if leaning > 0 else "after" for leaning in leanings]


def _leaning(caption: str, marker: Marker) -> int:
    """1: stands before its text, -1: after it, 0: cannot be told."""
    if marker.style not in ("bracket", "position", "emphasis"):
        return 1
    left, right = caption[: marker.start].rstrip(), caption[marker.end :].lstrip()
    opens = not left or left[-1] in ".:;!?"
    if not right or right[0] in ".;)":
        return -1
    if opens:
        return 1
    if right[0] == "," or re.match(r"(?:and|or|as well as)\b", right):
        return -1
    return 1 if re.search(r"(?:,|\band)$", left) else 0


def _distributed(caption: str, placed: Sequence[_Placed]) -> _Parts:
    """Every stretch between markers given to labels, the preamble or the tail."""
    parts = _Parts()
    first, last = placed[0], placed[-1]
    _begin(caption[: first.marker.start], first, parts)
    _keep(first, parts)
    for left, right in pairwise(placed):
        _between(caption[left.marker.end : right.marker.start], left, right, parts)
        _keep(right, parts)
    _finish(caption[last.marker.end :], last, parts)
    return parts


def _keep(placed: _Placed, parts: _Parts) -> None:
    if placed.marker.keeps:
        parts.give(placed.marker.labels, placed.marker.keeps)


def _begin(text: str, first: _Placed, parts: _Parts) -> None:
    """What stands before the first marker."""
    *before, own = _sentences(text)
    if first.role == "before":
        parts.lead = own.rstrip(" ([") if _leads(own) else ""
        parts.preamble = "".join(before) if parts.lead else text
        parts.give(first.marker.labels, parts.lead)
        return
    parts.preamble = "".join(before)
    _close(own, first, parts)


def _between(text: str, left: _Placed, right: _Placed, parts: _Parts) -> None:
    """What stands between two markers."""
    if left.role == right.role == "before":
        _open_then_open(text, left, right, parts)
    elif left.role == "before":
        _open_then_close(text, left, right, parts)
    elif right.role == "before":
        _share_rest(text, left, parts)
    else:
        *rest, own = _sentences(text)
        if rest:
            _share_rest("".join(rest), left, parts)
        _close(own, right, parts)


def _finish(text: str, last: _Placed, parts: _Parts) -> None:
    """What stands after the last marker."""
    own, tail = _without_tail(text)
    if last.role == "before":
        text, after = _bracket_cut(own)
        parts.give(last.marker.labels, text)
        _share_predicate(_sentences(text)[0], parts)
        first, *others = _sentences(after)
        parts.give([*parts.sentence, *last.marker.labels], first)
        parts.tail = "".join(others) + tail
        return
    first, *others = _sentences(own)
    _share_rest(first, last, parts)
    parts.tail = "".join(others) + tail


def _close(text: str, placed: _Placed, parts: _Parts) -> None:
    """A stretch and the marker after it."""
    labels = placed.marker.labels
    if not set(parts.row).isdisjoint(labels):  # "CT (A, C) and MRI (B, D) before (A, B) and after (C, D)"
        parts.row = []
    text = _LEADING.sub("", text)
    if not parts.row:
        head = _HEAD.match(text)
        parts.head = head[0] if head else ""
    elif len(text.split()) <= SHORT and not _IMAGING.search(text):
        text = f"{parts.head} {text}"
    parts.row += labels
    parts.sentence += labels
    parts.give(labels, text)


def _share_rest(text: str, left: _Placed, parts: _Parts) -> None:
    """What follows a marker that stands after its text: the rest of the sentence is said of all its panels."""
    first, *others = _sentences(text)
    parts.give(list(dict.fromkeys(parts.sentence)) or left.marker.labels, first)
    parts.give(left.marker.labels, "".join(others))
    parts.sentence, parts.row = [], []


def _open_then_open(text: str, left: _Placed, right: _Placed, parts: _Parts) -> None:
    """A stretch of the left marker; the ends of its sentence may be said of all panels it names."""
    own, after = _bracket_cut(text)
    *rest, last = _sentences(after or own)
    lead = last if (rest or after) and _leads(last) else ""
    said = rest if lead else [*rest, last]
    if after:
        parts.give(left.marker.labels, own)
        parts.give([*parts.sentence, *left.marker.labels], "".join(said[:1]))
        parts.give(left.marker.labels, "".join(said[1:]))
    else:
        parts.give(left.marker.labels, "".join(said))
    ended = bool(after or rest) or text.rstrip().endswith(".")
    if ended or text.rstrip().endswith(";"):
        _share_predicate("".join(said[:1]), parts)
    if ended:
        parts.lead = lead.rstrip(" ([")
    parts.sentence = [] if ended or text.rstrip().endswith(";") else [*parts.sentence, *left.marker.labels]
    parts.give(right.marker.labels, parts.lead)


def _leads(text: str) -> bool:
    """Whether a stretch before a marker begins what the marker goes on with: "Pelvis in (A) lateral view"."""
    return opens_bracket(text) or bool(re.search(r"\w\w[^.:;!?]*$", text))


def _share_predicate(text: str, parts: _Parts) -> None:
    """Give the verb and what follows it to panels of the sentence that have none: "(A) CT and (B) MRI show"."""
    verb = _PREDICATE.search(text)
    for label in parts.sentence if verb else []:
        if verb and not _VERB.search(" ".join(parts.texts[label])):
            parts.give([label], verb[0])


def _bracket_cut(text: str) -> tuple[str, str]:
    """A stretch up to the end of the bracket that was open when it began, and what follows; all, where none was."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return text[:index], text[index + 1 :]
    return text, ""


def _open_then_close(text: str, left: _Placed, right: _Placed, parts: _Parts) -> None:
    """A stretch between two markers that both speak of it."""
    parts.sentence, parts.row = [], []
    if set(right.marker.labels) < set(left.marker.labels):
        # (B-D) T2 MRI: lesions in the left (B), ...: the beginning is said of all.
        shared = _SHARED.match(text)
        cut = shared.end() if shared else 0
    elif set(right.marker.labels) & set(left.marker.labels):
        cut = 0
    else:
        clauses = list(_CLAUSE.finditer(text))
        cut = clauses[-1].start() if clauses else len(text)
    parts.give(left.marker.labels, text[:cut])
    _close(text[cut:], right, parts)


def _sentences(text: str) -> list[str]:
    """The sentences of a stretch, with their spaces; one at least."""
    cuts = [match.start() for match in _SENTENCE_END.finditer(text)]
    pieces = [text[start:end] for start, end in pairwise([0, *cuts, len(text)]) if text[start:end]]
    return pieces or [""]


def _without_tail(text: str) -> tuple[str, str]:
    """A stretch up to the first sentence that is a legend or the like, and the rest."""
    sentences = _sentences(text)
    for index, sentence in enumerate(sentences):
        if index and _TAIL.match(sentence.lstrip()):
            return "".join(sentences[:index]), "".join(sentences[index:])
    return text, ""


def _grouped(parts: _Parts, labels: Sequence[str]) -> list[Subcaption]:
    """One subcaption for each text, with the labels that share it."""
    by_text: dict[str, list[str]] = {}
    for label in labels:
        text = _tidy(" ".join(_TRAILING.sub("", piece) for piece in parts.texts.get(label, [])))
        by_text.setdefault(text, []).append(label)
    return [Subcaption(labels=sharing, text=text) for text, sharing in by_text.items()]


def _confidence(markers: Sequence[Marker], subcaptions: Sequence[Subcaption]) -> float:
    """0 to 1: lower for late, unordered, wordless and weakly marked labels."""
    ranks = [] if markers[0].style == "position" else ranks_of(labels_of(markers))
    weak = markers[0].style in ("bare", "comma", "position") and not markers[0].emphasised
    n_labels = sum(len(part.labels) for part in subcaptions)
    worded = sum(len(part.labels) for part in subcaptions if re.search(r"\w{2}", part.text)) / n_labels
    started = 1.0 if not ranks or min(ranks) == 0 else 0.7
    ordered = 1.0 if ranks == sorted(ranks) else 0.9
    return round(started * ordered * worded * (0.85 if weak else 1.0), 3)


def _tidy(text: str) -> str:
    """Without the joints of a list at its ends, white space made single."""
    text = " ".join(text.split())
    text = re.sub(r"\s+([.,;:])", r"\1", text)
    text = _LEADING.sub("", text)
    return _TRAILING.sub("", text).strip()
