"""Stretches of a caption given to the panels that its markers name, sentence by sentence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from pipelines.captions.clauses import bracket_cut, is_tail, last_clause
from pipelines.captions.marked import Marked, Sentence
from pipelines.captions.markers import Marker, opens_bracket
from pipelines.captions.mentions import mentioned
from pipelines.captions.roles import JOINT, LEADS, PREPOSITION, Role, roles_of, usual_role

SHORT = 6  # words; a shorter stretch lends the beginning of the one before it
LISTED = 3  # words; of so short stretches the last one's end is said of all

_HEAD = re.compile(
    rf"^(?:.*[a-z)]:\s|.*\b(?:{PREPOSITION}|showing|shows?|showed|demonstrat\w+|reveal\w+)\s)", re.DOTALL
)
_VERB = re.compile(
    r"\b(?:show(?:s|ed|ing|n)?|demonstrat(?:es?|ed|ing)|reveal(?:s|ed|ing)?|depict(?:s|ed|ing)?|display(?:s|ed|ing)?"
    r"|indicat(?:es?|ed|ing)|illustrat(?:es?|ed|ing)|suggest(?:s|ed|ing)?|with|is|are|was|were)\b",
    re.IGNORECASE,
)
_OPENING = re.compile(rf"(?:\w+ly\s)?(?P<preposition>{PREPOSITION})\b")
_TIMES = re.compile(r"\b(?:before|during|after)\b")
_STEM = re.compile(r"^.*?\b(?:show(?:s|ed|ing)?|demonstrat\w+|reveal\w+)\s", re.DOTALL)
# What a thing "is shown by": the pictures that follow are whole, and lack this all the same.
_SEEN = re.compile(r"\b(?:is|are|was|were)\s(?:\w+ly\s)?\w{2,}(?:n|ed)\s(?:by|on|in|with|using|via)\s$")
_PREDICATE = re.compile(r"\b(?:show|demonstrate|reveal|depict|display|illustrate)(?:s|d|ed)?\s.*", re.DOTALL)
_COLON_HEAD = re.compile(r"^.*[a-z)]:\s", re.DOTALL)  # what a list is of: said of all
# What follows the last marker and is said of all: "(A) and cord (B) showing enhancement".
_SHOWING = re.compile(r"\s*,?\s?(?:showing|demonstrating|revealing|depicting|displaying|illustrating|indicating)\b")
_SHARED = re.compile(rf"^(?:[^.]*?:\s|.*?{_VERB.pattern}\s)", re.DOTALL)  # up to a colon or a verb
_LIST_END = re.compile(rf"\s(?:{PREPOSITION}|views?|sections?|images?|aspects?|surfaces?|slices?)\b.*", re.DOTALL)
_IMAGING = re.compile(
    r"\b(?:MRI?A?V?|CTA?|PET|SPECT|DWI|ADC|FLAIR|DSA|T[12]\w*|imag\w+|scans?|\w+gra(?:m|ph|phy)s?|stain\w*|sections?"
    r"|axial|coronal|sagittal|sequences?)\b",
    re.IGNORECASE,
)
_LEADING = re.compile(r"^(?:[\s.,;:)\]–—-]|(?:and|or|as well as|while|whereas)\b)+", re.IGNORECASE)


@dataclass(kw_only=True, slots=True)
class Parts:
    """What has been given to each label so far, to all (`preamble`, `tail`), and whom the next sentence speaks of."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    preamble: str = ""
    tail: str = ""
    scope: tuple[str, ...] = ()
    closed: bool = False  # whether the last marker stood after its text
    lead: str = ""  # what a sentence began with that a semicolon divides: "Stained for (A) CD3; (B) CD4"

    def give(self, labels: Sequence[str], text: str) -> None:
        """Add a stretch to the text of each label; where it is of none, to the tail, so that no word is lost."""
        if not labels:
            self.tail += text
        for label in labels:
            self.texts.setdefault(label, []).append(text)


@dataclass(kw_only=True, slots=True)
class _Row:
    """Where the walk through one sentence stands."""

    waiting: list[str] = field(default_factory=list)  # labels of which the rest of the sentence may be said
    labels: list[str] = field(default_factory=list)  # of them, those since a label came again
    first: str = ""  # the stretch whose beginning later ones may leave out
    lead: str = ""  # the words before the first marker with which all texts begin


def distributed(marked: Marked) -> Parts:
    """Every stretch of a caption given to labels, the preamble or the tail."""
    parts, cut, known = Parts(), marked.sentences, set(marked.labels)
    usual = usual_role(cut)
    last = max(index for index, sentence in enumerate(cut) if sentence.marks)
    for index, sentence in enumerate(cut):
        if sentence.marks:
            _marked(sentence, roles_of(sentence, usual), parts)
        elif not parts.texts:
            parts.preamble += sentence.text
        else:
            _unmarked(sentence.text, known, parts, is_last=index > last)
    return parts


