"""The marks by which a caption may name its panels, after a count of styles in 1,000 captions of case reports."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from core.records import Span

Style = Literal[
    "bracket", "word", "subject", "colon", "closing", "dot", "emphasis", "comma", "dash", "bare", "listed", "position"
]

SURE_STYLES: tuple[Style, ...] = ("bracket", "word", "colon", "closing")
ROMANS = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")
LARGE_ROMANS = tuple(roman.upper() for roman in ROMANS)
MAX_RANGE = 26  # labels

_JOIN = r"(?:\s?[-–—−‐‑]\s?|\s(?:to|through)\s|\s?[,;]\s?(?:(?:and|or)\s|&\s?)?|\s(?:and|or)\s|\s?[&/+]\s?)"
_LETTER = r"(?!H\s?&\s?E\b|T[12]\b)[A-Za-z](?:\d{1,2}|(?-i:i{1,3}|iv))?[’'′]{0,3}(?!\w)"
_KINDS = (r"[ivx]{1,4}(?!\w)", r"[IVX]{1,4}(?!\w)", _LETTER, r"(?!0)\d{1,2}(?!\w)")
_LISTS = (
    *(rf"{kind}(?:[)]?{_JOIN}{kind}){{0,25}}" for kind in _KINDS),
    rf"[A-Za-z]\d{{1,2}}(?:{_JOIN}\d{{1,2}}){{1,25}}",
)
_LIST = rf"(?:{'|'.join(_LISTS)})".replace("[)]?", "")
CLOSED_LIST = rf"(?:{'|'.join(_LISTS)})"  # "A) and B)": every label carries its bracket
WORDS = r"(?:sub)?(?:panels?|images?|parts?|rows?|columns?|figs?\.|figures?|pictures?|plates?)"
_SHOWS = r"(?:shows?|showed|represents?|depicts?|demonstrates?|illustrates?|displays?|reveals?|presents?|is|are)"
_POINTERS = r"(?:arrow|asterisk|star|circle|head|line|triangle|box)"

_SPACED = r"(?:^|(?<=\s)|(?<=[.;:,]))"
_SENTENCE = r"(?:^|(?<=[.;:!?)\]]\s)|(?<=[a-z)]\.)|(?<=;\sand\s))"
_OPENING = rf"(?:{_SENTENCE}|(?<=[.;:!?)\]])|(?<=[,(\[]\s)|(?<=\sand\s)|(?<=\sor\s)|(?<=[(\[]))"
# What follows a letter in its bracket, "(C, in red, 200x)", names no other: "(A, left; B, right)".
_ALONE = r"(?![^()\[\]]{0,80}?(?:[;,]\s?(?:and\s)?|\sand\s)[A-Za-z](?:[-–][A-Za-z])?(?:[,:;]|\s[a-z]|\s[A-Z][a-z]))"
# Within a bracket that names several: "(A-F, on admission; G-L, a year later)".
_INSIDE = rf"(?:(?<=[(\[])(?=[^()\[\];]{{0,80}};\s?(?:and\s)?{_LIST},)|(?<=;\s))"

_BRACKET = re.compile(
    rf"[(\[]\s?(?:(?P<lead>(?=[a-z]{{3}})[^()\[\];]{{0,60}}?(?:[,:]|\sin|\spanels?|\simages?)\s|{WORDS}\s))?"
    rf"(?P<list>{_LIST})\.?"
    rf"(?P<rest>\s?[,;:]?\s(?:[^()\[\]:]{{0,80}}?\b{_POINTERS}[^()\[\]:]{{0,80}})"
    r"|(?P<joined>\s(?=[A-Z][a-z]{3})[^()\[\]:]{2,80})"
    rf"|\s?[,;]\s?(?=[\w×*]){_ALONE}[^()\[\]:]{{2,80}})?\s{{0,2}}(?:[)\]]|$)",
    re.IGNORECASE,
)
_PATTERNS: dict[Style, re.Pattern[str]] = {
    "word": re.compile(
        rf"{_SENTENCE}(?:(?:In\s(?:the\s)?)?(?i:{WORDS})\s(?P<list>{_LIST})(?:\s{{0,2}}[.:,;)–-](?=\s)|(?=\s[A-Z(])|(?P<verb>(?=\s[a-z]))))"
    ),
    "subject": re.compile(rf"(?:{_SENTENCE}|(?<=,\s)|(?<=\sand\s))(?P<list>{_LIST})(?P<verb>(?=\s{_SHOWS}\b))"),
    "colon": re.compile(rf"(?:{_OPENING}|(?<=[a-z0-9)]\s))(?P<list>{_LIST})\s?:(?=\s|[A-Z])"),
    "closing": re.compile(rf"{_SPACED}(?P<list>{CLOSED_LIST})\.?\)\s?[:.,]?(?=\s|\w)"),
    "dot": re.compile(
        rf"{_OPENING}(?<![A-Z]\.)(?P<list>{_LIST})\.(?:(?<=[A-Z]\.),(?=\s[a-z])|(?=\s?[A-Z(‘“\"α-ωΑ-Ω]|\s[0-9×*>~≥])|(?<=[a-z]\.)(?=\s[a-z]))"
    ),
    "comma": re.compile(
        rf"(?:{_SENTENCE}|{_INSIDE}|(?<=,\s)|(?<=\sand\s))(?P<list>{_LIST})\s?[,;]\s(?=[A-Za-z0-9×*α-ωΑ-Ω])"
    ),
    "dash": re.compile(
        rf"(?:{_SENTENCE}|(?<=[(\[])|(?<=,\s))(?P<list>{_LIST})(?:\s?[/=|–—-]\s|(?<!\d)[/–—-](?=[A-Z]))(?=[A-Za-z0-9])"
    ),
    "bare": re.compile(rf"(?:{_SENTENCE}|(?<=,\s)|(?<=\sand\s))(?P<list>{_LIST})\s(?=[A-Z0-9(*×“\"‘α-ω>~≥])"),
    "listed": re.compile(r"(?:^|(?<=[.,;:]\s)|(?<=\sand\s)|(?<=[(\[]))(?P<list>[A-Za-z])\.?\s(?=[a-z])"),
}
# What follows a letter that the words before it may touch: "mutant mice a: CT", "imagesA. CT".
_LOOSE: dict[Style, str] = {
    "bracket": r"[\s,;:.]\s?(?=[A-Z][a-z])",  # that nothing closes
    "comma": r",\s(?=[A-Z])",
    "colon": r"\s?:(?=\s|[A-Z])",
    "dot": r"\.(?=\s?[A-Zα-ωΑ-Ω]|\s[a-z])",
    "bare": r"\s?(?=[A-Z][a-z])",
}

# One character for one, so that places in the caption stay.
_PLAIN = str.maketrans("（）［］｛｝{}：，．；ʹ´`＇‘\u200b\u00a0\u2009", "()[]()():,.;’’’’’   ")
# Single letters and letter-digits that name a side, a vessel, a vertebra, a stain or a sequence.
_ANATOMY = re.compile(
    r"(?:[A-Z]\d?\s(?:segment|portion|branch|phase|cells?|weighted|level|vertebra|lymphocytes?|marker)|&\s?E\b)",
    re.IGNORECASE,
)
_FOOTNOTE = re.compile(r"\s?(?:[Pp](?:[ -]values?)?\s?[<>=≤≥]|[Ss]ignifican|[Dd]iffer(?:s|ed|ent|ences?)\b)")
_ISOMER = re.compile(r"-[A-Za-z0-9]")  # what follows the bracket of "(E)-2-hexenal"
_NEVER = re.compile(r"^(?:[TMCLSPV]\d{1,2}|A[123])$")  # where no delimiter makes it a label
_LEGEND = re.compile(r"\bAbbreviations?\b\s?[:,=.]?")
_AMONG = re.compile(rf"(?:[,;]\s|\sand\s)({_LIST}),\s")  # of "(H, arrowheads, and I, arrow)" the second
_JOINED = re.compile(rf"{_JOIN}")


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
    caption = caption.translate(_PLAIN)
    found = [*_brackets(caption, emphasis), *_emphasised(caption, emphasis)]
    for style, pattern in _PATTERNS.items():
        for match in pattern.finditer(caption):
            if not _within_words(match, style) and not _is_of_text(match):
                found += _marker(match, style, emphasis)
    legend = _LEGEND.search(caption)
    before = [marker for marker in found if not legend or marker.start < legend.start()]
    return sorted(before or found, key=lambda marker: (marker.start, marker.end))


def _is_of_text(match: re.Match[str]) -> bool:
    """Whether a letter is one of anatomy, "A1 segment", or of a footnote, "a P < 0.05"."""
    start, caption = match.start("list"), match.string
    return bool(_ANATOMY.match(caption, start) or (caption[start].islower() and _FOOTNOTE.match(caption, match.end())))


def _within_words(match: re.Match[str], style: Style) -> bool:
    """Whether a mark is among the words of a bracket: neither first in it nor first after a semicolon."""
    before = match.string[max(0, match.start() - 200) : match.start()]
    if style not in ("closing", "comma", "dash", "bare", "listed") or not opens_bracket(before):
        return False
    return style == "closing" or not re.search(r"(?:[(\[]|;\s?(?:and\s)?)$", before)


def find_loose(caption: str, letter: str, *, style: Style, start: int, end: int) -> Marker | None:
    """The last place in caption[start:end] where a letter stands in a style though no full stop sets it off."""
    if style not in _LOOSE:
        return None
    touches = r"[(\[]" if style == "bracket" else r"[\sa-z]" if letter.isupper() else r"\s"
    found = list(re.compile(rf"(?:^|(?<={touches})){letter}{_LOOSE[style]}").finditer(caption, start, end))
    return Marker(labels=(letter,), start=found[-1].start(), end=found[-1].end(), style=style) if found else None


def opens_bracket(text: str) -> bool:
    """Whether a stretch ends within a bracket that it opened; the bracket of "A)" closes nothing."""
    depth = 0
    for character in re.findall(r"[()\[\]]", text):
        depth = depth + 1 if character in "([" else max(depth - 1, 0)
    return depth > 0


def joined(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Markers with nothing but a joint between them as one: "(a) and (b)", "(C)-(E)", "A), B)"."""
    whole: list[Marker] = []
    for marker in markers:
        last = whole[-1] if whole else None
        between = caption[last.end - caption[last.end - 1 : last.end].count(",") : marker.start] if last else ""
        is_new = last is not None and ";" in between and bool(last.keeps) > bool(marker.keeps)
        if last is not None and last.style == marker.style and _JOINED.fullmatch(between) and not is_new:
            labels = expanded(f"{last.labels[-1]}{between}{marker.labels[0]}")
            labels = tuple(dict.fromkeys([*last.labels, *labels, *marker.labels]))
            whole[-1] = replace(last, labels=labels, end=marker.end, keeps=last.keeps or marker.keeps)
        else:
            whole.append(marker)
    return [_unwrapped(caption, marker) for marker in whole]


