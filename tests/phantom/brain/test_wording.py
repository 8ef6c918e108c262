"""Words about a panel."""

from typing import get_args

import numpy as np
import pytest

from phantom.brain.lesions import Kind, draw_lesion
from phantom.brain.wording import NOUNS, Facts, article_for, panel_sentence
from phantom.pages.case import shown_by


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_sentence_names_the_lesion_and_its_side_but_not_on_a_lateral_view(kind: Kind) -> None:
    rng = np.random.default_rng(0)
    lesion = draw_lesion(kind, rng)
    for modality, plane, stage in shown_by(lesion):
        sentence = panel_sentence(Facts(lesion, modality, plane, stage), rng)
        assert any(noun.lower() in sentence.lower() for noun in NOUNS[kind])
        named = f" {lesion.side} " in f" {sentence.lower()} "
        assert named == (lesion.side in ("left", "right") and plane != "sagittal"), sentence
        assert "  " not in sentence and not sentence.endswith(("of", "the", "."))


def test_most_sentences_differ() -> None:
    rng = np.random.default_rng(0)
    facts = Facts(draw_lesion("meningioma", rng), "T1C", "axial", "initial")
    assert len({panel_sentence(facts, rng) for _ in range(200)}) > 100


def test_a_vowel_takes_an() -> None:
    assert [article_for(words) for words in ("abscess", "mass", "83-year-old man")] == [
        "an abscess",
        "a mass",
        "an 83-year-old man",
    ]
