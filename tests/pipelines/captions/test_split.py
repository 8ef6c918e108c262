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

from core.records import Span
from pipelines.captions.split import split_caption


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
    caption = "Anatomy. A the thalamus and B the midbrain."
    bold = [Span(start=9, end=10, kind="bold"), Span(start=28, end=29, kind="bold")]
    assert texts_of(caption) == {}
    assert texts_of(caption, bold) == {"A": "the thalamus", "B": "the midbrain."}


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
    unsure = split_caption(caption, min_confidence=0.95)
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


@pytest.mark.parametrize(
    "piece",
    [
        *(
            "a, ",
            "(a, ",
            "A) and ",
            "(",
            "))",
            "(arrow ",
            "a-",
            "images in the ",
            "(the upper ",
            "i, ",
            "1, 2, ",
            ". A ",
        ),
        *(
            "(a1–a3) ",
            "(A) x (B) y (C) z (d1-d9) ",
            "(A, B and C) ",
            "(A) CT and (B) MRI show ",
            "; and B, ",
            "A: x; ",
            "CT (A, C) and (B, D) ",
            "in (A) ",
        ),
    ],
)
def test_the_time_taken_does_not_explode_with_repetition(piece: str) -> None:
    started = time.process_time()
    split_caption(piece * (10_000 // len(piece)), min_confidence=0.5)
    # At most some 0.3 seconds; a pattern that backtracks over its whole input takes minutes.
    assert time.process_time() - started < 5


def test_a_caption_four_times_as_long_takes_less_than_ten_times_as_long() -> None:
    def caption(repeats: int) -> str:
        panels = [f"({chr(97 + at)}) {'Axial view of a mass, with shift (arrow). ' * repeats}" for at in range(26)]
        return "Images of a man. " + "".join(panels)

    taken: dict[int, list[float]] = {9: [], 36: []}
    for _ in range(5):  # in turns: the machine may be slow for a while
        for repeats, seconds in taken.items():
            started = time.process_time()
            split_caption(caption(repeats), min_confidence=0.5)
            seconds.append(time.process_time() - started)
    assert len(caption(9)) > 9_800  # 55 ms on a slow core
    assert min(taken[36]) < 10 * min(taken[9])  # 16 where it grew by the square


def shared_judge(shared: Path) -> Any:
    sys.path.insert(0, str(shared / "judge"))
    try:
        import score
    finally:
        sys.path.pop(0)
    return score


def read_set(name: str, shared: Path) -> Any:
    return json.loads((shared / "captions" / f"{name}.json").read_text(encoding="utf-8"))


def judged(name: str, shared: Path) -> dict[str, float]:
    """The scores of the shared judge for one of its caption sets."""
    score, truth = shared_judge(shared), read_set(name, shared)
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
    assert scores["label_set_exact"] > 0.95
    assert scores["token_f1"] > 0.95
    assert scores["false_splits"] == 0


@pytest.mark.shared
def test_captions_that_others_annotated_are_split_alike(shared: Path) -> None:
    prostate, nlm = judged("prostate", shared), judged("nlm", shared)
    assert (prostate["label_set_exact"], prostate["token_f1"]) > (0.98, 0.94)
    # One in eleven of these captions names no letter at all, though its figure bears them.
    assert nlm["label_set_exact"] > 0.9
    assert nlm["label_f1"] > 0.95
    assert nlm["token_f1"] > 0.77


@pytest.mark.shared
def test_a_confidence_is_about_the_share_of_right_label_sets(shared: Path) -> None:
    score, right = shared_judge(shared), []
    for name in ("openi_gold", "nlm", "prostate"):
        for _, caption, compound, parts in score.truth_captions(read_set(name, shared)):
            split = split_caption(caption, min_confidence=0.0)
            labels = {score.key(label) for part in split.subcaptions for label in part.labels}
            if labels:
                right.append((split.confidence, compound and labels == set(parts)))
    sure = [is_right for confidence, is_right in right if confidence >= 0.95]
    unsure = [is_right for confidence, is_right in right if confidence < 0.7]
    assert sum(sure) / len(sure) == pytest.approx(0.98, abs=0.02)
    assert sum(unsure) / len(unsure) < 0.8


def test_the_labels_of_a_caption_are_counted_once_for_each_panel() -> None:
    split = split_caption("CT (A, B) and MRI (C, D) at rest (A, C) and stress (B, D).", min_confidence=0.5)
    assert Counter(label for part in split.subcaptions for label in part.labels) == Counter("ABCD")


def test_a_noun_before_a_label_in_its_bracket_is_kept() -> None:
    split = split_caption("MRI of the brain (axial T2-weighted image a) and (b) a sagittal image.", min_confidence=0.0)
    assert "image" in " ".join([split.preamble, *(part.text for part in split.subcaptions)])