def _unwrapped(caption: str, marker: Marker) -> Marker:
    """A marker with the bracket around it: "((a), (b))"."""
    wrapped = marker.style == "bracket" and caption[marker.start - 1 : marker.start] == "("
    if not wrapped or caption[marker.end : marker.end + 1] != ")":
        return marker
    return replace(marker, start=marker.start - 1, end=marker.end + 1)


def expanded(text: str) -> tuple[str, ...]:
    """The labels that a list or range names: "A-C, e" -> A, B, C, e; empty where a range makes no sense."""
    labels: list[str] = []
    parts = re.split(rf"({_JOIN})", text.replace(")", ""))
    for join, unit in zip(["", *parts[1::2]], parts[::2], strict=True):
        if labels and re.fullmatch(r"\s?[-–—−‐‑]\s?|\s(?:to|through)\s", join):
            between = _between(labels[-1], f"{labels[-1][0]}{unit}" if _suffixed(labels, unit) else unit)
            if not between:
                return ()
            labels += between
        elif unit:
            labels.append(f"{labels[-1][0]}{unit}" if _suffixed(labels, unit) else unit)
    return tuple(dict.fromkeys(labels))


def _suffixed(labels: Sequence[str], unit: str) -> bool:
    """Whether a number leaves out its letter: "A1-3", "b1, 2"."""
    return unit.isdigit() and bool(labels) and labels[-1][0].isalpha()


