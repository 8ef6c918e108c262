"""Corrections that come back."""

import json
from pathlib import Path

import pytest

from app.exports.annotations import coco_of, task
from app.exports.review import ReviewError, corrections
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
    "text", ["", "{}", "[1]", '[{"data": {"figure_id": "x"}}]', '[{"data": {}, "annotations": [{"result": [{}]}]}]']
)
def test_what_is_no_correction_is_said_in_a_line(text: str, tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(ReviewError) as told:
        corrections(tmp_path / "x.json")
    assert "\n" not in str(told.value)
