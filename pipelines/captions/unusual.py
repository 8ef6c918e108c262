"""Panel labels that the marks of markers.py do not have: other scripts, circles, braces, markup, letters after Z.

"(α)", "(А)", "①", "{A}", "**A**", "<b>A</b>", "(AA)". Read only where they make an unbroken run from the
first, and, but for markup, where each opens a sentence: what names no panel, "interferon (α)", stays as it is. Panels
are named in Latin letters and digits, as they are matched: а, б, в of Russian are a, b, c.
"""

import re
import unicodedata
from collections.abc import Sequence

from pipelines.captions.markers import MAX_RANGE, Marker

ALPHABETS = (  # letters in the order in which each counts; of two that begin alike the one that goes on counts
    "αβγδεζηθικλμνξοπρστυφχψω", "ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ", "абвгдежзиклмнопрст", "АБВГДЕЖЗИКЛМНОПРСТ",
    "أبتثجحخد", "ابتثجحخد", "أبجدهوزحط", "ابجدهوزحط", "אבגדהוזחטי", "甲乙丙丁戊己庚辛壬癸", "一二三四五六七八九十",
    "アイウエオカキクケコ", "あいうえおかきくけこ", "イロハニホヘト", "가나다라마바사아자차", "กขคง", "कखगघङ",
)  # fmt: skip
LOOKS_LATIN = str.maketrans(
    "АВСЕНІЈКМОРТХасеіјорΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ABCEHIJKMOPTXaceijopABEZHIKMNOPTYX"
)  # Cyrillic, Greek
# Nouns whose letter in brackets is their own: "vitamin (A)", "hepatitis (B)".
TAKES_A_LETTER = (
    "vitamins?", "hepatitis", "influenza", "h[ae]+mophilia", "types?", "subtype", "class", "group", "grade", "stage",
    "factor", "protein", "coenzyme", "interferon", "immunoglobulin", "h[ae]+moglobin", "apolipoprotein", "serotype",
    "clade", "antigen", "receptor", "chromosome", "model", "plan", "option",
)  # fmt: skip
OWN_LETTER = re.compile(rf"\b(?:{'|'.join(TAKES_A_LETTER)})\s$", re.IGNORECASE)
_OPENS = r"(?:^|(?<=[.;:!?。；：！？])|(?<=[.;:!?。；：！？]\s)|(?<=\n)|(?<=[,،、，]\s)|(?<=\sand\s))"
_WAYS = (
    re.compile(r"(?P<open>\*\*|__|\*)[(\[]?(?P<label>[A-Za-z])[)\].:]{0,2}(?P=open)[:.)]?"),
    re.compile(r"<(?P<open>b|strong|i|em|bold|italic)>[(\[]?(?P<label>[A-Za-z])[)\].:]{0,2}</(?P=open)>[:.)]?", re.I),
    re.compile(rf"{_OPENS}(?P<label>[①-⑳⑴-⒇⒈-⒛ⓐ-ⓩⒶ-Ⓩ⒜-⒵❶-❿➀-➉➊-➓㊀-㊉])\s?[:.)]?"),
    re.compile(rf"{_OPENS}[(\[{{（【〔「［｛<〈《⟨]\s?(?P<label>[^\W\d_])\s?[)\]}}）】〕」］｝>〉》⟩]"),
)  # fmt: skip
_CIRCLED = {
    sign: number for signs in ("❶❷❸❹❺❻❼❽❾❿", "➀➁➂➃➄➅➆➇➈➉", "➊➋➌➍➎➏➐➑➒➓") for number, sign in enumerate(signs, 1)
}
_AFTER_Z = re.compile(r"(?P<open>[(\[])\s?(?P<label>A[A-Z]|([B-Z])\3)\s?[)\]]")


def unusual_markers(caption: str) -> list[Marker]:
    """The panels that a caption names in one of these ways; none where they make no run of at least two."""
    for way in _WAYS:
        found = list(way.finditer(caption))
        if all(match["label"].isascii() and match[0].lstrip()[:1] in ("(", "[") for match in found):
            continue  # what markers.py reads, or has its reasons not to
        labels = _plain([match["label"] for match in found]) if len(found) > 1 else []
        if labels and not any(has_own_letter(caption, match.start()) for match in found):
            return [_marker(label, match) for label, match in zip(labels, found, strict=True)]
    return []


def markers_after_z(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """AA, AB, AC or AA, BB, CC in brackets, where the labels have reached Z."""
    found = list(_AFTER_Z.finditer(caption))
    labels = [match["label"] for match in found]
    letters = [chr(ord("A") + number) for number in range(min(len(labels), MAX_RANGE))]
    in_turn = labels in ([f"A{letter}" for letter in letters], [letter * 2 for letter in letters])
    if not labels or not in_turn or not any("Z" in marker.labels for marker in markers):
        return []
    return [_marker(label, match) for label, match in zip(labels, found, strict=True)]


def _marker(label: str, match: re.Match[str]) -> Marker:
    return Marker(labels=(label,), start=match.start(), end=match.end(), style="bracket")


def has_own_letter(caption: str, place: int) -> bool:
    """Whether the word before a place takes a letter of its own: "vitamin (A)"."""
    return OWN_LETTER.search(caption[max(0, place - 40) : place].replace("\u00a0", " ")) is not None


def _plain(labels: Sequence[str]) -> list[str]:
    """The labels as Latin letters or digits, where they are the first of one alphabet in order; else none."""
    numbers = [_number(label) for label in labels]
    if all(numbers):
        return [str(number) for number in numbers] if numbers == list(range(1, len(numbers) + 1)) else []
    plain = [unicodedata.normalize("NFKC", label).strip("().") for label in labels]
    latin = "".join(plain)
    if latin.isascii() and latin.isalpha():
        return plain if _in_turn(latin) else []
    alike = latin.translate(LOOKS_LATIN)
    if alike.isascii() and alike.isalpha() and _in_turn(alike):
        return list(alike)
    for alphabet in ALPHABETS:
        if latin == alphabet[: len(latin)]:
            first = ord("A" if latin[0].isupper() else "a")
            return [chr(first + n) for n in range(len(latin))]
    return []


def _in_turn(letters: str) -> bool:
    """Whether Latin letters go on from the first."""
    return letters.lower() == "abcdefghijklmnopqrstuvwxyz"[: len(letters)]


def _number(label: str) -> int:
    """The number in a circle or in brackets of its own; 0 where there is none."""
    if label in _CIRCLED:
        return _CIRCLED[label]
    digits = unicodedata.normalize("NFKC", label).strip("().")
    return int(digits) if digits.isascii() and digits.isdigit() else 0