def _between(first: str, last: str) -> list[str]:
    """The labels after `first` up to `last`; empty where they are of two kinds."""
    if first.isdigit() and last.isdigit():
        return [str(number) for number in range(int(first) + 1, min(int(last), int(first) + MAX_RANGE) + 1)]
    for romans in (ROMANS, LARGE_ROMANS):
        if first in romans and last in romans and len(last) > 1:
            return list(romans[romans.index(first) + 1 : romans.index(last) + 1])
    if first[:1].isalpha() and last[:1].isalpha() and first[:1].isupper() == last[:1].isupper():
        if first[0] == last[0] and first[1:].isdigit() and last[1:].isdigit():
            return [f"{first[0]}{number}" for number in range(int(first[1:]) + 1, int(last[1:]) + 1)]
        if first[1:] == last[1:]:
            return [f"{chr(code)}{first[1:]}" for code in range(ord(first[0]) + 1, ord(last[0]) + 1)]
    return []


def _brackets(caption: str, emphasis: Sequence[Span]) -> Iterator[Marker]:
    for match in _BRACKET.finditer(caption):
        if _ISOMER.match(caption, match.end()) or (match["joined"] and len(match["list"]) == 1):
            continue
        lead, rest = (match["lead"] or "").strip(" ,:"), (match["rest"] or "").strip(" ,;:")
        lead = re.sub(rf"^{WORDS}$|\bpanels?$", "", lead, flags=re.IGNORECASE)
        words = " ".join(part for part in (lead, rest) if part)
        others = tuple(label for found in _AMONG.findall(f", {rest}") for label in expanded(found))
        for marker in _marker(match, "bracket", emphasis, keeps=f"({words})" if words and not others else ""):
            yield replace(marker, labels=tuple(dict.fromkeys([*marker.labels, *others])))


