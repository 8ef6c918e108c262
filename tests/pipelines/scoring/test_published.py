"""Published sets in their own formats, on small files of their shape."""

import json

import pytest

from pipelines.scoring.published import (
    PublishedError,
    published,
    read_boxes,
    read_coco,
    read_medicat,
    read_panelization,
)

BOXES = """C:\\data\\5\\one.jpg,1,1,610,608,panel,1,27,16,45,A
C:\\data\\5\\one.jpg,356,215,706,423,panel,360,239,382,261,B
/data/two.jpg,7,6,596,276,panel,,,,,
three.jpg,0,0,10,10,panel
four.jpg,,,,,
"""
MEDICAT = {
    "pdf_hash": "ab", "fig_uri": "2-Figure1-1.png", "answer": "accept", "width": 200, "height": 100,
    "tokens": [{"text": text} for text in ["(", "A", ")", "CT", "and", "(", "B", ")", "MRI", "of", "the", "head"]],
    "spans": [{"label": "A", "points": [[0, 0], [0, 90], [95, 90], [95, 0]]},
              {"label": "B", "points": [[105, 0], [200, 0], [200, 90], [105, 90]]}],
    "subcaptions": {"A": [0, 1, 2, 3], "B": [5, 6, 7, 8, 9, 10, 11]},
}  # fmt: skip
COCO = {
    "images": [{"id": 7, "file_name": "figs/a.png", "width": 20, "height": 10}, {"id": 8, "file_name": "b.png"}],
    "categories": [{"id": 1, "name": "Panel"}, {"id": 2, "name": "Image"}],
    "annotations": [{"image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4], "identifier": "A"},
                    {"image_id": 7, "category_id": 2, "bbox": [0, 0, 9, 9]}],
}  # fmt: skip


def test_boxes_as_csv_take_their_image_from_any_path() -> None:
    figures = read_boxes(BOXES)
    assert [figure.image for figure in figures] == ["one.jpg", "two.jpg", "three.jpg", "four.jpg"]
    assert [(panel.box, panel.label) for panel in figures[0].panels] == [
        ((1, 1, 610, 608), "A"),
        ((356, 215, 706, 423), "B"),
    ]
    assert [figure.kind for figure in figures] == ["unknown", "single", "single", "single"]
    assert figures[3].panels == []


def test_medicat_gives_boxes_around_points_and_the_words_of_each_label() -> None:
    figures, captions = read_medicat([MEDICAT, {**MEDICAT, "answer": "reject"}])
    (figure,), (caption,) = figures, captions
    assert figure.image == "ab_2-Figure1-1.png"
    assert [(panel.box, panel.label, panel.text) for panel in figure.panels] == [
        ((0, 0, 95, 90), "A", "( A ) CT"),
        ((105, 0, 200, 90), "B", "( B ) MRI of the head"),
    ]
    assert caption.texts == {"A": "( A ) CT", "B": "( B ) MRI of the head"}
    assert set(caption.parts) == {"a", "b"}


def test_coco_takes_panels_and_not_the_images_in_them() -> None:
    one, other = read_coco(COCO)
    assert (one.image, [(panel.box, panel.label) for panel in one.panels]) == ("a.png", [((1, 2, 4, 6), "A")])
    assert (other.image, other.panels) == ("b.png", [])


def test_panelization_gives_the_characters_at_which_panels_begin() -> None:
    row = {"words": ["MRI", ".", "(", "A", ")", "T1"], "labels": ["O", "O", "B-PANEL_START", "O", "O", "O"]}
    (caption,) = read_panelization([row])
    assert caption.caption == "MRI . ( A ) T1"
    assert caption.starts == [6]
    assert caption.caption[6] == "("


@pytest.mark.parametrize(
    ("name", "held", "counts"),
    [
        ("clef_eval.csv", BOXES, (4, 0, 0)),
        ("subfig.jsonl", json.dumps(MEDICAT), (1, 1, 0)),
        ("test.jsonl", json.dumps({"words": ["a"], "labels": ["O"]}), (0, 0, 1)),
        ("panels.json", json.dumps(COCO), (2, 0, 0)),
        ("truth.json", "[]", None),
        ("captions.json", json.dumps({"about": "", "records": []}), None),
    ],
)
def test_a_file_is_told_by_what_it_holds(name: str, held: str, counts: tuple[int, int, int] | None) -> None:
    found = published(name, held)
    assert (tuple(len(part) for part in found) if found else None) == counts


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a.csv", "one.jpg,1,2\n"),
        ("a.csv", "one.jpg,1,2,x,4,panel\n"),
        ("a.jsonl", "{]\n"),
        ("a.jsonl", json.dumps({"words": ["a", "b"], "labels": ["O"]})),
        ("a.jsonl", json.dumps({"pdf_hash": "a"})),
        ("a.json", json.dumps({"images": [{"id": 1}], "annotations": [{"image_id": 2, "bbox": [1]}]})),
    ],
)
def test_what_is_not_of_its_shape_is_refused(name: str, held: str) -> None:
    with pytest.raises(PublishedError):
        published(name, held)
