"""Figures to be mended: COCO as its library reads it, Label Studio's tasks."""

import json
from pathlib import Path
from typing import Any

from PIL import Image

from app.exports.annotations import write_annotations
from core.places import Place
from core.records import Pair, SeparatedFigure
from core.runs import Table


def written(run: Place, form: str) -> Path:
    out = run / form
    assert write_annotations(Table(run / "separated", SeparatedFigure), Table(run / "pairs", Pair), out, form=form) == 6
    return Path(out.path)


def test_coco_is_read_by_its_library(run: Place) -> None:
    from pycocotools.coco import COCO

    folder = written(run, "coco")
    coco = COCO(str(folder / "annotations.json"))
    assert len(coco.getImgIds()) == 6
    panels = coco.loadAnns(coco.getAnnIds(catIds=[1]))
    letters = coco.loadAnns(coco.getAnnIds(catIds=[2]))
    assert (len(panels), len(letters)) == (12, 6)
    assert panels[0]["bbox"] == [0, 0, 48, 40]
    assert panels[1]["text"] == "=MRI, «after»."
    for image in coco.loadImgs(coco.getImgIds()):
        assert Image.open(folder / image["file_name"]).size == (image["width"], image["height"])


def test_a_task_has_boxes_in_per_cent_with_letter_and_text(run: Place) -> None:
    folder = written(run, "label-studio")
    task = json.loads((folder / "tasks.json").read_text())[0]
    results = task["predictions"][0]["result"]
    first = [each for each in results if each["id"] == "panel-0"]
    assert first[0]["value"] | {"rotation": 0} == {
        "x": 0, "y": 0, "width": 48, "height": 100, "rotation": 0, "rectanglelabels": ["panel"],
    }  # fmt: skip
    assert [(each["from_name"], each["value"]["text"]) for each in first[1:]] == [
        ("label", ["A"]), ("text", ["CT, before."]),
    ]  # fmt: skip
    assert (folder / task["data"]["image"]).is_file()
    assert "RectangleLabels" in (folder / "label_config.xml").read_text()


def test_label_studio_takes_the_tasks_by_the_configuration(run: Place) -> None:
    """By its own SDK: each prediction fits the labels, and one that does not is refused, so that the test can fail."""
    from label_studio_sdk.label_interface import LabelInterface

    folder = written(run, "label-studio")
    interface = LabelInterface((folder / "label_config.xml").read_text())
    interface.validate()
    tasks = json.loads((folder / "tasks.json").read_text())
    assert interface.labels and {tag.name for tag in interface.controls} == {"box", "label", "text"}
    for task in tasks:
        assert set(task["data"]) >= {name.removeprefix("$") for name in ("$image", "$caption", "$figure_id")}
        assert all(interface.validate_prediction(prediction) for prediction in task["predictions"])
        alone: Any = {"data": task["data"]}
        assert interface.validate_task(alone)
    wrong = json.loads(json.dumps(tasks[0]["predictions"][0]))
    wrong["result"][0]["value"]["rectanglelabels"] = ["lesion"]
    assert not interface.validate_prediction(wrong)