def _emphasised(caption: str, emphasis: Sequence[Span]) -> Iterator[Marker]:
    for span in emphasis:
        match = re.fullmatch(rf"[(\[\s]*(?P<list>{_LIST})[)\]\s:.,]*", caption[span.start : span.end])
        if match and not re.match(r"\w\w", caption[span.end - 1 : span.end + 1]):
            labels = expanded(match["list"])
            if labels and not any(_NEVER.match(label) for label in labels):
                # The delimiter may stand outside the bold letter.
                end = span.end + len(re.match(r"[:.,)]?", caption[span.end : span.end + 1])[0])  # type: ignore[index]
                yield Marker(labels=labels, start=span.start, end=end, style="emphasis", emphasised=True)


def _marker(match: re.Match[str], style: Style, emphasis: Sequence[Span], keeps: str = "") -> list[Marker]:
    labels = expanded(match["list"])
    if not labels or (style not in SURE_STYLES and any(_NEVER.match(label) for label in labels)):
        return []
    start, end = match.span("list")
    emphasised = any(span.start < end and start < span.end for span in emphasis)
    # The subject of a sentence stays in it: "Panel A shows".
    end = match.start() if style in ("word", "subject") and match["verb"] is not None else match.end()
    return [Marker(labels=labels, start=match.start(), end=end, style=style, emphasised=emphasised, keeps=keeps)]
