"""Captions cut into sentences, clauses and legends: what a stretch between two markers may be divided at."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipelines.captions.markers import Marker, opens_bracket

_ABBREVIATED = "".join(rf"(?<!\b{word}\.)" for word in ("vs", "cf", "Fig", "Figs", "No", "no", "Dr", "al", "sp", "ca"))
_SENTENCE_END = re.compile(
    rf"(?<=[.!?]){_ABBREVIATED}(?<!\b[Ii]\.e\.)(?<!\b[Ee]\.g\.)"
    r"(?:\s*(?=[A-Z“\"(\[])|\s+(?=[\d*#†‡§α-ω×]))"
    r"|(?<=\bNotes:)|(?<=\bNote:)"
)
_SPACES = re.compile(r"\s*")
_BRACKETED = re.compile(r"[(\[][^()\[\]]{0,400}[)\]]")
_CLAUSE = re.compile(
    r"(?:[.;]\s|,\s(?:and\s|while\s|whereas\s|but\s)?|\s(?:and|while|whereas|but|or)\s(?!(?:then|not)\b)|\swith\s)"
)
_ADVERB = r"(?:Later|However|Finally|Thus|Then|Here|Also|Again|Overall|Next|Hence|Notably|Meanwhile|Instead)"
_TAIL = re.compile(
    r"\W{0,2}(?:(?i:abbreviations?|notes?(?=\s?:)|(?:all |the )?scale\s?bars?|(?:error )?bars?\b|scale (?:is|equals)"
    r"|(?:original |all )?magnifications?|adapted|reproduced|reprinted|courtesy|used with|copyright|see (?:also )?\w+"
    r"|(?:\w+ ){0,2}cells (?:are|were) stained|lanes?\s\d"
    r"|(?:written )?informed consent|consent|arrows|(?:the )?patients? (?:gave|consented)|colou?r figure|statistical"
    r"|(?:the )?(?:data|values|results|numbers|p[ -]values?) (?:are|were|is|represent|in|shown|at)|different letters"
    r"|(?:dashed|dotted|solid|thick|thin)\s[a-z ]{0,20}lines?|hatching|anterior is|dorsal is"
    r"|(?:all|these)(?: of)?(?: the)? (?:images|graphs|sections|panels|photos|data|results|figures)"
    r"|each (?:bar|point|dot|value)|p\s?[<=]|n\s?=)\b"
    r"|[*#†‡§]+\s?(?i:p\b|indicat|denot|stat|signif)"
    rf"|(?!{_ADVERB},)[A-Za-z][A-Za-z0-9]{{0,9}}(?:\s?[:=—]\s?|,\s)[a-z]"  # "CT, computed tomography", "r: right"
    r"|[A-Z][A-Za-z0-9-]{1,9}\s?[:=—]\s?\w"
    r"|[A-Z][A-Z0-9]+(?: and [A-Z0-9]+)* (?:is|are|denotes?|indicates?|stands? for)\b)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sentence:
    """A sentence with its markers: `lead` stands before the first of them, each of `chunks` after one."""

    text: str
    lead: str
    marks: tuple[Marker, ...]
    chunks: tuple[str, ...]

    @property
    def opens(self) -> bool:
        """Whether it begins with a marker."""
        return bool(self.marks) and not self.lead.strip(" ,;:.([\n")

    @property
    def labels(self) -> tuple[str, ...]:
        """The distinct labels in it, in their order."""
        return tuple(dict.fromkeys(label for mark in self.marks for label in mark.labels))


def cut_sentences(caption: str, markers: Sequence[Marker]) -> list[Sentence]:
    """The sentences of a caption; a marker that a full stop or semicolon sets off begins one, and none is cut."""
    closed = [match.span() for match in _BRACKETED.finditer(caption)]
    inside = [*closed, *((marker.start, marker.end) for marker in markers)]
    cuts = {match.end() for match in _SENTENCE_END.finditer(caption)}
    cuts = {cut for cut in cuts if not any(start < cut < end for start, end in inside)}
    cuts -= {_SPACES.match(caption, marker.end).end() for marker in markers}  # type: ignore[union-attr]
    full = [marker.start for marker in markers if _set_off(caption, marker, ".!?")]
    cuts = {0, len(caption), *cuts, *full}
    ends = sorted(cuts | _between_items(caption, markers, sorted(cuts)))
    return [_sentence(caption, start, end, markers) for start, end in pairwise(ends)]


def is_tail(sentence: str) -> bool:
    """Whether a sentence is a legend, a scale, a source or a statement on all panels."""
    return bool(_TAIL.match(sentence.lstrip()))


def last_clause(text: str) -> int | None:
    """Where the last clause of a stretch begins, a bracket counting as one word; None if it has one only."""
    bare = _BRACKETED.sub(lambda match: "x" * len(match[0]), text)
    found = [match for match in _CLAUSE.finditer(bare) if match.start() > 0]
    return found[-1].start() if found else None


def bracket_cut(text: str) -> tuple[str, str]:
    """A stretch up to the end of the bracket that was open when it began, and what follows; all, where none was."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character in "([") - (character in ")]")
        if depth < 0:
            return text[:index], text[index + 1 :]
    return text, ""


def _between_items(caption: str, markers: Sequence[Marker], cuts: Sequence[int]) -> set[int]:
    """Where markers follow semicolons, except in sentences that list with "; and": "A, left; and B, right views"."""
    found: set[int] = set()
    for start, end in pairwise(cuts):
        inside = [marker.start for marker in markers if start < marker.start < end and _set_off(caption, marker, ";")]
        inside = [place for place in inside if not opens_bracket(caption[start:place])]
        if not any(re.search(r";\s?(?:and|or)\s$", caption[start:place][-8:]) for place in inside):
            found |= set(inside)
    return found


def _set_off(caption: str, marker: Marker, marks: str) -> bool:
    before = re.sub(r"\s(?:and|or)\s$", "", caption[max(0, marker.start - 8) : marker.start]).rstrip()
    return before.endswith(tuple(marks))


def _sentence(caption: str, start: int, end: int, markers: Sequence[Marker]) -> Sentence:
    marks = tuple(marker for marker in markers if start <= marker.start < end)
    ends = [*(mark.start for mark in marks[1:]), end]
    return Sentence(
        text=caption[start:end],
        lead=caption[start : marks[0].start] if marks else caption[start:end],
        marks=marks,
        chunks=tuple(caption[mark.end : stop] for mark, stop in zip(marks, ends, strict=True)) if marks else (),
    )
