"""The letters of a figure as one run: hypotheses of kind, start and order, each by its best path (Viterbi 1967)."""

import re
import string
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from core.records import Box
from pipelines.captions.markers import LARGE_ROMANS, ROMANS
from pipelines.separation.reading_order import down_columns, reading_order

Gains = NDArray[np.float64]

SURE = 0.9  # a reading that is believed with no other beside it
TOGETHER = 2  # letters that make a run from its beginning believable
LATE_TOGETHER = 3  # and a run that begins later: c, d, e
LEAST = 0.8  # of what speaks for a run, in letters read with certainty
# What a run costs, in letters read with certainty.
SHARED = 0.3  # a panel without a letter of its own, which belongs to the one before
GAP, WIDEST_GAP = 0.2, 1.2  # each letter left out, and at most
BACK = 0.3  # a step back
LATE, LATEST = 0.2, 0.8  # each letter before the first, and at most
TWO_SIGNS = 0.5  # labels as "a1" and "B'"
NUMBERS = 0.3  # numbers, of which figures are full
DOWN = 0.1  # columns, which fewer figures are read by

SAME, ALIKE, NEAR = 1.0, 0.9, 0.6  # how far a reading speaks for a label
# What the recogniser takes for one another, after 1,860 letters in five fonts at 12 to 24 px, printed and read back.
_ALIKE = ("0Oo", "1lIi", "Cc", "Kk", "Pp", "Ss", "Uu", "Vv", "Ww", "Xx", "Yy", "Zz")
_NEAR = ("1ijlftrJTLI7", "0oOQDb", "5Ss", "6bG", "8BS", "9gq", "2Zz", "hnu", "bD", "EF")

_LETTERS: tuple[Sequence[str], ...] = (string.ascii_uppercase, string.ascii_lowercase)
_PLAIN: tuple[Sequence[str], ...] = (*_LETTERS, [str(number) for number in range(1, 31)], ROMANS, LARGE_ROMANS)
_MARKED = re.compile(r"[(\[]?\s*([A-Za-z](?:\d{1,2}|'{1,2})?|\d{1,2}|[ivx]{2,5}|[IVX]{2,5})\s*[)\]]?[.:,;]?")
_TWO_SIGNS = re.compile(r"[A-Za-z](?:[1-9]|'{1,2})")
_TITLED = re.compile(r"[(\[]?([A-Za-z])[)\]]\s?[A-Z0-9][\w.,-]")  # a title that begins with its letter: "a) E. coli"
# The edge of a panel beside a letter is read as a stroke.
_STROKED = re.compile(r"[|lI1!(\[]?\s*([A-Za-z]|[2-9])\s*[|lIJ1!)\]]?[.:,;]?")
_JOINED = {"rn": "m", "vv": "w", "VV": "W"}
# Letters of other alphabets that look like Latin ones, and signs that look like a prime.
_LOOKALIKES = str.maketrans("АВСЕНКМОРТХасеорхіΑΒΕΗΙΚΜΝΟΡΤΧ©’′`‘", "ABCEHKMOPTXaceopxiABEHIKMNOPTXc''''")


@dataclass(frozen=True)
class Printed:
    """A letter found on a panel, before the others of its figure are considered."""

    label: str
    score: float
    box: Box


@dataclass(frozen=True)
class _Run:
    """A hypothesis: the labels of a figure in their row, and what it costs to believe in them."""

    names: Sequence[str]
    cost: float
    fewest: float  # share of the panels that carry a letter


def as_label(text: str) -> str | None:
    """The bare letter, number or numeral of a printed label: "(A)" gives "A"; None for anything else."""
    latin = unicodedata.normalize("NFKC", text).translate(_LOOKALIKES)
    # An edge above a letter is read as its accent.
    plain = "".join(sign for sign in unicodedata.normalize("NFKD", latin) if not unicodedata.combining(sign)).strip()
    found = _MARKED.fullmatch(plain)
    if found and (not set(found[1].lower()) <= set("ivx") or len(found[1]) == 1 or found[1].lower() in ROMANS):
        return found[1]
    titled = _TITLED.match(plain)
    if titled:
        return titled[1]
    stroked = _STROKED.fullmatch(plain)
    return stroked[1] if stroked else _JOINED.get(plain.strip("()[]."))


def settle_run(printed: Sequence[Sequence[Printed]], boxes: Sequence[Box]) -> list[Printed | None]:
    """What is printed on each panel, as one run; None where nothing printed belongs to it.

    printed: of each panel, what may be its letter, if anything. boxes: of the panels. A label is only ever what was
    read there or is taken for it: three letters settle whether the fourth is b or 6, but name no panel without any.
    """
    best: tuple[float, list[Printed | None]] = (LEAST, [None] * len(printed))
    orders = ((reading_order(boxes), 0.0), (down_columns(boxes), DOWN))
    for run in _runs(printed):
        readings = [[_speaking_for(name, found) for name in run.names] for found in printed]
        gains = np.array([[one.score if one else 0.0 for one in row] for row in readings])  # (panels, names)
        for order, cost in orders if gains.any() else ():
            total, places = _best_path(gains[order])
            letters = [None if place is None else readings[k][place] for k, place in zip(order, places, strict=True)]
            total -= run.cost + cost
            if total > best[0] and _is_believable(letters, places, run.fewest):
                best = (total, [letters[order.index(k)] for k in range(len(letters))])
    return best[1]


