"""What each panel of a caption gets, split by hand."""

import pytest

from pipelines.captions.families import chosen_family
from pipelines.captions.marked import marked
from pipelines.captions.markers import find_markers
from pipelines.captions.spans import distributed


def given(caption: str) -> dict[str, str]:
    parts = distributed(marked(caption, chosen_family(caption, find_markers(caption))))
    return {label: " ".join(" ".join(texts).split()) for label, texts in parts.texts.items()}


@pytest.mark.parametrize(
    ("caption", "texts"),
    [
        # A list whose beginning or end is said once.
        (
            "Views in (A) lateral and (B) dorsal aspect.",
            {"A": "Views in lateral and aspect.", "B": "Views in dorsal aspect."},
        ),
        (
            "A, left; B, right; and C, ventral views of it.",
            {"A": "left; views of it.", "B": "right; and views of it.", "C": "ventral views of it."},
        ),
        (
            "Loss in the liver (A), kidney (B) and spleen (C).",
            {"A": "Loss in the liver .", "B": "Loss in kidney .", "C": "Loss in spleen ."},
        ),
        (
            "Scans before (A) and immediately after (B) the stroke.",
            {"A": "Scans before the stroke.", "B": "Scans immediately after the stroke."},
        ),
        (
            "MRI without contrast (A) and with contrast (B).",
            {"A": "MRI without contrast .", "B": "MRI with contrast ."},
        ),
        (
            "A cyst is shown by CT (A) and MRI (B).",
            {"A": "A cyst is shown by CT .", "B": "A cyst is shown by MRI ."},
        ),
        (
            "It shows loss on day 1 (a), gain on day 2 (b), and no change (c).",
            {"a": "It shows loss on day 1 .", "b": "It shows gain on day 2 .", "c": "It shows no change ."},
        ),
        (
            "Cells at rest: muscle (A), fat (B).",
            {"A": "muscle .", "B": "fat ."},
        ),
        # Items that semicolons divide.
        (
            "Cells. Stains of (A) liver; (B) gut. Blots of (C) bone; (D) skin.",
            {"A": "Stains of liver;", "B": "Stains of gut.", "C": "Blots of bone;", "D": "Blots of skin."},
        ),
        (
            "Patient 1 (A), 16 years old; patient 2 (B), 9 years old.",
            {"A": "Patient 1 , 16 years old", "B": "patient 2 , 9 years old."},
        ),
        # Clauses with a verb of their own.
        (
            "Sonograms (A) show a cyst, and Doppler images (B) show flow.",
            {"A": "Sonograms show a cyst", "B": "Doppler images show flow."},
        ),
        ("A knee (A) lacks it, a hip (B) bears it.", {"A": "A knee lacks it", "B": "a hip bears it."}),
        # What follows a group speaks of all of it.
        (
            "(A, B) Genes of loss (A) and gain (B). Only some are shown.",
            {"A": "Genes of loss Only some are shown.", "B": "Genes of gain Only some are shown."},
        ),
        # What follows a list within a sentence speaks of all of it.
        (
            "It was tested by (A) blots and (B) counts. Both agree.",
            {"A": "It was tested by blots and Both agree.", "B": "It was tested by counts. Both agree."},
        ),
        # Sentences without markers belong to the label before them.
        ("(A) CT. It shows a mass. (B) MRI.", {"A": "CT. It shows a mass.", "B": "MRI."}),
    ],
)
def test_every_panel_gets_what_is_said_of_it(caption: str, texts: dict[str, str]) -> None:
    assert {label: text.replace(" . ", " ") for label, text in given(caption).items()} == texts


def test_a_legend_is_given_to_no_panel() -> None:
    caption = "Brain. CT (A) and MRI (B). Scale bars: 1 mm."
    parts = distributed(marked(caption, chosen_family(caption, find_markers(caption))))
    assert parts.preamble == "Brain. "
    assert parts.tail == "Scale bars: 1 mm."


def test_no_word_of_a_caption_is_lost() -> None:
    caption = "Brain. CT (A), MRI (B) and PET (C) show it; (D) angiogram, with flow. As in (A), more. Bars: 5."
    parts = distributed(marked(caption, chosen_family(caption, find_markers(caption))))
    said = " ".join([parts.preamble, parts.tail, *(text for texts in parts.texts.values() for text in texts)])
    assert {word for word in caption.split() if word[0] != "(" and word != "and"} <= set(said.split())
