"""Captions in the styles of case reports."""

import numpy as np
import pytest
from lxml import etree

from phantom.brain.lesions import draw_lesion
from phantom.brain.wording import Facts
from phantom.pages.caption_styles import LETTERED, Patient, dress, plain, position_words
from phantom.pages.case import shown_by


def four_panels(rng: np.random.Generator) -> list[Facts]:
    lesion = draw_lesion("glioblastoma", rng)
    return [Facts(lesion, *view, pointer=True) for view in list(shown_by(lesion))[:4]]


@pytest.mark.parametrize("style", LETTERED)
def test_every_style_holds_each_panels_words_and_each_letter(style: str) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        body, texts = LETTERED[style][0](four_panels(rng), ["<bold>w</bold>", "x", "y", "z"], rng)
        etree.fromstring(f"<p>{body}</p>")
        assert len(texts) == 4
        assert all(text is not None and text in plain(body) for text in texts)
        assert "w" in plain(body) and "z" in plain(body)


def test_a_kept_caption_says_brain_and_one_to_be_left_out_does_not() -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        facts, patient = four_panels(rng), Patient(50, "woman")
        for keyword in (True, False):
            title, paragraphs = dress("Body.", facts, patient, rng, keyword=keyword)
            assert ("brain" in f"{title} {' '.join(paragraphs)}".lower()) == keyword


def test_positions_are_named_where_plain_words_exist() -> None:
    assert position_words([(0, 0, 9, 9), (10, 0, 19, 9)]) == ["left", "right"]
    assert position_words([(0, 0, 9, 9), (0, 10, 9, 19)]) == ["top", "bottom"]
    assert position_words([(0, 0, 9, 9), (10, 0, 19, 9), (0, 10, 9, 19)]) is None