def _unmarked(text: str, known: set[str], parts: Parts, *, is_last: bool) -> None:
    """A sentence without markers: said of the panels it mentions, of all, or of those of the sentence before."""
    named = mentioned(text, known)
    if named:
        parts.give(named, text)
    elif is_last and (parts.tail or parts.closed or is_tail(text)):
        parts.tail += text
    else:
        parts.give(parts.scope, text)


def _marked(sentence: Sentence, roles: Sequence[Role], parts: Parts) -> None:
    """A sentence with markers."""
    row = _Row(lead=parts.lead if sentence.opens and roles[0] == "before" else "")
    if row.lead:
        parts.give(sentence.marks[0].labels, row.lead)
    _begin(sentence, roles[0], row, parts)
    _keep(sentence.marks[0], parts)
    for index, (left, right) in enumerate(pairwise(sentence.marks)):
        text = sentence.chunks[index].lstrip(" :,") if roles[index] == "before" else sentence.chunks[index]
        if roles[index] == roles[index + 1] == "before":
            if text.rstrip().endswith((",", ";")) and re.match(r"\s*[A-Z][a-z]", sentence.chunks[index + 1]):
                row.lead = ""  # a new clause
            _open_then_open(text, left, right, row, parts)
        elif roles[index] == "before":
            _open_then_close(text, left, right, row, parts)
        elif roles[index + 1] == "before":
            _share_rest(text, left, row, parts)
        else:
            _close_then_close(text, left, right, row, parts)
        _keep(right, parts)
    _finish(sentence, roles[-1], row, parts)
    _look_on(sentence, roles[-1], parts)
    parts.lead = row.lead if sentence.text.rstrip().endswith(";") else ""


def _look_on(sentence: Sentence, role: Role, parts: Parts) -> None:
    """Of whom a sentence without markers would speak after this one: the group of (B-D), or those named last."""
    first, last = sentence.marks[0].labels, sentence.marks[-1].labels
    if set(sentence.labels) < set(parts.scope) and not sentence.opens:
        return
    is_group = sentence.opens and set(sentence.labels) == set(first)
    parts.closed = role == "after" and not is_group
    is_list = not sentence.opens and ";" not in sentence.text
    parts.scope = first if is_group else sentence.labels if role == "after" or is_list else last


def _keep(marker: Marker, parts: Parts) -> None:
    if marker.keeps:
        parts.give(marker.labels, marker.keeps)


def _begin(sentence: Sentence, role: Role, row: _Row, parts: Parts) -> None:
    """What stands before the first marker: its text, what all texts begin with, or words on those before."""
    lead = sentence.lead.rstrip(" ([")
    if role == "after":
        head = _COLON_HEAD.match(sentence.lead) if not parts.texts else None
        parts.preamble += head[0] if head else ""
        _close(sentence.lead[head.end() if head else 0 :], sentence.marks[0], row, parts)
        return
    if not lead.strip(" ,;:."):
        return
    is_open = opens_bracket(sentence.lead) or bool(LEADS.search(lead))
    is_open |= not sentence.chunks[0].lstrip()[:1].isupper() and len(lead.split()) <= SHORT
    if (is_open and not lead.endswith(":")) or (parts.texts and lead.endswith(":")):
        row.lead = lead
        parts.give(sentence.marks[0].labels, lead)
    elif parts.texts:
        parts.give(parts.scope, lead)
    else:
        parts.preamble += lead


def _open_then_open(text: str, left: Marker, right: Marker, row: _Row, parts: Parts) -> None:
    """A stretch of the left marker; the right one begins with what the sentence begins with."""
    row.waiting += left.labels
    parts.give(left.labels, text)
    if set(right.labels) < set(left.labels):
        row.lead = ""  # the group that both are of has it
    elif row.lead:
        parts.give(right.labels, row.lead)


def _open_then_close(text: str, left: Marker, right: Marker, row: _Row, parts: Parts) -> None:
    """A stretch between two markers that both speak of it."""
    row.waiting, row.labels = [], []
    shared, cut = _SHARED.match(text), 0
    if set(right.labels) < set(left.labels):
        # (B-D) T2 MRI: lesions in the left (B), ...: the beginning is said of all.
        cut = shared.end() if shared else 0
        parts.give(left.labels, text[:cut])
    elif right.labels != left.labels:
        cut = last_clause(text) or 0
        parts.give(left.labels, text[:cut] or text)
    _close(text[cut:], right, row, parts)


