"""The text of JATS elements as a reader sees it, with the exact places of emphasis and of cross references."""

import re
import string
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Literal

from lxml import etree

from core.records import Span
from pipelines.captions.markers import LARGE_ROMANS, ROMANS
from pipelines.sources.languages import in_english

EMPHASIS: dict[str, Literal["bold", "italic"]] = {"bold": "bold", "italic": "italic"}
# Elements that stand apart from their neighbours; without a space between them words fuse.
BLOCKS = frozenset({"title", "p", "list-item", "label", "term", "def", "disp-formula", "break", "td"})
SILENT = frozenset({"object-id", "annotation", "annotation-xml", "graphic", "inline-graphic", "media"})
# How a list counts items that have no label of their own, after its list-type.
COUNTED: dict[str, Sequence[str]] = {
    "alpha-upper": string.ascii_uppercase,
    "alpha-lower": string.ascii_lowercase,
    "roman-upper": LARGE_ROMANS,
    "roman-lower": ROMANS,
}
WRITINGS = ("math", "tex-math", "textual-form")  # of one formula, the most readable first
JOINTS = {"mfrac": "/", "msup": "^"}
POWER = re.compile(r"[-−+–]?\d{1,4}")  # what a digit's superscript is then: 10^4; a footnote's sign is a letter or star
TEX_BEGIN, TEX_END = "\\begin{document}", "\\end{document}"
TEX_WORD = re.compile(r"\\([A-Za-z]+)\s?|\\[^A-Za-z]")
# Signs that captions have; the names of fonts and spaces are left out, the letters in them stay.
TEX_SIGNS = {
    "times": "×", "pm": "±", "leq": "≤", "le": "≤", "geq": "≥", "ge": "≥", "approx": "≈", "sim": "∼", "circ": "°",
    "cdot": "·", "rightarrow": "→", "to": "→", "infty": "∞", "neq": "≠", "mu": "μ", "alpha": "α", "beta": "β",
    "gamma": "γ", "delta": "δ", "Delta": "Δ", "epsilon": "ε", "theta": "θ", "kappa": "κ", "lambda": "λ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "omega": "ω", "Omega": "Ω", "%": "%", "&": "&",
    "\\%": "%", "\\&": "&", "\\_": "_", "\\#": "#", "\\,": " ", "\\;": " ", "\\ ": " ", "quad": " ",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A cross reference: text[start:end] points at the elements with these ids."""

    start: int
    end: int
    targets: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Text in NFC with single spaces and no invisible characters."""

    text: str
    emphasis: list[Span]
    references: list[Reference]


def as_text(*elements: etree._Element | None) -> Text:
    """The text of elements, one after the other with a space between."""
    writer = _Writer()
    for element in elements:
        if element is not None:
            writer.space()
            _walk(element, writer)
    return writer.finished()


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace: JATS comes with and without one."""
    return str(element.tag).rpartition("}")[2]


def item_label(item: etree._Element) -> str | None:
    """The label of a list item, its own or as its list counts; None where it has neither."""
    own = item.find("{*}label")
    listed = item.getparent()
    if own is not None or listed is None:
        return as_text(own).text or None
    counted = COUNTED.get(listed.get("list-type", ""), ())
    before = islice(item.itersiblings("{*}list-item", preceding=True), len(counted))
    return next(islice(counted, sum(1 for _ in before), None), None)


class _Writer:
    """Text in the making; positions stay true because white space is settled as it comes."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._length = 0
        self._space_due = False
        self._marks: list[tuple[int, int, str]] = []  # start, end, kind of emphasis or ids

    def space(self) -> None:
        self._space_due = True

    def write(self, text: str | None) -> None:
        if not text:
            return
        seen = _visible(text)
        words = seen.split()
        self._space_due |= bool(seen) and seen[0].isspace()
        if not words:
            return
        piece = (" " if self._space_due and self._length else "") + " ".join(words)
        self._pieces.append(piece)
        self._length += len(piece)
        self._space_due = seen[-1].isspace()

    def ends_with_digit(self) -> bool:
        """Whether the text so far ends with a digit that nothing sets off."""
        return bool(self._pieces) and self._pieces[-1][-1].isdigit() and not self._space_due

    def here(self) -> int:
        return self._length

    def mark(self, start: int, kind: str) -> None:
        self._marks.append((start, self._length, kind))

    def finished(self) -> Text:
        raw = "".join(self._pieces)
        # Without the space that a stretch may begin with.
        marks = [(start + raw.startswith(" ", start, end), end, kind) for start, end, kind in sorted(self._marks)]
        at = _after_nfc(raw, {place for start, end, _ in marks for place in (start, end)})
        spans = [(at[start], at[end], kind) for start, end, kind in marks]
        kept = [(start, end, kind) for start, end, kind in spans if start < end]
        return Text(
            text=unicodedata.normalize("NFC", raw),
            emphasis=[Span(start=s, end=e, kind=EMPHASIS[kind]) for s, e, kind in kept if kind in EMPHASIS],
            references=[Reference(start=s, end=e, targets=k.split()) for s, e, k in kept if k not in EMPHASIS],
        )


def _walk(element: etree._Element, writer: _Writer) -> None:
    name = local_name(element)
    if name in SILENT:
        return
    if name == "math":
        writer.write(_formula(element))
        return
    if name == "tex-math":
        writer.write(_tex(element.text or ""))
        return
    if name in BLOCKS:
        writer.space()
    start = writer.here()
    if name == "sup" and writer.ends_with_digit() and POWER.fullmatch(_words(element)):
        writer.write("^")
    if name == "list-item" and element.find("{*}label") is None:
        writer.write(item_label(element))
        _mark_label(start, writer)
    writer.write(element.text)
    for child in _one_writing(element) if name == "alternatives" else in_english(list(element)):
        _walk(child, writer)
        writer.write(child.tail)
    if name in EMPHASIS:
        writer.mark(start, name)
    if name == "label" and _of_item(element):
        _mark_label(start, writer)
    if name == "xref":
        writer.mark(start, element.get("rid", ""))
    if name in BLOCKS:
        writer.space()


def _words(element: etree._Element) -> str:
    return "".join(map(str, element.itertext())).strip()


def _of_item(label: etree._Element) -> bool:
    parent = label.getparent()
    return parent is not None and local_name(parent) == "list-item"


def _mark_label(start: int, writer: _Writer) -> None:
    """A label of a list stands apart on the page, as bold ones do."""
    if writer.here() > start:
        writer.mark(start, "bold")
        writer.space()


def _visible(text: str) -> str:
    """Without control and format characters: zero-width, direction marks, soft hyphens."""
    if text.isprintable():
        return text
    return "".join(c for c in text if c.isspace() or unicodedata.category(c) not in ("Cc", "Cf"))


def _after_nfc(raw: str, places: Iterable[int]) -> dict[int, int]:
    """Where each place of a text is after NFC: the length of what stands before it, then. One pass, however many."""
    if raw.isascii():
        return {place: place for place in places}
    found: dict[int, int] = {}
    done = length = 0  # raw[:done] becomes so many characters, whatever follows
    for place in sorted(places):
        border = place
        while border > done and not _begins(raw, border):
            border -= 1
        length += len(unicodedata.normalize("NFC", raw[done:border]))
        done = border
        found[place] = length + len(unicodedata.normalize("NFC", raw[border:place]))
    return found


def _begins(raw: str, place: int) -> bool:
    """Whether the character at a place never joins the one before it."""
    return place >= len(raw) or not (unicodedata.combining(raw[place]) or raw[place] in _joining())


@lru_cache(maxsize=1)
def _joining() -> frozenset[str]:
    """Characters that are no marks and still join the one before them: parts of Hangul and of some Indic vowels."""
    pairs = (unicodedata.decomposition(chr(code)).split() for code in range(0x20000))
    second = {chr(int(pair[1], 16)) for pair in pairs if len(pair) == 2 and not pair[0].startswith("<")}
    hangul = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    return frozenset(second | hangul)


def _formula(element: etree._Element) -> str:
    """MathML on one line: what stands side by side joined, fractions with a slash, powers with a ^."""
    name = local_name(element)
    if name in SILENT:
        return ""
    parts = [_formula(child) for child in element]
    return (element.text or "").strip() + JOINTS.get(name, "").join(parts)


def _tex(source: str) -> str:
    """A formula in TeX on one line, without the document that PMC wraps around it."""
    begin, end = source.find(TEX_BEGIN), source.rfind(TEX_END)  # not by a pattern: such formulas may be megabytes long
    body = source[begin + len(TEX_BEGIN) : end] if 0 <= begin < end else source
    words = TEX_WORD.sub(lambda match: TEX_SIGNS.get(match[1] or match[0], ""), body.replace("$", ""))
    return " ".join(words.replace("{", "").replace("}", "").replace("~", " ").split())


def _one_writing(alternatives: etree._Element) -> list[etree._Element]:
    for name in WRITINGS:
        for child in alternatives:
            if local_name(child) == name:
                return [child]
    return list(alternatives)[:1]
