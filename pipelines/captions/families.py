"""Which of the marks in a caption name its panels: the style and case whose letters form the best run."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby, pairwise

from pipelines.captions.markers import LARGE_ROMANS, MAX_RANGE, ROMANS, WORDS, Marker, Style, find_loose, joined
from pipelines.captions.unmarked import MIN_LATE_RUN, counted, lettered

STYLES: tuple[Style, ...] = (
    "bracket",
    "word",
    "colon",
    "closing",
    "dot",
    "subject",
    "emphasis",
    "comma",
    "dash",
    "bare",
    "listed",
)
Kinds = tuple[Callable[[Marker], bool], ...]
Family = tuple[Callable[[Marker], bool], list[Marker]]
AGAIN_STYLES: tuple[Style, ...] = ("bracket", "word")  # that may name labels of another style a second time
DETAIL_STYLES: tuple[Style, ...] = ("colon", "closing", "dot")  # that may do so if they open sentences
WEAK_STYLES: tuple[Style, ...] = ("comma", "dash", "bare", "listed")  # much else looks like them
PAIR_STYLES: tuple[Style, ...] = ("bracket", "closing", "word")  # of which two are enough, if the caption begins so
# What numbers count that name no panels: "Three lesions: (1) frontal, (2) parietal".
_LISTING = re.compile(
    rf"\b(?:two|three|four|five|six|seven|eight|several|following)\s(?:[\w-]+\s){{0,2}}(?!{WORDS})[\w-]+:\s?$",
    re.IGNORECASE,
)
MIN_OTHERS = 2  # marks that show how a family stands
_WORD_BEFORE = re.compile(r"(?<![\w-])(\w)[\w-]+\s$")
MIN_LISTED = 3  # letters where nothing but a comma sets them off


def chosen_family(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """The markers of the family, one style and case, whose labels form the longest run; others only fill its gaps.

    Empty where there is no such run. Markers with nothing but a joint between them come as one.
    """
    return (
        _of_one_style(caption, markers, LETTERS)
        or _mixed(caption, markers)
        or _of_both_cases(markers)
        or _of_one_style(caption, markers, NUMBERS)
        or counted(caption)
        or lettered(caption)
        or _late_pair(caption, markers)
    )


def _of_one_style(caption: str, markers: Sequence[Marker], kinds: Kinds) -> list[Marker]:
    families = [
        (is_kind, _of_style(caption, style, [m for m in markers if m.style == style and is_kind(m)]))
        for is_kind in kinds
        for style in STYLES
    ]
    is_kind, best = _outer(caption, families) or max(families, key=lambda family: _worth(caption, family[1]))
    if not run_of(labels_of(best)) or not _trusted(caption, best, kinds):
        return []
    is_late = 0 not in ranks_of(labels_of(best))
    others = [marker for marker in markers if is_kind(marker) or (is_late and _is_earlier(marker, best[0]))]
    opening = [marker for marker in others if opens_sentence(caption, marker)]
    whole = _of_run(_with_gaps_filled(caption, best, others))
    while stray := _stray(caption, whole):
        whole = _of_run([marker for marker in whole if marker != stray])
    return _under_letters(whole, opening)


def _stray(caption: str, family: Sequence[Marker]) -> Marker | None:
    """The mark that ends the run and is a sign of the text: "Mitoses (E)" after A, B, C, or "cerebellum (C)".

    It comes after a gap and stands as no other, or others open sentences and it does not, and comes after a gap, out
    of order, or shortens the word before it.
    """
    ranks = dict(zip(labels_of(family), ranks_of(labels_of(family)), strict=True))
    last = max(ranks.values(), default=0)
    ending = [marker for marker in family if last in [ranks[label] for label in marker.labels]]
    if len(ending) != 1 or len(ending[0].labels) > 1:
        return None  # it is named elsewhere too, or with others
    marker = ending[0]
    others = [each for each in family if each is not marker]
    if len(labels_of(others)) < MIN_OTHERS:
        return None
    is_apart = last - 1 not in ranks.values()
    if is_apart and marker.style not in {each.style for each in others}:
        return marker
    opened = {label for each in others if opens_sentence(caption, each) for label in each.labels}
    if opens_sentence(caption, marker) or not opened or not opened.issuperset(labels_of(others)):
        return None
    word = _WORD_BEFORE.search(caption, 0, marker.start)
    is_short = word is not None and word[1].lower() == marker.labels[0].lower()
    is_early = any(each.start > marker.start and opens_sentence(caption, each) for each in others)
    return marker if is_apart or is_short or is_early else None


def _of_style(caption: str, style: Style, markers: Sequence[Marker]) -> list[Marker]:
    """The markers of one style joined, completed and without articles, "A man of 50. A Axial CT."."""
    whole = joined(caption, markers)
    if style in WEAK_STYLES:
        is_last = [marker.labels != later.labels for marker, later in pairwise(whole)]
        whole = [marker for marker, last in zip(whole, [*is_last, True], strict=False) if last]
    return _completed(caption, whole)


def _is_earlier(marker: Marker, first: Marker) -> bool:
    """Whether a marker in the other case may begin the run: "(a-d) ... (E-H)"."""
    is_letter = any(is_kind(marker) for is_kind in LETTERS)
    return is_letter and marker.style == first.style and max(ranks_of(marker.labels)) < min(ranks_of(first.labels))


def _under_letters(markers: list[Marker], opening: Sequence[Marker]) -> list[Marker]:
    """Of a grid whose letters are labels too, the letters: "(A, B) Cells. Resting (A1, B1), dividing (A2, B2)".

    `opening` are all marks that open sentences, those of other styles too.
    """
    plain = {label for label in labels_of([*markers, *opening]) if len(label) == 1}
    numbered = {label[0] for label in labels_of(markers) if label[1:].isdigit()}
    if len(numbered) < 2 or len(numbered & plain) <= len(numbered) / 2:
        return markers
    shortened = [
        tuple(dict.fromkeys(label[0] if label[1:].isdigit() else label for label in m.labels)) for m in markers
    ]
    return [replace(marker, labels=labels) for marker, labels in zip(markers, shortened, strict=True)]


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
        if runs[index][0] - runs[index - 1][-1] == 2 and _may_be_one(runs[index - 1], runs[index]):
            runs[index - 1 : index + 1] = [runs[index - 1] + runs[index]]
    allowed = [run for run in runs if len(run) >= (2 if run[0] == 0 else MIN_LATE_RUN)]
    members = [label for rank in max(allowed, key=len, default=[]) for label in by_rank[rank]]
    return set(members)


def ranks_of(labels: Sequence[str]) -> list[int]:
    """The places of labels of one family in its row: 0 for "a", "A", "a1" and "1", and for "i" among romans."""
    if any(len(label) > 1 and label.lower() in ROMANS for label in labels):
        return [ROMANS.index(label.lower()) if label.lower() in ROMANS else len(ROMANS) for label in labels]
    return [int(label) - 1 if label.isdigit() else ord(label[0].lower()) - ord("a") for label in labels]


def _completed(caption: str, markers: list[Marker]) -> list[Marker]:
    """Markers of one style with those of the letters between, before and after them that no full stop sets off."""
    ranks = ranks_of(labels_of(markers))
    if not markers or len(markers[0].labels[0]) > 1 or not markers[0].labels[0].isalpha() or not _ascends(markers):
        return markers
    whole = list(markers)
    missing = sorted(set(range(max(ranks) + 2)) - set(ranks))
    while missing:
        rank = missing.pop(0)
        start = max((marker.end for marker in whole if ranks_of(marker.labels)[-1] < rank), default=0)
        end = min((marker.start for marker in whole if ranks_of(marker.labels)[0] > rank), default=len(caption))
        letter = chr(ord("A" if markers[0].labels[0].isupper() else "a") + rank % MAX_RANGE)
        found = find_loose(caption, letter, style=markers[0].style, start=start, end=end)
        is_begun = len(whole) > 1 or rank == 0 or (ranks == [0] and opens_sentence(caption, markers[0]))
        if found is not None and is_begun:
            whole = sorted([*whole, found], key=lambda marker: marker.start)
            missing += [] if missing else [rank + 1]
    return whole


def _may_be_one(one: Sequence[int], other: Sequence[int]) -> bool:
    shorter, longer = sorted((len(one), len(other)))
    return shorter > 1 or (one[0] == 0 and longer >= MIN_LATE_RUN)


def _trusted(caption: str, family: Sequence[Marker], kinds: Kinds) -> bool:
    """Whether a family may stand alone: what much else looks like must begin with the first letter."""
    is_weak = family[0].style in WEAK_STYLES and not any(marker.emphasised for marker in family)
    if (is_weak or kinds is NUMBERS) and 0 not in ranks_of(labels_of(family)):
        return False
    if _is_digit(family[0]) and not _heads(caption, family):
        return False
    if family[0].style != "listed":
        return True
    n_enough = MIN_LISTED - (_is_lower(family[0]) and opens_sentence(caption, family[0]))
    return len(run_of(labels_of(family))) >= n_enough and _ascends(family)


def _heads(caption: str, family: Sequence[Marker]) -> bool:
    """Whether numbers begin sentences; citations, "two factors: (1) ...", parts of a picture, "aorta (1)", do not."""
    if _LISTING.search(caption[: family[0].start]):
        return False
    before = caption[max(0, family[0].start - 3) : family[0].start].rstrip()
    return not before or before[-1] in ".!?" or (before[-1] in ":;" and len(family) >= MIN_LATE_RUN)


def _ascends(markers: Sequence[Marker]) -> bool:
    ranks = ranks_of([marker.labels[0] for marker in markers])
    return all(earlier < later for earlier, later in pairwise(ranks))


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
LETTERS: Kinds = (_is_upper, _is_lower)
NUMBERS: Kinds = (_is_roman, _is_large_roman, _is_digit)


def _worth(caption: str, family: Sequence[Marker]) -> tuple[int, int, int]:
    """What makes one family better than another, the weightiest first.

    The run, in which an emphasised letter counts twice; how many markers name panels of their own, to tell them from
    lists in the preamble; how many open a sentence.
    """
    run = run_of(labels_of(family))
    emphasised = {label for marker in family if marker.emphasised for label in marker.labels if label in run}
    n_opening = sum(opens_sentence(caption, marker) for marker in family)
    return len(run) + len(emphasised), len({marker.labels for marker in family}), n_opening


def opens_sentence(caption: str, marker: Marker) -> bool:
    """Whether nothing, or the end of a sentence or clause, stands before a marker."""
    before = caption[max(0, marker.start - 3) : marker.start].rstrip()
    return not before or before[-1] in ".:;!?"


def _outer(caption: str, families: Sequence[Family]) -> Family | None:
    """The capitals that open sentences around small letters which start anew: "A. MRI (a, b). B. CT (a, b)."""
    uppers = [family for family in families if family[0] is _is_upper and family[1]]
    lowers = [markers for is_kind, markers in families if is_kind is _is_lower and run_of(labels_of(markers))]
    for is_kind, markers in uppers:
        n_enough = MIN_LATE_RUN if markers[0].style in WEAK_STYLES else 2
        if len(run_of(labels_of(markers))) < n_enough or not _ascends(markers):
            continue
        opening = all(opens_sentence(caption, marker) for marker in markers)
        around = any(markers[0].start < inner[0].start < markers[-1].start for inner in lowers)
        if opening and around and ranks_of(labels_of(markers))[0] == 0:
            return is_kind, markers
    return None


