"""The sections of a radiology report as MIMIC-CXR writes them, and what of it tells of the image (MGCA; ConVIRT)."""

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from core.rejection import RejectionError

HEAD = re.compile(r"^ *([A-Z][A-Z ()/,-]*[A-Z)]):(?=\s|$)", re.MULTILINE)  # capitals at the start of a line, a colon
PARAGRAPH = re.compile(r"\n\s*\n")
WORD = re.compile(r"[A-Za-z0-9]+")
FEWEST = 3  # words of a text; MGCA
ALIKE = 0.8  # difflib's ratio: IMRESSION, FINIDNGS and a hundred other slips, but not COMPARISON

FINDINGS = ("FINDINGS", "FINDING")
IMPRESSION = ("IMPRESSION", "CONCLUSION", "SUMMARY")
ELSE = (
    "EXAMINATION", "EXAM", "EXAMINATIONS", "STUDY", "PROCEDURE", "TECHNIQUE", "INDICATION", "REASON", "HISTORY",
    "CLINICAL", "INFORMATION", "COMPARISON", "DATE", "DOSE", "CONTRAST", "ADDENDUM", "NOTIFICATION", "RECOMMENDATION",
    "WET", "REPORT",
)  # fmt: skip
# Older reports have no head but the view: " PA AND LATERAL VIEWS OF THE CHEST: The heart is ..."
VIEW = ("CHEST", "VIEW", "VIEWS", "FRONTAL", "LATERAL", "PORTABLE", "UPRIGHT", "SUPINE", "AP", "PA", "RADIOGRAPH")


class Section(NamedTuple):
    """A stretch of a report."""

    name: str  # findings, impression, view or else
    text: str  # on one line


def report_text(report: str) -> str:
    """Findings and impression in the order of the report, else its last paragraph, as one line.

    Of several findings or impressions the last counts: addenda stand above what they add to. Raises RejectionError
    no_text where there are none, or fewer than three words.
    """
    last = {section.name: (place, section.text) for place, section in enumerate(sections_of(report)) if section.text}
    if "findings" not in last and "view" in last:
        last["findings"] = last["view"]
    told = sorted(last[name] for name in ("findings", "impression") if name in last)
    text = " ".join(text for _, text in told) or last_paragraph(report)
    if len(WORD.findall(text)) < FEWEST:
        raise RejectionError("no_text", "neither findings nor an impression of three words or more")
    return text


def sections_of(report: str) -> list[Section]:
    """The sections in their order; what stands before the first head is none.

    A head that no list knows, as "LUNGS:", is part of the section that it stands in.
    """
    heads = [(head, name) for head in HEAD.finditer(report) if (name := name_of(head[1]))]
    ends = [head.start() for head, _ in heads[1:]] + [len(report)]
    return [Section(name, on_one_line(report[head.end() : end])) for (head, name), end in zip(heads, ends)]


@lru_cache(4096)
def name_of(head: str) -> str | None:
    """What a head names, findings, impression, view or else, however it is spelt; None if it is none of them."""
    words = WORD.findall(head)
    for name, known in (("findings", FINDINGS), ("impression", IMPRESSION), ("else", ELSE), ("view", VIEW)):
        if any(get_close_matches(word, known, n=1, cutoff=ALIKE) for word in words):
            return name
    return None


def last_paragraph(report: str) -> str:
    """What stands after the last blank line, without its head; "" if the head names something else than the image."""
    paragraphs = [each for each in PARAGRAPH.split(report) if each.strip()]
    if not paragraphs:
        return ""
    head = HEAD.match(paragraphs[-1])
    if head is None:
        return on_one_line(paragraphs[-1])
    return "" if name_of(head[1]) == "else" else on_one_line(paragraphs[-1][head.end() :])


def on_one_line(text: str) -> str:
    """A text with one blank wherever it had white space."""
    return " ".join(text.split())
