"""Corrections in place of what was found."""

from dataclasses import replace
from pathlib import Path

from core.places import Place
from pipelines.matching.match import make_pairs
from pipelines.reviews import (
    WRONG,
    ReviewedPanel,
    Verdict,
    images_as_corrected,
    judged,
    mark_of,
    read_reviews,
    reviewed,
    with_texts,
    write_reviews,
)
from tests.app.exports.conftest import a_figure

LEFT = ReviewedPanel((0, 0, 46, 40), "A", (2, 2, 8, 10), "A scan.")
RIGHT = ReviewedPanel((52, 0, 100, 40), "B")


def test_reviews_are_kept_and_the_newest_counts(tmp_path: Path) -> None:
    table = Place.at(tmp_path)
    assert (read_reviews(table).version, read_reviews(table).digest) == (0, "")
    write_reviews(table, {"x": [LEFT], "y": [RIGHT]})
    write_reviews(table, {"x": [RIGHT]})
    found = read_reviews(table)
    assert found.version == 2
    assert found.figures == {"x": [RIGHT], "y": [RIGHT]}


def test_a_verdict_holds_for_the_pair_that_was_judged(tmp_path: Path) -> None:
    table, (first, second) = Place.at(tmp_path), make_pairs(a_figure("PMC1.1"), rule="joint", split="train")
    said = {first.pair_id: Verdict(True, mark_of(first)), second.pair_id: Verdict(False, mark_of(second))}
    found = write_reviews(table, {}, said)
    assert read_reviews(table) == found and found.digest != ""
    right, wrong = judged(first, found), judged(second, found)
    assert (right.matched_by, right.score, right.text) == ("reviewed", 1.0, first.text)
    assert (wrong.reason, wrong.matched_by) == (WRONG, second.matched_by)
    changed = replace(second, text="another text")
    assert judged(changed, found) == changed
    assert judged(right, found) == right  # it stays what it is


def test_a_corrected_figure_makes_the_pairs_of_its_panels() -> None:
    figure = reviewed(a_figure("PMC1.1"), [LEFT, RIGHT])
    pairs = with_texts(make_pairs(figure, rule="joint", split="train"), [LEFT, RIGHT])
    assert [(pair.box, pair.text, pair.matched_by) for pair in pairs] == [
        ((0, 0, 46, 40), "A scan.", "reviewed"),
        ((52, 0, 100, 40), "=MRI, «after».", "letter"),
    ]
    assert [picture.subfigure for picture in figure.pictures] == [-1, 0, 1]


def test_a_box_outside_is_brought_inside() -> None:
    figure = reviewed(a_figure("PMC1.1"), [ReviewedPanel((-5, 0, 500, 40))])
    assert figure.subfigures[0].box == (0, 0, 100, 40)


def test_copies_follow_their_panel_to_its_new_number() -> None:
    images = {"PMC1.1/fig.1#0": "first", "PMC9.1/fig#1": "first"}
    assert images_as_corrected(images, a_figure("PMC1.1"), [RIGHT, LEFT]) == {
        "PMC9.1/fig#1": "first",
        "PMC1.1/fig.1#1": "first",
    }