def _mixed(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Markers of several styles, where no style has a run: of one case, letter after letter from the first."""
    for is_kind in LETTERS:
        members: list[Marker] = []
        ranks: list[int] = []
        for marker in filter(is_kind, markers):
            is_next = ranks_of(marker.labels) == list(range(len(ranks), len(ranks) + len(marker.labels)))
            if is_next and (not members or marker.start >= members[-1].end):
                members.append(marker)
                ranks += ranks_of(marker.labels)
        is_sure = len(ranks) >= MIN_LATE_RUN or all(opens_sentence(caption, marker) for marker in members[1:])
        if len(members) > 1 and is_sure:
            return members
    return []


def _late_pair(caption: str, markers: Sequence[Marker]) -> list[Marker]:
    """Two letters or more in the middle of the row, where the caption begins with them: "(C) CT. (D) MRI."."""
    for is_kind in LETTERS:
        for style in PAIR_STYLES:
            members = joined(caption, [each for each in markers if each.style == style and is_kind(each)])
            ranks = ranks_of(labels_of(members))
            in_turn = len(ranks) > 1 and ranks == list(range(ranks[0], ranks[0] + len(ranks)))
            if in_turn and members[0].start == 0 and all(opens_sentence(caption, each) for each in members):
                return members
    return []


def _of_both_cases(markers: Sequence[Marker]) -> list[Marker]:
    """Bracketed letters whose case changes on the way, "(A) ... (b) ... (C)", each letter in one case only."""
    members = [marker for marker in markers if marker.style == "bracket" and any(kind(marker) for kind in LETTERS)]
    labels = labels_of(members)
    is_sure = len({label.lower() for label in labels}) == len(labels) == len(run_of(labels)) and 0 in ranks_of(labels)
    return members if is_sure and len(labels) >= MIN_LATE_RUN and _ascends(members) else []


def _with_gaps_filled(caption: str, family: Sequence[Marker], others: Sequence[Marker]) -> list[Marker]:
    """The family and those others that name what it lacks and lengthen its run, or that name panels by a word."""
    members = list(family)
    taken = {place for member in members for place in range(member.start, member.end)}
    waiting = [marker for marker in others if taken.isdisjoint(range(marker.start, marker.end))]
    while True:
        known, run = set(labels_of(members)), run_of(labels_of(members))
        added = next((marker for marker in waiting if _lengthens(marker, known, run)), None)
        if added is None:
            break
        members.append(added)
        waiting = [marker for marker in waiting if _apart(marker, added)]
    members += [marker for marker in waiting if marker.style in AGAIN_STYLES and known.issuperset(marker.labels)]
    members += _details(caption, waiting, known)
    return sorted(dict.fromkeys(members), key=lambda marker: marker.start)


def _details(caption: str, waiting: Sequence[Marker], known: set[str]) -> list[Marker]:
    """Marks that name known labels each in a sentence of its own: "A: MRI. B: CT. Same patient (A, B)."."""
    for style in DETAIL_STYLES:
        found = [each for each in waiting if each.style == style and known.issuperset(each.labels)]
        found = [each for each in found if opens_sentence(caption, each)]
        if len(found) > 1 and _ascends(found) and 0 in ranks_of(labels_of(found)):
            return found
    return []


def _lengthens(marker: Marker, known: set[str], run: set[str]) -> bool:
    longer = run_of([*run, *marker.labels])
    return not known.issuperset(marker.labels) and len(set(ranks_of(sorted(longer)))) > len(set(ranks_of(sorted(run))))


def _apart(one: Marker, other: Marker) -> bool:
    return one.end <= other.start or other.end <= one.start


def _of_run(markers: Sequence[Marker]) -> list[Marker]:
    run = run_of(labels_of(markers))
    return [marker for marker in markers if set(marker.labels) <= run]
