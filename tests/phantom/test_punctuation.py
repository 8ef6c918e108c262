"""Texts with known sentences: the truth holds whatever is done to the spelling, and traps are in them."""

import numpy as np

from phantom.punctuation import ABBREVIATIONS, GRAMMAR, WIDTH, Passage, draw_passages, expand, wrap


def sentences(passage: Passage) -> list[str]:
    return [passage.text[each.start : each.end] for each in passage.sentences]


def test_passages_depend_on_their_seed_alone() -> None:
    assert list(draw_passages(3, 5)) == list(draw_passages(3, 8))[:5]
    assert list(draw_passages(3, 5)) != list(draw_passages(4, 5))


def test_sentences_cover_the_text_in_order_and_share_no_character() -> None:
    for passage in draw_passages(0, 100):
        places = [place for each in passage.sentences for place in (each.start, each.end)]
        assert places == sorted(places)
        assert "".join("".join(sentences(passage)).split()) == "".join(passage.text.split())
        assert all(words == words.strip() and "\n\n" not in words for words in sentences(passage))


def test_passages_hold_the_traps_of_reports() -> None:
    drawn = [words for passage in draw_passages(0, 300) for words in sentences(passage)]
    for trap in ("Dr. ", "i.e.", " a.m.", "2. ", " vs. ", "___", "et al.", "(A)", "\n", "; ", ".5 "):
        assert any(trap in words[:-1] for words in drawn), trap
    assert any(words.endswith(" p.m.") for words in drawn)
    assert any(words == words.lower() for words in drawn)
    assert any(words == words.upper() for words in drawn)
    assert any(words[-1].isalnum() for words in drawn)  # a heading, or the end of a report that lacks its full stop


def test_every_wording_leads_to_words() -> None:
    rng = np.random.default_rng(0)
    for name, wordings in GRAMMAR.items():
        for wording in wordings:
            assert expand(wording, rng) and "{" not in expand(wording, rng), (name, wording)


def test_abbreviations_end_in_a_full_stop_and_stand_once() -> None:
    assert all(each.endswith(".") for each in ABBREVIATIONS)
    assert len(set(ABBREVIATIONS)) == len(ABBREVIATIONS)


def test_wrapping_moves_no_character() -> None:
    text = "word " * 60 + "x" * 100 + " end"
    wrapped = wrap(text)
    assert wrapped.replace("\n", " ") == text
    assert all(len(line) <= WIDTH for line in wrapped.split("\n") if " " in line)
    assert wrap("short\n\n" + "lines") == "short\n\nlines"
