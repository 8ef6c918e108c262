"""Captions cut into sentences and clauses by hand."""

import pytest

from pipelines.captions.clauses import bracket_cut, cut_sentences, is_tail, last_clause
from pipelines.captions.markers import find_markers


def cut(caption: str) -> list[str]:
    markers = [marker for marker in find_markers(caption) if marker.style in ("bracket", "colon")]
    return [sentence.text for sentence in cut_sentences(caption, markers)]


@pytest.mark.parametrize(
    ("caption", "sentences"),
    [
        ("CT of a man.(A) Axial. (B) Coronal.", ["CT of a man.", "(A) Axial. ", "(B) Coronal."]),
        (
            "See Fig. 2 and cf. Smith et al. 2012. It is 1.5 cm. 3 days",
            ["See Fig. 2 and cf. Smith et al. 2012. ", "It is 1.5 cm. ", "3 days"],
        ),
        ("(A) CT; (B) MRI", ["(A) CT; ", "(B) MRI"]),
        ("(A) left; and (B) right views", ["(A) left; and (B) right views"]),
        ("CT (see text. And more) of A: B", ["CT (see text. And more) of A: B"]),
        ("Brain.Notes: (A) CT.", ["Brain.", "Notes:", " (A) CT."]),
        ("A: Axial. T2 image.", ["A: Axial. ", "T2 image."]),
    ],
)
def test_sentences_end_where_a_reader_ends_them(caption: str, sentences: list[str]) -> None:
    assert cut(caption) == sentences


def test_the_sentences_are_the_whole_caption() -> None:
    caption = "Brain. (A) CT (a. B) and; (B) x. [C] ) y. ... (D"
    assert "".join(cut(caption)) == caption


def test_a_sentence_knows_its_markers_and_what_stands_between_them() -> None:
    caption = "CT (A) and MRI (B) of the head."
    (sentence,) = cut_sentences(caption, find_markers(caption))
    assert (sentence.lead, sentence.chunks, sentence.labels) == ("CT ", (" and MRI ", " of the head."), ("A", "B"))
    assert not sentence.opens


@pytest.mark.parametrize(
    "sentence",
    [
        "Abbreviations: CT, computed tomography.",
        "CT, computed tomography.",
        "SPECT: Single photon emission computed tomography.",
        "MRI = magnetic resonance imaging.",
        "Scale bars: 5 mm.",
        "Original magnification ×400.",
        "*P < 0.05.",
        "Data are means of three experiments.",
        "All of the graphs show means.",
        "Lane 1, marker; lane 2, wild type.",
        "Positive cells were stained brown.",
    ],
)
def test_a_legend_is_told_by_its_beginning(sentence: str) -> None:
    assert is_tail(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "There is marked shift.",
        "Note the mass.",
        "The scale of loss is large.",
        "MRI shows it.",
        "Later, the mass grew.",
    ],
)
def test_words_on_the_picture_are_no_legend(sentence: str) -> None:
    assert not is_tail(sentence)


def test_the_last_clause_begins_after_a_comma_or_an_and_outside_brackets() -> None:
    text = " shows a cyst (round, and soft), and the scan"
    cut_at = last_clause(text)
    assert cut_at is not None
    assert text[cut_at:] == ", and the scan"
    assert last_clause(" of the head") is None


def test_a_stretch_ends_with_the_bracket_it_stands_in() -> None:
    assert bracket_cut("rest (CBF)) shows it") == ("rest (CBF)", " shows it")
    assert bracket_cut("no bracket (here)") == ("no bracket (here)", "")
