"""A caption read once: sentences cut by hand."""

import pytest

from pipelines.captions.marked import marked, read_marks
from pipelines.captions.markers import find_markers


def cut(caption: str) -> list[str]:
    markers = [marker for marker in find_markers(caption) if marker.style in ("bracket", "colon")]
    return [sentence.text for sentence in marked(caption, markers).sentences]


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
    (sentence,) = marked(caption, find_markers(caption)).sentences
    assert (sentence.lead, sentence.chunks, sentence.labels) == ("CT ", (" and MRI ", " of the head."), ("A", "B"))
    assert not sentence.opens


def test_letters_are_read_before_words_of_place() -> None:
    assert read_marks("(A) CT (left). (B) MRI (right).").labels == ["A", "B"]
    assert read_marks("CT (left) and MRI (right).").labels == ["left", "right"]
    assert read_marks("A scan of the head.").labels == []


def test_what_loses_no_marker_stays_as_it_was_read() -> None:
    read = read_marks("(A) CT; (B) MRI")
    assert read.without([]) is read
    assert [sentence.text for sentence in read.sentences] == ["(A) CT; ", "(B) MRI"]
    assert [sentence.text for sentence in read.without(read.markers[1:]).sentences] == ["(A) CT; (B) MRI"]