def stands_at(label: str, place: int) -> bool:
    """Whether a run of one sign from its beginning has this label at a place, counted from 0."""
    return any(place < len(names) and likeness(label, names[place]) >= ALIKE for names in _PLAIN)


def _runs(printed: Sequence[Sequence[Printed]]) -> Iterator[_Run]:
    """The runs that the readings may belong to; those of two signs only where some were read."""
    for names in _PLAIN:
        is_letters = names in _LETTERS
        yield _Run(names, cost=0.0 if is_letters else NUMBERS, fewest=1 / 4 if is_letters else 0.5)
    double = sorted({one.label for found in printed for one in found if _TWO_SIGNS.fullmatch(one.label)})
    if len(double) < TOGETHER:
        return
    last = max((int(name[1]) for name in double if name[1].isdecimal()), default=0)
    digits = [str(number) for number in range(1, 1 + last)]
    primes = ["", "'", "''"] if any("'" in name for name in double) else []
    for letters in _LETTERS:
        heads = letters[: 2 * len(printed)] if any(name[0] in letters for name in double) else ""
        for tails in filter(None, (digits, digits and ["", *digits], primes[:2], primes)):
            yield _Run([head + tail for head in heads for tail in tails], cost=TWO_SIGNS, fewest=0.5)
            yield _Run([head + tail for tail in tails for head in heads], cost=TWO_SIGNS + DOWN, fewest=0.5)


def _speaking_for(name: str, found: Sequence[Printed]) -> Printed | None:
    """The reading of a panel that speaks most for a label, as that label and with its score lowered by the doubt."""
    best = max(found, key=lambda one: one.score * likeness(one.label, name), default=None)
    if best is None or not likeness(best.label, name):
        return None
    return replace(best, label=name, score=best.score * likeness(best.label, name))


@lru_cache(maxsize=2**16)
def likeness(read: str, label: str) -> float:
    """How far what was read speaks for a label, 0 to 1."""
    if read == label:
        return SAME
    if len(read) == 2 and len(label) == 1 and read[1] == "1":  # the panel's edge
        return NEAR * likeness(read[0], label)
    if len(read) != len(label):
        return 0.0
    alike = any(read in group and label in group for group in _ALIKE)
    near = read.lower() == label.lower() or any(read in group and label in group for group in _NEAR)
    return ALIKE if alike else NEAR if near else 0.0


def _best_path(gains: Gains) -> tuple[float, list[int | None]]:
    """The best walk of the panels through the names of a run: its total, and the place of each that has a letter.

    gains: (panels, names). A panel that stays at the place of the one before has no letter of its own.
    """
    n_panels, n_names = gains.shape
    steps = -_step_costs(n_names)  # (from, to)
    totals = gains[0] - np.minimum(LATE * np.arange(n_names), LATEST)
    came = np.zeros((n_panels, n_names), dtype=int)
    for k in range(1, n_panels):
        reached = totals[:, None] + steps + gains[k][None]
        np.fill_diagonal(reached, totals - SHARED)
        came[k], totals = reached.argmax(axis=0), reached.max(axis=0)
    walk = [int(totals.argmax())]
    for k in range(n_panels - 1, 0, -1):
        walk.append(int(came[k][walk[-1]]))
    walk.reverse()
    own = [k == 0 or walk[k - 1] != place for k, place in enumerate(walk)]
    lettered = [place if own[k] and gains[k, place] else None for k, place in enumerate(walk)]
    return float(totals.max()), _without_repeats(lettered, gains)


@lru_cache(maxsize=64)
def _step_costs(n_names: int) -> Gains:
    """The cost of every step through a run, (from, to)."""
    ahead = np.arange(n_names)[None] - np.arange(n_names)[:, None] - 1
    return np.where(ahead < 0, BACK, np.minimum(GAP * ahead, WIDEST_GAP))


def _without_repeats(places: Sequence[int | None], gains: Gains) -> list[int | None]:
    """Each place but where it gains most, or in its row among equals, becomes None."""
    best: dict[int, int] = {}
    for k, place in enumerate(places):
        if place is not None and (place not in best or gains[k, place] > gains[best[place], place]):
            best[place] = k
    return [place if place is not None and best[place] == k else None for k, place in enumerate(places)]


def _is_believable(letters: Sequence[Printed | None], places: Sequence[int | None], fewest: float) -> bool:
    """Whether enough letters stand together; one alone must be a sure one in its place, on one of two panels."""
    known = [(k, one) for k, one in enumerate(letters) if one is not None]
    firm = [(k, one) for k, one in known if one.score > NEAR]
    ahead = [place - k for k, place in enumerate(places) if place is not None]
    if len(firm) == 1 and len(letters) <= 2:
        ((k, one),) = firm
        return places[k] == k and one.score >= SURE
    return len(known) >= fewest * len(letters) and len(firm) >= (TOGETHER if min(ahead) <= 0 else LATE_TOGETHER)
