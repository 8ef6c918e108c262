"""Labels in captions, in the styles of real case reports."""

import pytest

from core.records import Span
from pipelines.captions.markers import Marker, expanded, find_loose, find_markers, joined, opens_bracket


def found(caption: str, emphasis: tuple[Span, ...] = ()) -> set[tuple[str, str]]:
    return {(marker.style, "".join(marker.labels)) for marker in find_markers(caption, emphasis)}


@pytest.mark.parametrize(
    ("caption", "style", "labels"),
    [
        ("Axial view (A) of the mass.", "bracket", "A"),
        ("Axial view （A） of the mass.", "bracket", "A"),
        ("Axial and coronal views ([b, c]).", "bracket", "bc"),
        ("Both seasons (A-C, arrows).", "bracket", "ABC"),
        ("Both seasons (left, B).", "bracket", "B"),
        ("A grid (A1-C1).", "bracket", "A1B1C1"),
        ("A row (b1-3).", "bracket", "b1b2b3"),
        ("Again (B’).", "bracket", "B’"),
        ("Brain. A: before surgery.", "colon", "A"),
        ("Brain. B, C: before surgery.", "colon", "BC"),
        ("Brain. b) before surgery", "closing", "b"),
        ("Brain. c and e) before surgery", "closing", "ce"),
        ("Brain. C. Before surgery", "dot", "C"),
        ("Brain. A, before surgery", "comma", "A"),
        ("Brain. A/ Before surgery", "dash", "A"),
        ("Brain. a Before surgery", "bare", "a"),
        ("Brain, b before surgery", "listed", "b"),
        ("Brain. Panel C. Before surgery", "word", "C"),
        ("Brain. A shows it before surgery", "subject", "A"),
    ],
)
def test_each_style_of_label_is_seen(caption: str, style: str, labels: str) -> None:
    assert (style, labels) in found(caption)


@pytest.mark.parametrize(
    "caption", ["A T1 image of the M1 segment.", "Seen in CD20 and H & E stains.", "b = 1000 (T)ime"]
)
def test_vessels_sequences_and_stains_are_no_labels(caption: str) -> None:
    assert not {labels for _, labels in found(caption)} & {"T1", "M1", "E", "HE"}


def test_what_the_bracket_says_beside_its_letter_is_kept() -> None:
    (marker,) = find_markers("An empty delta sign (A, white arrow)")
    assert marker.keeps == "(white arrow)"


def test_the_subject_of_a_sentence_takes_no_words_from_it() -> None:
    (marker,) = [marker for marker in find_markers("Brain. Panel A shows it.") if marker.style == "word"]
    assert marker.start == marker.end == 7


def test_nothing_after_a_legend_is_a_label() -> None:
    assert ("comma", "R") not in found("(A) CT. (B) MRI. Abbreviations: R, right; L, left.")


def test_a_bold_letter_is_a_label_without_any_delimiter_but_not_within_a_word() -> None:
    caption = "a axial view"
    assert ("emphasis", "a") in found(caption, (Span(start=0, end=1, kind="bold"),))
    assert ("emphasis", "a") not in found("axial view", (Span(start=0, end=1, kind="bold"),))


def test_ranges_and_lists_are_spelt_out() -> None:
    assert expanded("A-C, e") == ("A", "B", "C", "e")
    assert expanded("i-iii") == ("i", "ii", "iii")
    assert expanded("I–III") == ("I", "II", "III")
    assert expanded("b1-3") == ("b1", "b2", "b3")
    assert expanded("C-A") == ()
    assert expanded("9-99999999999") == tuple(str(number) for number in range(9, 36))


def test_labels_with_only_a_joint_between_them_are_one_marker() -> None:
    for caption in ("(a) and (b) Views", "(a), (b) Views", "((a), (b)) Views", "(a)–(b) Views"):
        (marker,) = joined(caption, find_markers(caption))
        assert marker.labels == ("a", "b")
        assert caption[marker.end :] == " Views"


def test_a_letter_that_the_words_before_it_touch_is_found_when_looked_for() -> None:
    caption = "Of mutant mice a: CT. b: MRI."
    expected = Marker(labels=("a",), start=15, end=17, style="colon")
    assert find_loose(caption, "a", style="colon", start=0, end=22) == expected
    assert find_loose(caption, "c", style="colon", start=0, end=len(caption)) is None


def test_an_open_bracket_is_told_from_the_bracket_of_a_label() -> None:
    assert opens_bracket("A) CT (axial")
    assert not opens_bracket("A) CT (axial) B)")
