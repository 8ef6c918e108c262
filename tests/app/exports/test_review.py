"""Corrections that come back."""

import json
from pathlib import Path

import pytest

from app.exports.annotations import coco_of, task
from app.exports.review import ReviewError, corrections, verdicts
from pipelines.reviews import Verdict
from tests.app.exports.conftest import a_figure

TEXTS = {"PMC1.1/fig.1#0": "CT, before.", "PMC1.1/fig.1#1": "MRI, after."}


def test_label_studio_comes_back_as_it_left(tmp_path: Path) -> None:
    told = task(a_figure("PMC1.1"), TEXTS)
    told["annotations"] = [{"result": told["predictions"][0]["result"]}]
    moved = json.loads(json.dumps(told))
    moved["annotations"][0]["result"][0]["value"] |= {"x": 10, "width": 30}
    cancelled = {"result": [], "was_cancelled": True}
    moved["annotations"].append(cancelled)
    (tmp_path / "x.json").write_text(json.dumps([moved, {"data": {"figure_id": "unseen"}}]))
    (panels,) = corrections(tmp_path / "x.json").values()
    assert [(panel.box, panel.label, panel.text) for panel in panels] == [
        ((10, 0, 40, 40), "A", "CT, before."),
        ((52, 0, 100, 40), "B", "MRI, after."),
    ]
    assert panels[0].label_box == (2, 2, 8, 10)


def test_coco_comes_back_as_it_left(tmp_path: Path) -> None:
    row = coco_of(a_figure("PMC1.1"), TEXTS, 0)
    told = {"images": [row["image"]], "annotations": [{"image_id": 1, **each} for each in row["annotations"]]}
    (tmp_path / "x.json").write_text(json.dumps(told))
    (panels,) = corrections(tmp_path / "x.json").values()
    assert [panel.box for panel in panels] == [(0, 0, 48, 40), (52, 0, 100, 40)]
    assert panels[0].label_box == (2, 2, 8, 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[1]",
        '[{"data": {"figure_id": "x"}}]',
        '[{"data": {}, "annotations": [{"result": [{}]}]}]',
        '[{"data": {"figure_id": "x"}, "annotations": "x"}]',
        '{"images": ["x"], "annotations": []}',
    ],
)
def test_what_is_no_correction_is_said_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ReviewError) as told:
        corrections(tmp_path / "x.json")
    assert "\n" not in str(told.value) and "not iterable" not in str(told.value)


ROWS = [{"pair_id": "f,1#0", "verdict": "right", "mark": "aa"}, {"pair_id": "f#1", "verdict": "wrong", "mark": "bb"}]


def test_a_reports_review_comes_back_as_json_and_as_csv(tmp_path: Path) -> None:
    as_json, as_csv = tmp_path / "review.json", tmp_path / "review.csv"
    as_json.write_text(json.dumps({"format": "figray-review", "run": "r", "pairs": "d", "reviews": ROWS}))
    as_csv.write_text('pair_id,verdict,mark\n"f,1#0",right,aa\nf#1,wrong,bb\n')
    said = {"f,1#0": Verdict(True, "aa"), "f#1": Verdict(False, "bb")}
    assert verdicts(as_json) == verdicts(as_csv) == said


def test_another_file_is_no_reports_review(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"images": [], "annotations": []}')
    assert verdicts(tmp_path / "x.json") is None


@pytest.mark.parametrize(
    "text",
    [
        '{"format": "figray-review"',
        '{"format": "figray-review", "reviews": {}}',
        '{"format": "figray-review", "reviews": []}',
        '{"format": "figray-review", "reviews": [{"pair_id": "a", "verdict": "maybe", "mark": "b"}]}',
        '{"format": "figray-review", "reviews": [3]}',
        "pair_id,verdict,mark\na,right\n",
    ],
)
def test_a_damaged_review_is_said_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text(text)
    with pytest.raises(ReviewError) as told:
        verdicts(tmp_path / "x")
    assert "\n" not in str(told.value)
