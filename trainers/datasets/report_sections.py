"""The sections of a radiology report as MIMIC-CXR writes them, and what of it tells of the image (MGCA; ConVIRT)."""

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from core.rejection import RejectionError

# At the start of a line, with a colon: capitals, or as others than MIMIC write it, "Reason for exam:".
HEAD = re.compile(r"^[^\S\n]*([A-Z][A-Z ()/,-]*[A-Z)]|[A-Z][a-z]+(?: [A-Za-z]+){0,3}):(?=\s|$)", re.MULTILINE)
TITLE = re.compile(r"^\W*(?:FINAL|PRELIMINARY|AMENDED|CORRECTED)?\s*(?:REPORT|ADDENDUM)\W*$", re.MULTILINE)
ENDS = re.compile(r"\r\n?")  # of lines, on Windows and on older Macs
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
    report = ENDS.sub("\n", report)
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
    """What a head names, findings, impression, view or else, however it is spelt; None if it is none of them.

    One that is not in capitals has to be spelt right, and names no view: "Chest:" may begin a sentence of findings.
    """
    words = WORD.findall(head)
    kinds = (("findings", FINDINGS), ("impression", IMPRESSION), ("else", ELSE), ("view", VIEW))
    if not head.isupper():
        return next((name for name, known in kinds[:3] if words[0].upper() in known), None)
    for name, known in kinds:
        if any(get_close_matches(word, known, n=1, cutoff=ALIKE) for word in words):
            return name
    return None


def last_paragraph(report: str) -> str:
    """What stands after the last blank line, without its head; "" if that is told of something else than the image.

    So it is where a head says so: before the paragraph with nothing in between, at its beginning, or on a line of it.
    """
    starts = [0, *(gap.end() for gap in PARAGRAPH.finditer(report.rstrip()))]
    paragraph = TITLE.sub("", report[starts[-1] :].rstrip())
    before = [head for head in HEAD.finditer(report[: starts[-1]]) if name_of(head[1])]
    if before and name_of(before[-1][1]) == "else" and not report[before[-1].end() : starts[-1]].strip():
        return ""
    heads = [head for head in HEAD.finditer(paragraph) if name_of(head[1]) == "else"]
    told = paragraph[: heads[0].start()] if heads else paragraph
    head = HEAD.match(told.lstrip("\n"))
    return on_one_line(told.lstrip("\n")[head.end() :] if head else told)


def on_one_line(text: str) -> str:
    """A text with one blank wherever it had white space."""
    return " ".join(text.split())
