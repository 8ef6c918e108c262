"""A caption read once: the markers that name its panels, and its sentences around them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.records import Span
from pipelines.captions.clauses import BRACKETED
from pipelines.captions.families import chosen_family, labels_of
from pipelines.captions.markers import Marker, find_markers, opens_bracket
from pipelines.captions.positions import find_positions
from pipelines.captions.unmarked import without_figure_number
from pipelines.captions.unusual import has_own_letter, markers_after_z, unusual_markers

_ABBREVIATED = "".join(rf"(?<!\b{word}\.)" for word in ("vs", "cf", "Fig", "Figs", "No", "no", "Dr", "al", "sp", "ca"))
_SENTENCE_END = re.compile(
    rf"(?<=[.!?]){_ABBREVIATED}(?<!\b[Ii]\.e\.)(?<!\b[Ee]\.g\.)"
    r"(?:\s*(?=[A-Z“\"(\[])|\s+(?=[\d*#†‡§α-ω×]))"
    r"|(?<=\bNotes:)|(?<=\bNote:)"
)
_SPACES = re.compile(r"\s*")


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


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """A caption, the markers that name its panels, and its sentences: made once, and handed from stage to stage."""

    caption: str
    markers: tuple[Marker, ...]
    sentences: tuple[Sentence, ...]

    @property
    def labels(self) -> list[str]:
        """The distinct labels in the order of the caption."""
        return labels_of(self.markers)

    @property
    def with_marks(self) -> list[Sentence]:
        """The sentences that hold a marker."""
        return [sentence for sentence in self.sentences if sentence.marks]

    def without(self, passing: Collection[Marker]) -> "Marked":
        """The same with some markers as plain words; its sentences are cut anew only if there are such."""
        kept = [marker for marker in self.markers if marker not in passing]
        return self if len(kept) == len(self.markers) else marked(self.caption, kept)


def marked(caption: str, markers: Sequence[Marker]) -> Marked:
    """A caption cut into sentences around its markers, of which none overlap."""
    return Marked(caption=caption, markers=tuple(markers), sentences=tuple(_cut(caption, markers)))


def read_marks(caption: str, emphasis: Sequence[Span] = ()) -> Marked:
    """A caption with the run of letters that names its panels, or where it has none the words of place that do."""
    found = [marker for marker in find_markers(caption, emphasis) if not has_own_letter(caption, marker.start)]
    markers = chosen_family(caption, found)
    if not markers and (plain := without_figure_number(caption)) != caption:
        markers = chosen_family(plain, find_markers(plain, emphasis))
    unusual = unusual_markers(caption)
    markers = unusual if len(unusual) >= len(labels_of(markers)) else markers
    markers = [*markers, *markers_after_z(caption, markers)] or find_positions(caption)
    return marked(caption, _apart(markers))


def _apart(markers: Sequence[Marker]) -> list[Marker]:
    """The first of those that overlap."""
    kept: list[Marker] = []
    for marker in markers:
        if not kept or marker.start >= kept[-1].end:
            kept.append(marker)
    return kept


def _cut(caption: str, markers: Sequence[Marker]) -> list[Sentence]:
    """The sentences of a caption; a marker that a full stop or semicolon sets off begins one, and none is cut."""
    closed = [match.span() for match in BRACKETED.finditer(caption)]
    inside = [*closed, *((marker.start, marker.end) for marker in markers)]
    cuts = {match.end() for match in _SENTENCE_END.finditer(caption)}
    cuts = {cut for cut in cuts if not any(start < cut < end for start, end in inside)}
    cuts -= {_SPACES.match(caption, marker.end).end() for marker in markers}  # type: ignore[union-attr]
    full = [marker.start for marker in markers if _set_off(caption, marker, ".!?")]
    cuts = {0, len(caption), *cuts, *full}
    ends = sorted(cuts | _between_items(caption, markers, sorted(cuts)))
    return [_sentence(caption, start, end, markers) for start, end in pairwise(ends)]


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
