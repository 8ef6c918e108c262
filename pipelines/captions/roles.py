"""On which side of its text a marker stands: "(A) axial CT" or "axial CT (A)"."""

import re
from collections.abc import Sequence
from typing import Literal

from pipelines.captions.marked import Sentence
from pipelines.captions.markers import Marker

Role = Literal["before", "after"]

SURE = 2  # the leaning of a marker whose side its neighbours alone tell

PREPOSITION = r"(?:in|of|on|from|by|at|for|with|without|after|before|during|against|between|to|under|using|via|into)"
FINITE = (
    r"(?:(?:show|demonstrate|reveal|depict|display|illustrate|indicate|suggest)(?:s|d|ed)?|is|are|was|were|has|have)"
)
LEADS = re.compile(rf"\b(?:{PREPOSITION}|and|or|as|the|an?|showing|shows?|showed|including|is|are|was|were)\s*$")
JOINT = re.compile(r"^\s*(?:[,;/&]|(?:and|or|as well as)\b)", re.IGNORECASE)
_SAYS = re.compile(rf"^\s*(?:{FINITE}|{PREPOSITION}|[a-z]+(?:es|ed|ks|ns|ts|ls))\b")


def usual_role(cut: Sequence[Sentence]) -> Role:
    """On which side of their text most markers of a caption stand."""
    leanings = [leaning for sentence in cut for leaning in _leanings(sentence)]
    return "before" if sum(leanings) > 0 or (sum(leanings) == 0 and leanings[0] >= 0) else "after"


def roles_of(sentence: Sentence, usual: Role) -> list[Role]:
    """Whether each marker stands before or after its text; where it cannot be told, as others of its sentence do."""
    leanings = _leanings(sentence)
    inner = sum(leanings[1:] if sentence.opens else leanings)
    common: Role = "before" if inner > 0 else "after" if inner < 0 else usual
    return [common if abs(leaning) < SURE else "before" if leaning > 0 else "after" for leaning in leanings]


def _leanings(sentence: Sentence) -> list[int]:
    if not sentence.marks:
        return []
    lefts = (sentence.lead, *sentence.chunks[:-1])
    return [
        _leaning(mark, left.rstrip(), right.lstrip(), opens=sentence.opens and index == 0)
        for index, (mark, left, right) in enumerate(zip(sentence.marks, lefts, sentence.chunks, strict=True))
    ]


def _leaning(marker: Marker, left: str, right: str, *, opens: bool) -> int:
    """Above 0: stands before its text, below: after it. `left` and `right` reach to its neighbours."""
    if marker.style not in ("bracket", "position", "emphasis"):
        return SURE
    if not right or right[0] in ".;)":
        return -SURE
    if opens:
        return SURE
    if right[0] == "," or JOINT.match(right):
        return -SURE
    if left.endswith((",", ":")) or LEADS.search(left) or re.match(r"[A-Z][a-z]+\s", right):
        return 1
    return -1 if _SAYS.match(right) else 0
