"""Captions of the styles that case reports use, each with the split that a reader makes."""

import json
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.captions import split_caption
from pipelines.records import Span


def texts_of(caption: str, emphasis: list[Span] | None = None) -> dict[str, str]:
    split = split_caption(caption, emphasis or [], min_confidence=0.5)
    return {label: part.text for part in split.subcaptions for label in part.labels}


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("Brain. (A) Axial CT. (B) Sagittal MRI.", {"A": "Axial CT.", "B": "Sagittal MRI."}),
        ("Axial CT (a). Sagittal MRI (b).", {"a": "Axial CT.", "b": "Sagittal MRI."}),
        ("Brain. A: Axial CT. B: Sagittal MRI.", {"A": "Axial CT.", "B": "Sagittal MRI."}),
        ("Brain. A. Axial CT. B. Sagittal MRI.", {"A": "Axial CT.", "B": "Sagittal MRI."}),
        ("Brain. a) Axial CT; b) Sagittal MRI.", {"a": "Axial CT", "b": "Sagittal MRI."}),
        ("Brain. [A] Axial CT. [B] Sagittal MRI.", {"A": "Axial CT.", "B": "Sagittal MRI."}),
        ("Brain. a Axial CT. b Sagittal MRI.", {"a": "Axial CT.", "b": "Sagittal MRI."}),
        ("Panel A. Axial CT. Panel B. Sagittal MRI.", {"A": "Axial CT.", "B": "Sagittal MRI."}),
        ("(i) Axial CT. (ii) Sagittal MRI.", {"i": "Axial CT.", "ii": "Sagittal MRI."}),
        ("(1) Axial CT. (2) Sagittal MRI.", {"1": "Axial CT.", "2": "Sagittal MRI."}),
    ],
)
def test_every_marker_style_is_read_and_its_marks_removed(caption: str, expected: dict[str, str]) -> None:
    assert texts_of(caption) == expected


def test_ranges_and_lists_name_every_panel() -> None:
    texts = texts_of("(A-C) Axial CT of the head. (D, E and F) Sagittal MRI. (G to H) Angiogram.")
    assert list(texts) == list("ABCDEFGH")
    assert texts["B"] == "Axial CT of the head."
    assert texts["F"] == "Sagittal MRI."


def test_a_pointer_stays_while_its_letter_goes() -> None:
    texts = texts_of("MRI showed an empty delta sign (A, arrow). Venography confirmed a thrombus (arrowhead, B).")
    assert texts == {
        "A": "MRI showed an empty delta sign (arrow).",
        "B": "Venography confirmed a thrombus (arrowhead).",
    }


def test_crossed_lists_give_each_panel_both_of_its_words() -> None:
    texts = texts_of("Diffusion images (A, C) and ADC maps (B, D) before (A, B) and after (C, D) treatment.")
    assert texts["A"] == "Diffusion images before treatment."
    assert texts["D"] == "ADC maps after treatment."


def test_a_bracket_that_holds_texts_shares_its_sentence() -> None:
    split = split_caption("Head. SPECT (A: rest, B: stress) shows low flow.", min_confidence=0.5)
    assert [part.text for part in split.subcaptions] == ["SPECT rest shows low flow.", "SPECT stress shows low flow."]
    assert split.preamble == "Head."


def test_panels_that_wait_for_a_verb_share_it() -> None:
    texts = texts_of("(A-C) Axial CT images and (D) an axial MR image show a haematoma.")
    assert texts["A"] == "Axial CT images show a haematoma."
    assert texts["D"] == "an axial MR image show a haematoma."


def test_preamble_and_legend_belong_to_no_panel() -> None:
    caption = "Brain of a man. (A) Axial CT. (B) Axial MRI. Abbreviations: CT, computed tomography."
    split = split_caption(caption, min_confidence=0.5)
    assert split.preamble == "Brain of a man."
    assert split.tail == "Abbreviations: CT, computed tomography."
    assert split.subcaptions[-1].text == "Axial MRI."


def test_a_reference_back_opens_nothing() -> None:
    texts = texts_of("(A) Axial CT with a mass. (B) The mass seen in (A) after surgery.")
    assert texts == {"A": "Axial CT with a mass.", "B": "The mass seen in (A) after surgery."}


def test_places_are_labels_where_there_are_no_letters() -> None:
    assert texts_of("Axial CT of the head (left). Sagittal MRI (right panel).") == {
        "left": "Axial CT of the head.",
        "right": "Sagittal MRI.",
    }
    assert set(texts_of("Upper row: Axial CT of the head. Lower row: Sagittal MRI.")) == {"upper", "lower"}


