"""Which panel a printed letter stands on or beside, and panels that share one letter beneath them."""

from collections.abc import Sequence

from core.records import Box
from pipelines.separation.layout import area, intersection, union

INSIDE = 0.6  # share of a letter's box that lies on its panel
FAR = 0.3  # of the panel's shorter side, that a letter outside may be away
LEFT_END = 0.25  # of a panel's width
CENTRED = 0.1  # of a group's width, that a letter beneath may be off its middle
CLOSE = 1.0  # letter heights from a panel, for a letter that stands on none of the sides
PLACES = ("below", "above", "left")


def owners(panels: Sequence[Box], letters: Sequence[Box]) -> list[list[int]]:
    """For each panel the indices of the letters that may be its own, likeliest first: those on it and those beside it.

    Letters stand on one side of all panels of a figure: between two rows that side decides whose a letter is, and where
    more panels have a letter beside them than on them, those beside come first.
    """
    inside = [[k for k, letter in enumerate(letters) if _is_on(letter, panel)] for panel in panels]
    taken = {k for own in inside for k in own}
    outside = [k for k in range(len(letters)) if k not in taken]
    sides = {place: _beside(panels, letters, outside, place) for place in PLACES}
    best = max(PLACES, key=lambda place: len(set(sides[place].values())))
    if len(set(sides["below"].values())) == len(set(sides["above"].values())) > 0 and best == "below":
        best = "above" if _stands_left(panels, letters, sides["above"]) else "below"
    beside: list[list[int]] = [[] for _ in panels]
    for place in (best, *(other for other in PLACES if other != best)):
        for letter, panel in sides[place].items():
            if letter not in taken and (place == best or not beside[panel]):
                beside[panel].append(letter)
                taken.add(letter)
    for letter in outside:
        away = {n: _apart(letters[letter], panel) for n, panel in enumerate(panels)}
        near = min(away, key=lambda n: away[n])
        if letter not in taken and away[near] <= CLOSE * (letters[letter][3] - letters[letter][1]):
            beside[near].append(letter)
    mostly_beside = sum(map(bool, beside)) > sum(map(bool, inside))
    return [out + own if mostly_beside else own + out for own, out in zip(inside, beside, strict=True)]


def _stands_left(panels: Sequence[Box], letters: Sequence[Box], above: dict[int, int]) -> bool:
    """Whether most letters stand over the left end of the panels beneath them: those below stand in the middle."""
    places = [
        (_middle(letters[letter]) - panels[panel][0]) / max(1, panels[panel][2] - panels[panel][0])
        for letter, panel in above.items()
    ]
    return sorted(places)[len(places) // 2] < LEFT_END


def groups(panels: Sequence[Box], letters: Sequence[Box]) -> list[list[int]]:
    """Panels, by index, that stand together over one letter: groups where every letter is centred under its own.

    Each panel alone where that cannot be said of all panels and letters.
    """
    alone = [[k] for k in range(len(panels))]
    if not 0 < len(letters) < len(panels):
        return alone
    together: dict[int, list[int]] = {}
    for k, panel in enumerate(panels):
        under = [n for n, letter in enumerate(letters) if letter[1] >= (panel[1] + panel[3]) // 2]
        if not under:
            return alone
        first = min(letters[n][1] for n in under)
        line = [n for n in under if letters[n][1] < first + (letters[n][3] - letters[n][1])]
        nearest = min(line, key=lambda n: abs(_middle(letters[n]) - _middle(panel)))
        together.setdefault(nearest, []).append(k)
    if len(together) < len(letters) or not all(
        _centred(letters[n], [panels[k] for k in own]) for n, own in together.items()
    ):
        return alone
    return [own for _, own in sorted(together.items(), key=lambda item: item[1][0])]


def _centred(letter: Box, panels: Sequence[Box]) -> bool:
    whole = union(panels)
    beneath = letter[1] >= max(panel[3] for panel in panels) - (letter[3] - letter[1]) // 2
    return beneath and abs(_middle(letter) - _middle(whole)) <= CENTRED * (whole[2] - whole[0])


def _apart(one: Box, other: Box) -> int:
    """Pixels between two boxes along the axis on which they are farther apart; 0 where they meet."""
    return max(one[0] - other[2], other[0] - one[2], one[1] - other[3], other[1] - one[3], 0)


def _middle(box: Box) -> float:
    return (box[0] + box[2]) / 2


def _is_on(letter: Box, panel: Box) -> bool:
    return intersection(letter, panel) >= INSIDE * max(1, area(letter))


def _beside(panels: Sequence[Box], letters: Sequence[Box], asked: Sequence[int], place: str) -> dict[int, int]:
    """The nearest panel of each letter that stands on this side of one."""
    found = {}
    for k in asked:
        distances = {n: _distance(letters[k], panel, place) for n, panel in enumerate(panels)}
        near = {n: away for n, away in distances.items() if away is not None}
        if near:
            found[k] = min(near, key=lambda n: near[n])
    return found


def _distance(letter: Box, panel: Box, place: str) -> float | None:
    """How far a letter is from a panel's side, px; None where it does not stand on that side."""
    middle, height = (_middle(letter), (letter[1] + letter[3]) / 2), letter[3] - letter[1]
    reach = FAR * min(panel[2] - panel[0], panel[3] - panel[1]) + height
    if place == "left":
        away, along = panel[0] - letter[2], panel[1] - height <= middle[1] <= panel[3]
    else:
        away = letter[1] - panel[3] if place == "below" else panel[1] - letter[3]
        aside = max(0.0, panel[0] - middle[0], middle[0] - panel[2])  # beneath two panels it stands in the gap between
        along = aside <= reach and (place == "below" or middle[0] <= panel[2])  # above, it is the next panel's
        return abs(away) + aside if along and -height / 2 - 2 <= away <= reach else None
    return abs(away) if along and -height / 2 - 2 <= away <= reach else None
