"""Labels that a caption only mentions, "as in (A)", told from markers of the text that it gives them."""

import re
from collections.abc import Collection, Sequence
from itertools import pairwise, takewhile

from pipelines.captions.clauses import is_tail
from pipelines.captions.marked import Marked, Sentence
from pipelines.captions.markers import CLOSED_LIST, WORDS, Marker, expanded, opens_bracket
from pipelines.captions.roles import roles_of, usual_role

_CALLS_BACK = re.compile(
    r"\b(?:in|of|on|at|as|than|with|see|from|for|to|between|arrows?|figs?\.?|figures?|case|patient)\s?$",
    re.IGNORECASE,
)
_MENTION = re.compile(
    rf"\W*(?:\w+\s){{0,3}}?(?:in|of|for|with|on|from)\s(?:both\s)?(?P<noun>{WORDS}\s)?"
    rf"(?P<list>{CLOSED_LIST})(?=[\s,:])",
    re.IGNORECASE,
)
_SHORTENED = re.compile(r"\b(\w)[\w-]*\s\(\1\w{0,3}\)", re.IGNORECASE)
MAX_WORD = 30  # characters
_BEGINNING = 120  # characters


def without_mentions(marked: Marked) -> Marked:
    """The caption with those markers that bring text: what refers to another's text stays words of it."""
    caption = marked.caption
    markers = _without_references(caption, _without_repeats_in_brackets(caption, marked.markers))
    marked = marked.without([marker for marker in marked.markers if marker not in markers])
    cut = marked.with_marks
    if not cut:
        return marked
    usual = usual_role(cut)
    opened = {label for sentence in cut if sentence.opens for label in sentence.marks[0].labels}
    passing: list[Marker] = []
    for index, sentence in enumerate(cut):
        elsewhere = {label for other in cut if other is not sentence for label in other.labels}
        if is_tail(sentence.lead) and elsewhere.issuperset(sentence.labels):
            passing += sentence.marks  # "Scale bars: 10 mm in (A), 5 mm in (B)"
        passing += _structures(caption, sentence, markers)
        passing += _foreign(sentence, roles_of(sentence, usual), opened) if sentence.opens else []
        passing += _partial(cut[index:])
    return marked.without(passing)


def _structures(caption: str, sentence: Sentence, markers: Sequence[Marker]) -> list[Marker]:
    """Of a sentence that shortens two names at least, "tumor (t), infundibulum (i)", the labels that do so too."""
    if len(_SHORTENED.findall(sentence.text)) < 2:
        return []
    short = [mark for mark in sentence.marks if _SHORTENED.search(caption[max(0, mark.start - MAX_WORD) : mark.end])]
    return [mark for mark in short if any(set(mark.labels) <= set(other.labels) for other in markers if other != mark)]


def _foreign(sentence: Sentence, roles: Sequence[str], opened: Collection[str]) -> list[Marker]:
    """In a sentence that a marker opens, those of labels that have such a sentence of their own: "A: more than (B)"."""
    own = set(sentence.marks[0].labels)
    rest = zip(sentence.marks[1:], roles[1:], strict=True)
    return [
        mark
        for mark, role in rest
        if role == "after" and set(mark.labels) <= set(opened) and not own & set(mark.labels)
    ]


def _partial(following: Sequence[Sentence]) -> list[Marker]:
    """In "(D-F) CT with new points (F)." the last: what is said of some of a group, unless all of them are named so."""
    first = following[0]
    group = set(first.marks[0].labels)
    if not first.opens or len(group) < 2:
        return []
    block = [first, *takewhile(lambda sentence: _goes_on(sentence, group), following[1:])]
    inner = [mark for sentence in block for mark in sentence.marks[sentence is first :]]
    if {label for mark in inner for label in mark.labels} == group:
        return []
    within = [first, *(later for before, later in pairwise(block) if before.text.rstrip().endswith(";"))]
    partial = [mark for mark in inner if any(mark in sentence.marks for sentence in within)]
    return [mark for mark in partial if group.issuperset(mark.labels) and (mark in first.marks or is_subject(mark))]


def _goes_on(sentence: Sentence, group: Collection[str]) -> bool:
    """Whether a sentence speaks of a group that one before it opened: "image A shows more than image B"."""
    return set(sentence.labels) < set(group) and (not sentence.opens or is_subject(sentence.marks[0]))


def is_subject(marker: Marker) -> bool:
    """Whether a marker stays in its sentence, "Panel A shows", so that it is no stretch of its own."""
    return marker.start == marker.end


def _without_repeats_in_brackets(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Leave out colons within brackets, "(A-D: patient 1)", whose labels have colons outside as well."""
    inside = [marker for marker in markers if marker.style == "colon" and opens_bracket(caption[: marker.start])]
    outside = {label for marker in markers if marker not in inside for label in marker.labels}
    return [marker for marker in markers if marker not in inside or not outside.issuperset(marker.labels)]


def _without_references(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Leave out "as in (A)" where A is named elsewhere too."""
    named = {label for marker in markers if not calls_back(caption, marker) for label in marker.labels}
    return [marker for marker in markers if not calls_back(caption, marker) or not named.issuperset(marker.labels)]


def calls_back(caption: str, marker: Marker) -> bool:
    """Whether the words before a marker make it a reference, as "in (A)" and "compare with B"."""
    points = marker.keeps.endswith((" in)", " on)", " of)"))  # "(arrows in A)"
    return points or bool(_CALLS_BACK.search(caption[max(0, marker.start - 20) : marker.start]))


def mentioned(sentence: str, known: Collection[str]) -> list[str]:
    """The known labels that the beginning of a sentence names: "In (A) and (B), the bars", "Bars in panel C"."""
    match = _MENTION.match(re.sub(r"[()]", "", sentence[:_BEGINNING]))
    if match is None:
        return []
    labels = expanded(match["list"])
    is_sure = len(labels) > 1 or match["noun"] or match["list"][0].isupper() or f"({match['list']})" in sentence
    return list(labels) if labels and is_sure and set(labels) <= set(known) else []
