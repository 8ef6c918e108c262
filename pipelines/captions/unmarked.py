"""Runs of labels that no sign sets off: numbers counted on, capitals in their turn, letters after a figure's number."""

import re

from pipelines.captions.markers import Marker, Style

MIN_LATE_RUN = 3  # letters in a run that does not begin with the first
MIN_WORDS = 2  # between two capitals in their turn
# Words whose letter is part of a name: "vitamin A", "hepatitis B".
_NAMED = re.compile(
    r"(?:vitamins?|hepatitis|factors?|proteins?|types?|subtypes?|groups?|class|grades?|stages?|complex|influenza|cyclin"
    r"|coenzyme|strains?|sites?|samples?|cases?|patients?|points?|levels?|areas?|zones?|regions?|lanes?|lines?|arms?"
    r"|arrows?|models?|phases?|category|scores?|electrodes?|positions?|child|plans?|loci|locus|chains?|bands?|peaks?)$",
    re.IGNORECASE,
)
_CAPITAL = re.compile(r"(?:^|(?<=\s))([A-Z])\s(?=[A-Za-z(][A-Za-z])")
# "Fig. 1a:", "(7A)", "1a.": where a number before a letter may be the figure's.
_NUMBERED = re.compile(
    r"(?:^|(?<=[(\[])|\b(?:[Ff]igs?\.?|[Ff]igures?|[Pp]anels?)\s|(?<=[.;]\s))"
    r"(?P<number>[1-9]\d?)(?P<letter>[A-Za-z])(?=\s?[-–:.),;\]])"
)


def counted(caption: str) -> list[Marker]:
    """Items that only their numbers set off, counted on: "1 Dorsal view 2 Ventral view", "4. Leg 5. Wing"."""
    signs: dict[Style, str] = {"dot": r"\.\s(?=[A-Z])", "bare": r"\s(?=[A-Z][a-z])"}
    for style, sign in signs.items():
        for first in re.finditer(rf"(?:^|(?<=[.!?]\s))(?!0)(\d{{1,2}}){sign}", caption):
            markers: list[Marker] = []
            match: re.Match[str] | None = first
            while match is not None:
                number = int(first[1]) + len(markers)
                markers.append(Marker(labels=(str(number),), start=match.start(), end=match.end(), style=style))
                match = re.compile(rf"(?<=[\sa-z]){number + 1}{sign}").search(caption, match.end())
            if len(markers) >= MIN_LATE_RUN:
                return markers
    return []


def lettered(caption: str) -> list[Marker]:
    """Capitals in their turn from A that stand between words: "A dorsal view B ventral view C lateral view"."""
    found = list(_CAPITAL.finditer(caption))
    for first in found:
        chain = [first] if first[1] == "A" else []
        for match in found:
            between = caption[chain[-1].end() : match.start()].split() if chain else []
            if len(between) >= MIN_WORDS and match[1] == chr(ord(chain[-1][1]) + 1):
                chain.append(match)
        before = [caption[: match.start()].split()[-1:] for match in chain]
        words = [word[0].strip(",.;:()") if word else "" for word in before]
        if len(chain) >= MIN_LATE_RUN and words[0] not in words[1:] and not any(map(_NAMED.search, words)):
            return [Marker(labels=(m[1],), start=m.start(), end=m.end(), style="bare") for m in chain]
    return []


def without_figure_number(caption: str) -> str:
    """The caption with "1a" as "a ", of the same length, where a figure's number stands before the letters of a run."""
    numbers: dict[tuple[str, bool], set[str]] = {}
    for match in _NUMBERED.finditer(caption):
        numbers.setdefault((match["number"], match["letter"].isupper()), set()).add(match["letter"])
    for (number, is_upper), letters in numbers.items():
        first = "A" if is_upper else "a"
        if {first, chr(ord(first) + 1)} <= letters:
            case = "A-Z" if is_upper else "a-z"
            return re.sub(rf"(?<![\w.]){number}([{case}])(?!\w)", rf"\g<1>{' ' * len(number)}", caption)
    return caption
