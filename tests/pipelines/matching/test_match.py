"""Panels get the words of their letters, and where letters fail, of their place, or none at all."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from core.images import ImageError
from core.records import Box, SeparatedFigure, SplitCaption, Subcaption, Subfigure
from pipelines.matching.match import believed, is_part, make_pairs, match, match_figure, own_words

CAPTION = "Brain of a man. (A) Axial CT of the head. (B) Sagittal MRI of the head. (C) Coronal MRI of the head."


def panel(box: Box, label: str | None = None, label_score: float | None = 0.9) -> Subfigure:
    return Subfigure(box=box, score=0.8, label=label, label_score=label_score if label else None)


def split_of_texts(**texts: str) -> SplitCaption:
    parts = [Subcaption(labels=name.split("_"), text=text) for name, text in texts.items()]
    return SplitCaption(
        preamble="Brain of a man.", subcaptions=parts, tail="", confidence=1.0, reason="bracket markers"
    )


LEFT, MIDDLE, RIGHT = (0, 0, 100, 100), (110, 0, 210, 100), (220, 0, 320, 100)
BELOW_LEFT, BELOW_MIDDLE = (0, 110, 100, 210), (110, 110, 210, 210)
THREE = split_of_texts(A="Axial CT of the head.", B="Sagittal MRI of the head.", C="Coronal MRI of the head.")
WHOLE = SplitCaption(preamble=CAPTION, subcaptions=[], tail="", confidence=0.0, reason="no run of labels")


def test_the_papers_rule_takes_the_text_of_the_letter_or_the_whole_caption() -> None:
    panels = [panel(LEFT, "b"), panel(MIDDLE), panel(RIGHT, "D")]
    found = match(panels, THREE, CAPTION, rule="paper")
    assert [one.matched_by for one in found] == ["letter", "whole", "whole"]
    assert [one.text for one in found] == ["Brain of a man. Sagittal MRI of the head.", CAPTION, CAPTION]
    assert found[2].reason == "letter D names 0 subcaptions"


def test_the_papers_rule_holds_for_single_panels_and_for_labels_said_twice() -> None:
    (lettered,) = match([panel(LEFT, "B")], THREE, CAPTION, rule="paper")
    (bare,) = match([panel(LEFT)], THREE, CAPTION, rule="paper")
    assert (lettered.matched_by, bare.matched_by, bare.text) == ("letter", "whole", CAPTION)
    twice = replace(THREE, subcaptions=[*THREE.subcaptions, Subcaption(labels=["B"], text="Another text.")])
    (doubled,) = match([panel(LEFT, "B")], twice, CAPTION, rule="paper")
    assert (doubled.text, doubled.reason) == (CAPTION, "letter B names 2 subcaptions")


def test_letters_outweigh_the_reading_order() -> None:
    panels = [panel(LEFT, "C"), panel(MIDDLE, "B"), panel(RIGHT, "A")]
    found = match(panels, THREE, CAPTION, rule="joint")
    assert [one.label for one in found] == ["C", "B", "A"]
    assert {one.matched_by for one in found} == {"letter"}
    assert found[0].text == "Brain of a man. Coronal MRI of the head."


def test_a_panel_without_a_letter_gets_what_the_others_leave() -> None:
    panels = [panel(LEFT, "B"), panel(MIDDLE), panel(RIGHT, "C")]
    found = match(panels, THREE, CAPTION, rule="joint")
    assert [one.matched_by for one in found] == ["letter", "order", "letter"]
    assert found[1].text == "Brain of a man. Axial CT of the head."


def test_equal_counts_without_letters_go_by_reading_order() -> None:
    shuffled = [panel(RIGHT), panel(LEFT), panel(MIDDLE)]
    found = match(shuffled, THREE, CAPTION, rule="joint")
    assert [one.label for one in found] == ["C", "A", "B"]
    assert {one.matched_by for one in found} == {"order"}


def test_two_letters_tell_that_a_figure_is_read_down_its_columns() -> None:
    split = split_of_texts(A="a text of A", B="a text of B", C="a text of C", D="a text of D")
    panels = [panel(LEFT), panel(MIDDLE, "C"), panel(BELOW_LEFT, "B"), panel(BELOW_MIDDLE)]
    assert [one.label for one in match(panels, split, CAPTION, rule="joint")] == ["A", "C", "B", "D"]


def test_unequal_counts_without_letters_keep_the_whole_caption() -> None:
    found = match([panel(LEFT), panel(RIGHT)], THREE, CAPTION, rule="joint")
    assert [(one.matched_by, one.text) for one in found] == [("whole", CAPTION)] * 2
    assert found[0].reason == "2 panels, 3 labels: as well A as B"


def test_letters_hold_though_the_counts_disagree() -> None:
    missing = match([panel(LEFT, "A"), panel(MIDDLE, "C")], THREE, CAPTION, rule="joint")
    assert [(one.label, one.matched_by) for one in missing] == [("A", "letter"), ("C", "letter")]
    boxes = [(110 * column, 0, 110 * column + 100, 100) for column in range(5)]
    five = split_of_texts(A="a text of A", B="a text of B", C="a text of C", D="a text of D", E="a text of E", F="of F")
    found = match([panel(boxes[0], "A"), panel(boxes[1]), panel(boxes[2], "F")], five, CAPTION, rule="joint")
    assert [one.matched_by for one in found] == ["letter", "whole", "letter"]
    assert found[1].score == 0


def test_panels_without_a_letter_belong_to_the_letter_before_them() -> None:
    boxes = [(110 * (k % 3), 110 * (k // 3), 110 * (k % 3) + 100, 110 * (k // 3) + 100) for k in range(6)]
    letters = ["A", None, None, "B", None, None]
    split = split_of_texts(A="a text of A", B="a text of B")
    found = match([panel(box, letter) for box, letter in zip(boxes, letters)], split, CAPTION, rule="joint")
    assert [one.label for one in found] == ["A", "A", "A", "B", "B", "B"]
    assert [one.matched_by for one in found] == ["letter", "order", "order"] * 2


def test_panels_of_one_letter_share_the_texts_of_its_parts() -> None:
    split = split_of_texts(A1="first", A2="second", B1="third", B2="fourth")
    found = match([panel(LEFT, "A"), panel(RIGHT, "B")], split, CAPTION, rule="joint")
    assert [one.text for one in found] == ["Brain of a man. first second", "Brain of a man. third fourth"]
    boxes = [LEFT, MIDDLE, BELOW_LEFT, BELOW_MIDDLE]
    four = match([panel(box) for box in boxes], split, CAPTION, rule="joint")
    assert [one.label for one in four] == ["A1", "A2", "B1", "B2"]


def test_nine_letters_stand_in_their_row_though_some_are_numerals() -> None:
    names = "abcdefghij"
    split = split_of_texts(**{name: f"this is {name}" for name in names})
    boxes = [(110 * column, 0, 110 * column + 100, 100) for column in range(10)]
    found = match([panel(box) for box in boxes], split, CAPTION, rule="joint")
    assert [one.label for one in found] == list(names)


def test_panels_share_the_text_of_a_range() -> None:
    split = split_of_texts(A_B="Axial CT of the head.", C="Coronal MRI of the head.")
    found = match([panel(LEFT), panel(MIDDLE), panel(RIGHT)], split, CAPTION, rule="joint")
    axial, coronal = "Brain of a man. Axial CT of the head.", "Brain of a man. Coronal MRI of the head."
    assert [one.text for one in found] == [axial, axial, coronal]


def test_letters_that_the_caption_does_not_know_forbid_going_by_order() -> None:
    found = match([panel(LEFT, "X"), panel(MIDDLE, "Y"), panel(RIGHT, "Z")], THREE, CAPTION, rule="joint")
    assert {one.matched_by for one in found} == {"whole"}
    assert found[0].reason == "3 of 3 letters read disagree with the caption"


def test_romans_are_ordered_as_numbers() -> None:
    names = ("i", "ii", "iii", "iv", "v")
    split = split_of_texts(**{name: f"this is {name}" for name in reversed(names)})
    boxes = [(110 * column, 0, 110 * column + 100, 100) for column in range(5)]
    found = match([panel(box) for box in boxes], split, CAPTION, rule="joint")
    assert [one.label for one in found] == list(names)


def test_places_are_found_in_the_figure() -> None:
    split = split_of_texts(right="the image on the right", left="the image on the left", middle="the image between")
    found = match([panel(LEFT), panel(MIDDLE), panel(RIGHT)], split, CAPTION, rule="joint")
    assert [one.label for one in found] == ["left", "middle", "right"]
    assert {one.matched_by for one in found} == {"position"}


def test_the_panels_of_a_row_share_the_text_of_the_row() -> None:
    split = split_of_texts(upper="images before the operation", lower="images after the operation")
    boxes = [LEFT, MIDDLE, BELOW_LEFT, BELOW_MIDDLE]
    found = match([panel(box) for box in boxes], split, CAPTION, rule="joint")
    assert [one.label for one in found] == ["upper", "upper", "lower", "lower"]


def test_the_only_panel_and_the_whole_figure_take_the_whole_caption() -> None:
    (single,) = match([panel(LEFT, "A")], THREE, CAPTION, rule="joint")
    (whole,) = match([panel(LEFT, "A"), panel(RIGHT, "B")], THREE, CAPTION, rule="whole")
    assert (single.matched_by, single.text, single.subfigure) == ("single", CAPTION, 0)
    assert (whole.matched_by, whole.text, whole.subfigure) == ("whole", CAPTION, -1)


def test_a_caption_left_whole_is_said_of_every_panel_with_the_reason() -> None:
    found = match([panel(LEFT, "A"), panel(RIGHT, "B")], WHOLE, CAPTION, rule="joint")
    assert [(one.text, one.reason) for one in found] == [(CAPTION, "no run of labels")] * 2


def test_a_panel_gets_what_is_said_of_all_at_the_beginning_and_the_end() -> None:
    split = replace(split_of_texts(A="Axial CT", B="Sagittal MRI"), tail="CT, computed tomography.")
    found = match([panel(LEFT, "A"), panel(RIGHT, "B")], split, CAPTION, rule="joint")
    assert found[0].text == "Brain of a man. Axial CT CT, computed tomography."


def test_the_score_says_how_likely_a_text_is_the_panels_own() -> None:
    sure = match([panel(LEFT, "A"), panel(MIDDLE, "B"), panel(RIGHT, "C")], THREE, CAPTION, rule="joint")
    unlettered = match([panel(LEFT), panel(MIDDLE), panel(RIGHT)], THREE, CAPTION, rule="joint")
    unsure = match([panel(LEFT, "A"), panel(RIGHT, "B")], replace(THREE, confidence=0.5), CAPTION, rule="joint")
    assert sure[0].score > 0.95
    assert unlettered[0].score < sure[0].score
    assert unsure[0].score < sure[0].score / 1.7
    assert match([panel(LEFT), panel(RIGHT)], WHOLE, CAPTION, rule="joint")[0].score == pytest.approx(0.64)


def figure(**changes: object) -> SeparatedFigure:
    pixels = np.zeros((100, 320, 3), dtype=np.uint8)
    pixels[:, 110:210] = 120
    pixels[:, 220:] = 250
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    drawn = SeparatedFigure(
        figure_id="PMC1.1/one",
        article_id="PMC1.1",
        title="",
        article_type="case-report",
        doi=None,
        year=None,
        licence="CC BY",
        attribution="Surname A",
        media_url="https://example.org/one.png",
        md5="0" * 32,
        image=file.getvalue(),
        image_format="PNG",
        width=320,
        height=100,
        n_frames=1,
        label="Figure 1",
        caption=CAPTION,
        emphasis=[],
        mentions=[],
        notes=[],
        subfigures=[panel(LEFT, "A"), panel(MIDDLE, "B"), panel(RIGHT, "C")],
        split_caption=THREE,
    )
    return replace(drawn, **changes)  # type: ignore[arg-type]


def test_pairs_hold_the_pixels_of_their_panel() -> None:
    pairs = make_pairs(figure(), rule="joint", split="val")
    assert [pair.pair_id for pair in pairs] == ["PMC1.1/one#0", "PMC1.1/one#1", "PMC1.1/one#2"]
    for pair, grey in zip(pairs, (0, 120, 250), strict=True):
        image = Image.open(io.BytesIO(pair.image))
        assert image.size == (pair.width, pair.height) == (100, 100)
        assert abs(int(np.asarray(image).mean()) - grey) <= 1
        assert (pair.split, pair.licence, pair.attribution) == ("val", "CC BY", "Surname A")
    assert pairs == make_pairs(figure(), rule="joint", split="val")


def test_a_panel_that_is_larger_than_training_needs_is_kept_small_too() -> None:
    plain, none = make_pairs(figure(), rule="joint", split="val"), 100
    assert make_pairs(figure(), rule="joint", split="val", train_side=none) == plain  # of 100 x 100
    for pair, before in zip(make_pairs(figure(), rule="joint", split="val", train_side=64), plain, strict=True):
        assert pair.small is not None and Image.open(io.BytesIO(pair.small)).size == (64, 64)
        assert replace(pair, small=None) == before


def test_the_whole_figure_is_one_pair() -> None:
    (pair,) = make_pairs(figure(), rule="whole", split="train")
    assert (pair.pair_id, pair.box, pair.text) == ("PMC1.1/one#whole", (0, 0, 320, 100), CAPTION)


def test_a_published_part_keeps_its_own_caption() -> None:
    part = figure(part_label="a.", part_caption="Axial CT")
    for (found,) in (match_figure(part, rule="paper"), match_figure(part, rule="joint")):
        assert (found.matched_by, found.text, found.label) == ("published", "Axial CT", "a.")
    assert match_figure(part, rule="whole")[0].text == CAPTION


def test_a_part_with_a_letter_alone_gets_the_text_of_its_letter() -> None:
    for label, text in (("(b)", "Sagittal MRI of the head."), ("Figure 2B", "Sagittal MRI of the head.")):
        (found,) = match_figure(figure(part_label=label), rule="joint")
        assert (found.subfigure, found.label, found.text) == (-1, "B", f"Brain of a man. {text}")
    (unknown,) = match_figure(figure(part_label="F"), rule="joint")
    assert (unknown.subfigure, unknown.text, unknown.matched_by) == (-1, CAPTION, "whole")


def test_a_part_is_told_from_a_figure_that_is_still_to_be_separated() -> None:
    assert is_part(figure(part_label="A")) and is_part(figure(part_caption="Axial CT"))
    assert not is_part(figure()) and not is_part(figure(part_label="Figure 2"))


def test_a_broken_image_is_refused_with_a_reason() -> None:
    with pytest.raises(ImageError):
        make_pairs(figure(image=b"not an image"), rule="joint", split="train")


def test_own_words_leave_out_what_is_said_of_all_panels_but_not_where_they_are_too_few() -> None:
    parts = [Subcaption(labels=["a"], text="axial"), Subcaption(labels=["b"], text="a large mass is seen")]
    split = SplitCaption(preamble="MRI of the brain.", subcaptions=parts, tail="Bar 1 cm.", confidence=0.9, reason="")
    own = own_words(split)
    assert [part.text for part in own.subcaptions] == ["MRI of the brain. axial", "a large mass is seen"]
    assert (own.preamble, own.tail) == ("", "")
    whole = SplitCaption(preamble="MRI.", subcaptions=[], tail="", confidence=0.9, reason="one panel")
    assert own_words(whole) == whole


def test_texts_that_are_less_sure_than_asked_give_way_to_the_whole_caption() -> None:
    panels = [panel(LEFT, "A"), panel(MIDDLE, "B"), panel(RIGHT, "C")]
    found = match(panels, THREE, CAPTION, rule="joint")
    assert believed(found, CAPTION, min_score=0.5) == found
    doubted = believed(found, CAPTION, min_score=0.999)
    assert {one.matched_by for one in doubted} == {"whole"}
    assert {one.text for one in doubted} == {CAPTION}
    assert doubted[0].reason.startswith("letter A, but a score of 0.9")
    assert [one.label for one in doubted] == ["A", "B", "C"]
