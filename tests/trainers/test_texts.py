"""Texts as numbers."""

from collections.abc import Callable
from typing import Any

from transformers import PreTrainedTokenizerFast

from trainers.texts import TextReader, cut, normalise


def test_a_row_read_alone_says_what_it_says_among_others(
    shape_rows: Callable[[int], list[dict[str, Any]]], tokenizer: PreTrainedTokenizerFast
) -> None:
    rows = shape_rows(6)
    rows[0] |= {"text": "No disc. A red disc.", "sentences": [{"start": 0, "end": 8}, {"start": 9, "end": 20}]}
    reader = TextReader(tokenizer, 24)
    read = reader.rows(rows)
    assert read == [each for row in rows for each in reader.rows([row])]
    of, told = read[0]["sentence_of"], read[0]["asserts"]
    assert set(of) == {-1, 0, 1}
    assert told == [number == 1 for number in of]  # the first sentence denies
    assert not any(read[1]["asserts"]) and set(read[1]["sentence_of"]) == {-1}  # of unknown sentences
    assert not read[0]["sided"] and read[1]["sided"] == ("left" in rows[1]["text"] or "right" in rows[1]["text"])


def test_equal_texts_are_known_as_equal() -> None:
    assert normalise(" A  Disc\n") == "a disc"


def test_texts_are_cut_whatever_was_known_of_their_sentences() -> None:
    rows: list[dict[str, Any]] = [
        {"text": "The lung is clear. No effusion.", "sentences": [{"start": 0, "end": 3}]},
        {"text": "CT."},
    ]
    assert [[row["text"][s["start"] : s["end"]] for s in row["sentences"]] for row in cut(rows, "")] == [
        ["The lung is clear.", "No effusion."],
        ["CT."],
    ]
