"""The marks by which a caption names its panels, after a count of marker styles in 1,000 captions of case reports."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from pipelines.records import Span

Style = Literal["bracket", "word", "colon", "closing", "dot", "emphasis", "comma", "bare", "position"]

STYLES: tuple[Style, ...] = ("bracket", "word", "colon", "closing", "dot", "emphasis", "comma", "bare")
ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
LARGE_ROMANS = tuple(roman.upper() for roman in ROMANS)
WEAK_STYLES: tuple[Style, ...] = ("comma", "bare")  # much else looks like them
MAX_RANGE = 26  # labels
MIN_LATE_RUN = 3  # letters in a run that does not begin with the first

_UNIT = r"(?:[A-Za-z](?:\d{1,2})?[’'′]{0,2}|\d{1,2}|[ivx]{2,4}|[IVX]{2,4})"
_JOIN = r"(?:\s?[-–—−‐‑]\s?|\s(?:to|through)\s|\s?,\s?(?:and\s|&\s?)?|\sand\s|\s?&\s?|\s?/\s?|\s?;\s?)"
_LIST = rf"(?:{_UNIT}(?:{_JOIN}{_UNIT}){{0,25}})"
_WORDS = r"(?:sub)?(?:panels?|images?|parts?|rows?|columns?|figs?\.|figures?|pictures?|plates?)"
_OPENING = r"(?:^|(?<=[.;:!?)\]])|(?<=[.;:,!?(\[)\]]\s)|(?<=\sand\s)|(?<=\sor\s)|(?<=[(\[]))"
_SPACED = r"(?:^|(?<=\s)|(?<=[.;:,]))"
_SENTENCE = r"(?:^|(?<=[.;:!?)\]]\s)|(?<=[a-z]\.))"

_BRACKET = re.compile(
    rf"[(\[]\s?(?:(?P<lead>(?=[a-z]{{3}})[^()\[\]:;]{{0,60}}?(?:,|\sin|\spanels?|\simages?)\s|{_WORDS}\s))?(?P<list>{_LIST})\.?"
    rf"(?P<rest>\s?[,;:]?\s(?:[^()\[\]:]*?\b(?:arrow|asterisk|star|circle|head|line|triangle|box)[^()\[\]:]*))?\s?(?:[)\]]|$)",
    re.IGNORECASE,
)
_PATTERNS: dict[Style, re.Pattern[str]] = {
    "word": re.compile(rf"{_SENTENCE}(?i:{_WORDS})\s(?P<list>{_LIST})(?:\s?[.:,)](?=\s)|(?=\s[a-z]))"),
    "colon": re.compile(rf"{_OPENING}(?P<list>{_LIST})\s?:(?=\s|[A-Z])"),
    "closing": re.compile(rf"{_SPACED}(?P<list>{_UNIT}(?:\)?{_JOIN}{_UNIT}){{0,25}})\)\s?[:.,]?(?=\s|[A-Z])"),
    "dot": re.compile(rf"{_SENTENCE}(?P<list>{_LIST})\.(?=\s?[A-Z0-9(‘“\"])"),
    "comma": re.compile(rf"{_SENTENCE}(?P<list>{_UNIT}(?:\s?(?:[-–—]|\sand\s)\s?{_UNIT})?)\s?,\s(?=[A-Za-z0-9])"),
    "bare": re.compile(rf"{_SENTENCE}(?P<list>{_LIST})\s(?=[A-Z0-9(*×])"),
}
_PLACE = r"(?:upper|lower|top|bottom|left|right|middle|cent(?:er|re|ral)|first|second|third|fourth|far)"
_PLACES = rf"{_PLACE}(?:(?:\sand\s|\s|-){_PLACE}){{0,2}}"
_PLACE_NOUN = r"(?:\s(?:panels?|images?|rows?|columns?|pictures?|figures?|sides?))"
_POSITION = re.compile(
    rf"\(\s?(?:the\s)?(?P<bracketed>{_PLACES}){_PLACE_NOUN}?\s?\)"
    rf"|{_SENTENCE}(?:the\s)?(?P<colon>{_PLACES}){_PLACE_NOUN}?\s?:(?=\s)"
    rf"|{_SENTENCE}(?:the\s)?(?P<noun>{_PLACES}){_PLACE_NOUN},?(?=\s)",
    re.IGNORECASE,
)
_CALLS_BACK = re.compile(
    r"\b(?:in|of|as|than|with|see|from|for|to|between|arrows?|figs?\.?|figures?|case|patient)\s?$",
    re.IGNORECASE,
)
# Single letters and letter-digits that name a side, a vessel, a vertebra, a stain or a sequence.
_ANATOMY = re.compile(
    r"^(?:[A-Z]\d?\s(?:segment|portion|branch|phase|cells?|weighted|level|vertebra|lymphocytes?|marker)|&\s?E\b)",
    re.IGNORECASE,
)
# Citations, and "two factors: (1) presence of coma; and (2) the disorder".
_COUNTS = re.compile(r"(?:\[\d+\]|(?:[:;,]|\band|\bor)\s\(\d+\)\s[a-z]).{0,2}$")
_LEGEND = re.compile(r"\bAbbreviations?\b\s?[:,=.]?")
_NEVER = re.compile(r"^(?:[TMCLSPV]\d{1,2}|A[123]|CD\d+)$")


@dataclass(frozen=True, kw_only=True, slots=True)
class Marker:
    """A stretch caption[start:end] that names panels; `keeps` is what must stay of it, as "(arrow)"."""

    labels: tuple[str, ...]
    start: int
    end: int
    style: Style
    emphasised: bool = False
    keeps: str = ""


def find_markers(caption: str, emphasis: Sequence[Span] = ()) -> list[Marker]:
    """All that looks like a letter marker, false ones too, in the order of the caption."""
    found = [*_brackets(caption, emphasis), *_emphasised(caption, emphasis)]
    for style, pattern in _PATTERNS.items():
        for match in pattern.finditer(caption):
            half = style == "closing" and opens_bracket(caption[: match.start()])
            if not half and not _ANATOMY.match(caption[match.start("list") :]):
                found += _marker(match, style, emphasis)
    legend = _LEGEND.search(caption)
    found = [marker for marker in found if not legend or marker.start < legend.start()]
    return sorted(found, key=lambda marker: (marker.start, marker.end))


def find_positions(caption: str) -> list[Marker]:
    """Words of place that name panels, as "(left)" and "Upper row:"."""
    markers = []
    for match in _POSITION.finditer(caption):
        words = match["bracketed"] or match["colon"] or match["noun"]
        label = " ".join(words.lower().replace("-", " ").split())
        # A panel named by its noun alone stays part of its sentence: "Left panel shows".
        end = match.end() if match["noun"] is None else match.start()
        labels = tuple(label.split(" and ")) if " and " in label else (label,)
        markers.append(Marker(labels=labels, start=match.start(), end=end, style="position"))
    return markers


def chosen_family(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """The markers of the family, one style and case, whose labels form the longest run; others only fill its gaps."""
    for kinds in (LETTERS, NUMBERS):
        families = [
            (is_kind, [m for m in markers if m.style == style and is_kind(m)]) for is_kind in kinds for style in STYLES
        ]
        is_kind, best = max(families, key=lambda family: (len(run_of(labels_of(family[1]))), _openings(family[1])))
        if run_of(labels_of(best)):
            is_weak = best[0].style in WEAK_STYLES and not any(marker.emphasised for marker in best)
            if (is_weak or kinds is NUMBERS) and 0 not in ranks_of(labels_of(best)):
                return []
            return _of_run(_with_gaps_filled(best, list(filter(is_kind, markers))))
    return []


def labels_of(markers: Sequence[Marker]) -> list[str]:
    """The distinct labels in the order of the caption."""
    return list(dict.fromkeys(label for marker in markers for label in marker.labels))


def run_of(labels: Sequence[str]) -> set[str]:
    """The labels that belong to an unbroken run from the first letter, digit or roman; none if it has no two."""
    by_rank: dict[int, list[str]] = {}
    for label, rank in zip(labels, ranks_of(labels), strict=True):
        by_rank.setdefault(rank, []).append(label)
    ranks = sorted(by_rank)
    runs = [[rank for _, rank in run] for _, run in groupby(enumerate(ranks), lambda pair: pair[1] - pair[0])]
    for index in range(len(runs) - 1, 0, -1):
        # One label may be forgotten within a row.
        if runs[index][0] - runs[index - 1][-1] == 2 and min(len(runs[index]), len(runs[index - 1])) > 1:
            runs[index - 1 : index + 1] = [runs[index - 1] + runs[index]]
    allowed = [run for run in runs if len(run) >= (2 if run[0] == 0 else MIN_LATE_RUN)]
    members = [label for rank in max(allowed, key=len, default=[]) for label in by_rank[rank]]
    return set(members)


def ranks_of(labels: Sequence[str]) -> list[int]:
    """The places of labels of one family in its row: 0 for "a", "A", "a1" and "1", and for "i" among romans."""
    if any(len(label) > 1 and label.lower() in ROMANS for label in labels):
        return [ROMANS.index(label.lower()) if label.lower() in ROMANS else len(ROMANS) for label in labels]
    return [int(label) - 1 if label.isdigit() else ord(label[0].lower()) - ord("a") for label in labels]


def calls_back(caption: str, marker: Marker) -> bool:
    """Whether the words before a marker make it a reference, as "in (A)" and "compare with B"."""
    return bool(_CALLS_BACK.search(caption[: marker.start]))


def opens_bracket(text: str) -> bool:
    """Whether a stretch ends within a bracket that it opened; the bracket of "A)" closes nothing."""
    depth = 0
    for character in re.findall(r"[()\[\]]", text):
        depth = depth + 1 if character in "([" else max(depth - 1, 0)
    return depth > 0


def expanded(text: str) -> tuple[str, ...]:
    """The labels that a list or range names: "A-C, e" -> A, B, C, e; empty where a range makes no sense."""
    labels: list[str] = []
    parts = re.split(rf"({_JOIN})", text.replace(")", ""))
    for join, unit in zip(["", *parts[1::2]], parts[::2], strict=True):
        if labels and re.fullmatch(r"\s?[-–—−‐‑]\s?|\s(?:to|through)\s", join):
            between = _between(labels[-1], unit)
            if not between:
                return ()
            labels += between
        elif unit:
            labels.append(unit)
    return tuple(dict.fromkeys(labels))


def _between(first: str, last: str) -> list[str]:
    """The labels after `first` up to `last`; empty where they are of two kinds."""
    if first.isdigit() and last.isdigit():
        return [str(number) for number in range(int(first) + 1, min(int(last), int(first) + MAX_RANGE) + 1)]
    if first in ROMANS and last in ROMANS and len(last) > 1:
        return list(ROMANS[ROMANS.index(first) + 1 : ROMANS.index(last) + 1])
    if first[:1].isalpha() and last[:1].isalpha() and first[:1].isupper() == last[:1].isupper():
        if first[0] == last[0] and first[1:].isdigit() and last[1:].isdigit():
            return [f"{first[0]}{number}" for number in range(int(first[1:]) + 1, int(last[1:]) + 1)]
        if first[1:] == last[1:]:
            return [f"{chr(code)}{first[1:]}" for code in range(ord(first[0]) + 1, ord(last[0]) + 1)]
    return []


def _brackets(caption: str, emphasis: Sequence[Span]) -> Iterator[Marker]:
    for match in _BRACKET.finditer(caption):
        lead, rest = (match["lead"] or "").strip(" ,"), (match["rest"] or "").strip(" ,;:")
        lead = re.sub(rf"\b{_WORDS}$", "", lead, flags=re.IGNORECASE)
        words = " ".join(part for part in (lead, rest) if part)
        yield from _marker(match, "bracket", emphasis, keeps=f"({words})" if words else "")


def _emphasised(caption: str, emphasis: Sequence[Span]) -> Iterator[Marker]:
    for span in emphasis:
        match = re.fullmatch(rf"[(\[\s]*(?P<list>{_LIST})[)\]\s:.,]*", caption[span.start : span.end])
        if match:
            labels = expanded(match["list"])
            if labels and not any(_NEVER.match(label) for label in labels):
                # The delimiter may stand outside the bold letter.
                end = span.end + len(re.match(r"[:.,)]?", caption[span.end :])[0])  # type: ignore[index]
                yield Marker(labels=labels, start=span.start, end=end, style="emphasis", emphasised=True)


def _marker(match: re.Match[str], style: Style, emphasis: Sequence[Span], keeps: str = "") -> list[Marker]:
    labels = expanded(match["list"])
    if not labels or any(_NEVER.match(label) for label in labels):
        return []
    if labels[0].isdigit() and _COUNTS.search(match.string[: match.end() + 3]):
        return []
    start, end = match.span("list")
    emphasised = any(span.start < end and start < span.end for span in emphasis)
    return [
        Marker(labels=labels, start=match.start(), end=match.end(), style=style, emphasised=emphasised, keeps=keeps)
    ]


def _is_upper(marker: Marker) -> bool:
    return all(label[0].isupper() and (len(label) == 1 or label not in LARGE_ROMANS) for label in marker.labels)


def _is_lower(marker: Marker) -> bool:
    return all(label[0].islower() and (len(label) == 1 or label not in ROMANS) for label in marker.labels)


def _is_digit(marker: Marker) -> bool:
    return all(label.isdigit() for label in marker.labels)


def _is_roman(marker: Marker) -> bool:
    return all(label in ROMANS for label in marker.labels)


def _is_large_roman(marker: Marker) -> bool:
    return all(label in LARGE_ROMANS for label in marker.labels)


# Numbers often count what a panel shows, so that they name panels only where no letters do.
LETTERS: tuple[Callable[[Marker], bool], ...] = (_is_upper, _is_lower)
NUMBERS: tuple[Callable[[Marker], bool], ...] = (_is_roman, _is_large_roman, _is_digit)


def _openings(family: Sequence[Marker]) -> float:
    """How many markers name one panel or stand out, to tell panels' own markers from lists in the preamble."""
    return len({marker.labels for marker in family}) + sum(marker.emphasised for marker in family) / 100


def _with_gaps_filled(family: Sequence[Marker], others: Sequence[Marker]) -> list[Marker]:
    """The family and those others that name what it lacks and lengthen its run, or that name panels by a word."""
    members = list(family)
    waiting = [marker for marker in others if all(_apart(marker, member) for member in family)]
    while True:
        known, run = set(labels_of(members)), run_of(labels_of(members))
        added = next((marker for marker in waiting if _lengthens(marker, known, run)), None)
        if added is None:
            break
        members.append(added)
        waiting = [marker for marker in waiting if _apart(marker, added)]
    members += [marker for marker in waiting if marker.style == "word" and known.issuperset(marker.labels)]
    return sorted(members, key=lambda marker: marker.start)


def _lengthens(marker: Marker, known: set[str], run: set[str]) -> bool:
    return not known & set(marker.labels) and len(run_of([*run, *marker.labels])) > len(run)


def _apart(one: Marker, other: Marker) -> bool:
    return one.end <= other.start or other.end <= one.start


def _of_run(markers: Sequence[Marker]) -> list[Marker]:
    run = run_of(labels_of(markers))
    return [marker for marker in markers if set(marker.labels) <= run]
