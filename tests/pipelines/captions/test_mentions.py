"""Letters that a caption only refers to."""

import pytest

from pipelines.captions.families import chosen_family
from pipelines.captions.marked import marked
from pipelines.captions.markers import find_markers
from pipelines.captions.mentions import calls_back, mentioned, without_mentions


def bringing(caption: str) -> list[str]:
    found = without_mentions(marked(caption, chosen_family(caption, find_markers(caption))))
    return [caption[marker.start : marker.end] for marker in found.markers]


@pytest.mark.parametrize(
    ("caption", "markers"),
    [
        ("(A) CT with a mass. (B) The mass seen in (A) later.", ["(A)", "(B)"]),
        ("(A) CT of low density. (B) MRI of it (red arrows in A, B).", ["(A)", "(B)"]),
        ("A: More than in the normal brain (B). B: Less than in the other one (A).", ["A:", "B:"]),
        ("(A) Brain with stem (D), pons (C). (B) Cord. (C) Nerve. (D) Eye.", ["(A)", "(B)", "(C)", "(D)"]),
        ("Views (c, d) of tumour (t), chiasm (ch) and cord (c). Later (a, b).", ["(c, d)", "(a, b)"]),
        ("(A-C) Traces of cells. (D-F) Traces with false points (F).", ["(A-C)", "(D-F)"]),
        (
            "(B-D) Lesions in the left (B). In the right (C). In both (D). (A) None.",
            ["(B-D)", "(B)", "(C)", "(D)", "(A)"],
        ),
        ("(A) Low power. (B) High power. Scale bars: 5 mm (A), 1 mm (B).", ["(A)", "(B)"]),
        ("Views (A-B: man; C-D: boy). A: CT. B: MRI. C: CT. D: MRI.", ["A:", "B:", "C:", "D:"]),
    ],
)
def test_letters_that_refer_bring_no_text(caption: str, markers: list[str]) -> None:
    assert bringing(caption) == markers


def test_a_reference_is_told_by_the_word_before_it() -> None:
    caption = "The lesion seen in (A) has grown."
    (marker,) = find_markers(caption)
    assert calls_back(caption, marker)


@pytest.mark.parametrize(
    ("sentence", "labels"),
    [
        ("In (A) and (B), the bars are means.", ["A", "B"]),
        ("Bars in panel B are means.", ["B"]),
        ("In b and d, the bars are means.", ["b", "d"]),
        ("In a patient of this kind, nothing is seen.", []),
        ("The bars in (X) are means.", []),
    ],
)
def test_a_sentence_speaks_of_the_panels_that_it_begins_with(sentence: str, labels: list[str]) -> None:
    assert mentioned(sentence, set("ABabd")) == labels
