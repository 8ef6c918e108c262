"""`figray evaluate pairs`: files of either form, and a drawn set, to a scorecard."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from app.own_files import FileError
from app.pair_evaluation import drawn_set, judged_caption, judged_figure, labelled_set, score, write_scorecard
from core.places import Place
from core.settings import Config, PhantomSettings
from pipelines.captions.split import split_caption
from pipelines.scoring.scorecard import Tally

BOXES = ([0, 5, 190, 195], [210, 5, 400, 195])


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A folder with a figure of two panels and one that is broken, their truth, and captions."""
    images = tmp_path / "images"
    images.mkdir()
    two = Image.new("RGB", (400, 200), "white")
    for left in (0, 210):
        two.paste(Image.radial_gradient("L").resize((190, 190)).convert("RGB"), (left, 5))
    two.save(images / "two.png")
    (images / "broken.png").write_bytes(b"no image")
    panels = [{"box": box, "label": None} for box in BOXES]
    names = ("two.png", "broken.png", "gone.png")
    truth = [
        {"image": f"images/{name}", "caption": "", "label_position": "none", "subfigures": panels} for name in names
    ]
    parts = [{"labels": ["A"], "text": "Axial view."}, {"labels": ["B"], "text": "Coronal view."}]
    caption = {"id": "1", "caption": "(A) Axial view. (B) Coronal view.", "compound": True, "subcaptions": parts}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    (tmp_path / "captions.json").write_text(json.dumps({"about": "", "records": [caption]}))
    return {"images": images, "truth": tmp_path / "truth.json", "captions": tmp_path / "captions.json"}


def test_images_without_truth_are_refused(files: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(FileError, match="--images DIR --truth"):
        labelled_set(Place.at(files["images"]), None, None)
    with pytest.raises(FileError, match="Input should be"):
        labelled_set(None, None, files["truth"])


def test_a_figure_that_stands_twice_in_the_truth_is_refused(files: dict[str, Path]) -> None:
    truth = json.loads(files["truth"].read_text())
    files["truth"].write_text(json.dumps([*truth, truth[0]]))
    with pytest.raises(FileError, match=r"a figure stands twice in it: two\.png"):
        labelled_set(Place.at(files["images"]), files["truth"], None)


def test_a_drawn_set_knows_its_figures_and_captions(tmp_path: Path) -> None:
    drawn = drawn_set(Place.at(tmp_path), PhantomSettings(articles=4, seed=3))
    assert drawn.folder
    assert all((Path(drawn.folder.path) / image).is_file() for image in drawn.figures)
    assert {len(truth.panels) > 1 for truth in drawn.figures.values()} == {True, False}
    assert len(drawn.captions) > 2


def test_the_score_of_an_item_is_the_mean_of_its_measures() -> None:
    assert score({"letters": Tally(1, 4), "pairs": Tally(3, 4)}) == 0.5
    assert score({"false_splits": Tally(1, 1)}) == 0.0
    assert score({}) == 0.0


def test_what_cannot_be_read_counts_as_not_found(files: dict[str, Path], tmp_path: Path) -> None:
    run, labelled = (
        Place.at(tmp_path / "run"),
        labelled_set(Place.at(files["images"]), files["truth"], files["captions"]),
    )
    assert set(labelled.figures) == {"two.png", "broken.png", "images/gone.png"}
    rows: dict[str, dict[str, Any]] = {
        name: {"image": name, "error": {"code": "not_image", "message": ""}} for name in labelled.figures
    }
    panels = [{"box": box, "score": 1.0} for box in BOXES]
    pairs = [{"box": box, "text": "Axial view."} for box in BOXES]
    rows["two.png"] = {"image": "two.png", "subfigures": panels, "pairs": pairs}
    figures = [judged_figure(truth, rows[image]) for image, truth in labelled.figures.items()]
    (truth,) = labelled.captions
    split = asdict(split_caption(truth.caption, min_confidence=0.5))
    captions = [judged_caption(truth, {"id": "1", **split})]
    found = write_scorecard(Config(), run, labelled, figures=figures, captions=captions)
    assert found["imageclef_compound"].value == pytest.approx(1 / 3)
    assert found["label_set_exact"].value == found["token_f1"].value == 1.0
    assert "pairs" not in found  # nobody has said which texts are right
    card: dict[str, Any] = (run / "scorecard.json").read_json()
    assert card["failed"] == {"not_image": 2}
    assert card["measures"]["f1_iou0.5"] == {"value": 0.5, "low": 0.0, "high": 1.0, "items": 3, "of": 8.0}
    assert card["worst_figures"] == {"images/broken.png": 0.0, "images/gone.png": 0.0}
    page = (run / "scorecard.html").read_bytes().decode()
    assert "images/gone.png" in page
    assert "Image not shown: none of JPEG" in page