def _close_then_close(text: str, left: Marker, right: Marker, row: _Row, parts: Parts) -> None:
    """A stretch between two markers that stand after their texts: of the right one, or the end of the left one's."""
    own, semicolon, rest = text.rpartition(";")
    if semicolon and own.strip() and rest.strip() and not opens_bracket(own):
        # Patient 1 (A), aged 16; patient 2 (B), aged 9.
        # Axial FLAIR (A) and T2 (B) images show edema; ...: without a comma it is said of both.
        parts.give(
            left.labels if own.lstrip().startswith(",") else list(dict.fromkeys(row.waiting)) or left.labels, own
        )
        row.waiting, row.labels = [], []
        text = rest
    cut = None if JOINT.match(text) or _repeats(row, right) or not row.waiting else last_clause(text)
    if cut is not None:
        parts.give(list(dict.fromkeys(row.waiting)), text[:cut])
        row.waiting, row.labels = [], []
        text = text[cut:]
    _close(text, right, row, parts)


def _repeats(row: _Row, marker: Marker) -> bool:
    """Whether a marker names a label again: "CT (A, C) and MRI (B, D) before (A, B) and after (C, D)"."""
    return not set(row.waiting).isdisjoint(marker.labels)


def _close(text: str, marker: Marker, row: _Row, parts: Parts) -> None:
    """A stretch and the marker after it."""
    if not set(row.labels).isdisjoint(marker.labels):
        row.labels = []
    text = _LEADING.sub("", text)
    if not row.labels:
        row.first = text
    else:
        text = _with_head(text, row)
    row.labels += marker.labels
    row.waiting += marker.labels
    parts.give(marker.labels, text)


def _with_head(text: str, row: _Row) -> str:
    """A stretch with the beginning that it leaves out: "loss in the liver (A), kidney (B)"."""
    opening = _OPENING.match(text)
    if opening:
        place = _place_of(opening["preposition"], row.first)
        return text if place is None else f"{row.first[:place]}{text}"
    if _HEAD.match(text):
        stem = _STEM.match(row.first)
        subject = re.split(rf"\b{PREPOSITION}\b", text, maxsplit=1)[0]
        if not stem or _VERB.search(text) or _IMAGING.search(subject):
            row.first = text
            return text
        row.first = stem[0]  # items with prepositions of their own leave out only the verb before them
        return f"{stem[0]}{text}"
    head = _HEAD.match(row.first)
    is_left_out = head and (_SEEN.search(head[0]) or not _IMAGING.search(text))
    return f"{head[0]}{text}" if head and is_left_out and len(text.split()) <= SHORT else text


def _place_of(preposition: str, text: str) -> int | None:
    """Where a preposition, or else its opposite, stands last in a text: "before (A) and immediately after (B)"."""
    same = list(re.finditer(rf"\b{preposition.removesuffix('out')}(?:out)?\b", text))
    found = same or [match for match in _TIMES.finditer(text) if _TIMES.fullmatch(preposition)]
    return found[-1].start() if found else None


def _share_rest(text: str, left: Marker, row: _Row, parts: Parts) -> None:
    """What follows a marker that stands after its text: said of all panels of the sentence that wait for it."""
    parts.give(list(dict.fromkeys(row.waiting)) or left.labels, text)
    row.waiting, row.labels = [], []


def _finish(sentence: Sentence, role: Role, row: _Row, parts: Parts) -> None:
    """What stands after the last marker of a sentence."""
    last, text = sentence.marks[-1], sentence.chunks[-1]
    if role == "after":
        row.waiting = list(sentence.labels) if _SHOWING.match(text) and ";" not in sentence.text else row.waiting
        _share_rest(text, last, row, parts)
        return
    own, after = bracket_cut(text.lstrip(" :,"))
    parts.give(last.labels, own)
    if after.strip(" .;,"):
        parts.give(list(dict.fromkeys([*row.waiting, *last.labels])), after)
    if len(sentence.chunks) > 1 and re.search(r"\b(?:and|or|&)\s*$", sentence.chunks[-2]):
        _share_end(own, sentence, row, parts)


def _share_end(text: str, sentence: Sentence, row: _Row, parts: Parts) -> None:
    """Give what ends a list to panels that lack it: "(A) CT and (B) MRI show", "(A) left and (B) right views"."""
    verb, end = _PREDICATE.search(text), _LIST_END.search(text)
    earlier = [_LEADING.sub("", chunk).split() for chunk in sentence.chunks[:-1]]
    is_list = all(len(words) <= LISTED + 1 for words in earlier) and end and len(text[: end.start()].split()) <= LISTED
    for mark, chunk in zip(sentence.marks[:-1], sentence.chunks[:-1], strict=True):
        labels = [label for label in mark.labels if label in row.waiting]
        if verb and ";" not in chunk and not _VERB.search(" ".join(" ".join(parts.texts[label]) for label in labels)):
            parts.give(labels, verb[0])
        elif end and is_list and not verb and not _LIST_END.search(chunk):
            parts.give(labels, end[0])