def test_bold_letters_are_markers_where_plain_ones_would_not_be() -> None:
    caption = "Anatomy. A, thalamus and B, midbrain."
    bold = [Span(start=9, end=10, kind="bold"), Span(start=25, end=26, kind="bold")]
    assert texts_of(caption) == {}
    assert texts_of(caption, bold) == {"A": "thalamus", "B": "midbrain."}


@pytest.mark.parametrize(
    "caption",
    [
        "A Brain MRI showed a single occipital lesion.",
        "Stenoses of the M1 segment and the A1 segment, T1 and T2 images.",
        "Brain swelling with herniation (A). Abbreviation: CT, computed tomography.",
        "CT with markers of the side (L) and (R).",
        "Staining for CD20 and H&E (x400), b = 1000.",
        "Two factors decide: (1) presence of coma; and (2) the underlying disorder.",
        "A mass to the left (leftward arrow) with shift (rightward arrow).",
        "As reported [1] and again [2].",
        "",
    ],
)
def test_what_only_looks_like_markers_stays_whole_with_a_reason(caption: str) -> None:
    split = split_caption(caption, min_confidence=0.5)
    assert split.subcaptions == []
    assert split.reason


def test_an_unsure_split_is_not_made() -> None:
    caption = "Brain. a Axial CT. b Sagittal MRI."
    assert split_caption(caption, min_confidence=0.5).subcaptions
    unsure = split_caption(caption, min_confidence=0.99)
    assert unsure.subcaptions == []
    assert unsure.preamble == caption
    assert "unsure" in unsure.reason


MARKS = ["(A)", "(b)", "B:", "C.", "a)", "(A-", "C)", "[", "]", "(ii)", "(iv-ii)", "(Z-A)", "(b4-b1)", "(99-3)", "i"]
WORDS = ["Panel A", "(left)", "Upper row:", "(arrow, B)", "Abbreviations:", "T1", "axial CT", " and ", ". ", ", ", "\n"]
PIECES = st.sampled_from([*MARKS, *WORDS, "É", "１", "²", "-", "'"])
CAPTIONS = st.lists(PIECES, max_size=25)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.text(max_size=80), CAPTIONS.map(" ".join), CAPTIONS.map("".join)),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9)), max_size=4),
)
def test_no_caption_breaks_it_and_labels_are_never_repeated(caption: str, stretches: list[tuple[int, int]]) -> None:
    emphasis = [Span(start=start, end=start + length, kind="bold") for start, length in stretches]
    split = split_caption(caption, emphasis, min_confidence=0.0)
    labels = [label for part in split.subcaptions for label in part.labels]
    assert len(labels) == len(set(labels))
    assert len(labels) != 1
    assert all(part.text for part in split.subcaptions)
    assert 0 <= split.confidence <= 1


@pytest.mark.parametrize("piece", ["a, ", "(a, ", "A) and ", "(", "(arrow ", "a-", "images in the ", "(the upper "])
def test_the_time_taken_does_not_explode_with_repetition(piece: str) -> None:
    started = time.perf_counter()
    split_caption(piece * (4000 // len(piece)), min_confidence=0.5)
    # Some ten milliseconds; a pattern that backtracks over its whole input takes minutes.
    assert time.perf_counter() - started < 5


def judged(name: str, shared: Path) -> dict[str, float]:
    """The scores of the shared judge for one of its caption sets."""
    sys.path.insert(0, str(shared / "judge"))
    try:
        import score
    finally:
        sys.path.pop(0)
    truth: Any = json.loads((shared / "captions" / f"{name}.json").read_text(encoding="utf-8"))
    out = []
    for id_, caption, _, _ in score.truth_captions(truth):
        split = split_caption(caption, min_confidence=0.5)
        parts = [{"labels": part.labels, "text": part.text} for part in split.subcaptions]
        out.append({"id": id_, "preamble": split.preamble, "subcaptions": parts, "tail": split.tail})
    scores: dict[str, float] = score.captions(truth, out)
    return scores


@pytest.mark.shared
def test_hard_real_captions_are_split_better_than_by_published_rules(shared: Path) -> None:
    # MultiCaRe's rules on the 60 captions of which these are half: label set exact 26 of 45, token F1 .683.
    scores = judged("openi_gold", shared)
    assert scores["label_set_exact"] > 0.9
    assert scores["token_f1"] > 0.9
    assert scores["false_splits"] == 0


@pytest.mark.shared
def test_captions_that_others_annotated_are_split_alike(shared: Path) -> None:
    assert judged("prostate", shared)["label_set_exact"] > 0.9
    assert judged("nlm", shared)["label_f1"] > 0.88


def test_the_labels_of_a_caption_are_counted_once_for_each_panel() -> None:
    split = split_caption("CT (A, B) and MRI (C, D) at rest (A, C) and stress (B, D).", min_confidence=0.5)
    assert Counter(label for part in split.subcaptions for label in part.labels) == Counter("ABCD")
