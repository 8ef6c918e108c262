"""Clauses and legends told by hand."""

import pytest

from pipelines.captions.clauses import bracket_cut, is_tail, last_clause


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
