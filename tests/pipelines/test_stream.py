"""Loose files to rows: each keeps its own, in order, whatever another brings."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from core.config import UserError
from core.places import Place
from core.records import Span
from core.settings import Config
from pipelines.captions.split import split_caption
from pipelines.loose_files import CaptionWork, FigureWork
from pipelines.loose_rows import FigureRows, read_here, split_here
from pipelines.stream import MAX_BYTES, ReadFigure, read_figures, split_captions

CAPTION = "Brain of a man. (A) Axial view of the cyst. (B) Coronal view after surgery."


@pytest.fixture
def folder(tmp_path: Path) -> Place:
    """Two good figures and some that cannot be read."""
    two = Image.new("RGB", (400, 200), "white")
    for left in (0, 210):
        two.paste(Image.radial_gradient("L").resize((190, 190)).convert("RGB"), (left, 5))
    two.save(tmp_path / "two.png")
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "one.jpg")
    (tmp_path / "cut.jpg").write_bytes((tmp_path / "one.jpg").read_bytes()[:1200])
    (tmp_path / "text.png").write_text("no image")
    with (tmp_path / "vast.png").open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    return Place.at(tmp_path)


@pytest.fixture(scope="module")
def config() -> Config:
    return Config.model_validate({"separate": {"method": "classical"}, "tables": {"readers": (1, 1)}})


def test_a_figure_that_cannot_be_read_says_why_on_its_row(folder: Place, config: Config) -> None:
    actor = ReadFigure(config, folder)

    def row(image: str, **more: str) -> dict[str, Any]:
        return json.loads(actor({"work": json.dumps(asdict(FigureWork(image, **more)))})["row"])

    names = ("cut.jpg", "text.png", "vast.png", "gone.png", "\udcff.png")
    codes = [row(name)["error"]["code"] for name in names]
    assert codes == ["truncated", "not_image", "too_large", "unreadable", "unreadable"]
    assert row("x.png", code="no_image", message="m") == {
        "image": "x.png",
        "error": {"code": "no_image", "message": "m"},
    }
    two = row("two.png", caption=CAPTION)
    assert (two["width"], two["height"], len(two["subfigures"])) == (400, 200, 2)
    assert [pair["box"] for pair in two["pairs"]] == [panel["box"] for panel in two["subfigures"]]
    assert all(set(pair) == {"box", "label", "text", "matched_by", "score", "reason"} for pair in two["pairs"])
    assert "pairs" not in row("one.jpg")


def test_the_rule_of_whole_figures_makes_one_pair(folder: Place, config: Config) -> None:
    whole = config.model_copy(update={"match": config.match.model_copy(update={"rule": "whole"})})
    row = FigureRows(whole, folder).row(FigureWork("two.png", CAPTION))
    assert [(pair["box"], pair["text"]) for pair in row["pairs"]] == [((0, 0, 400, 200), CAPTION)]


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_weights_that_nobody_can_use_are_said_once_and_cost_no_row(folder: Place, tmp_path: Path) -> None:
    (tmp_path / "w.onnx").write_bytes(b"PK")
    config = Config.model_validate({"separate": {"weights": str(tmp_path / "w.onnx")}, "tables": {"readers": (1, 1)}})
    for read in (read_here, read_figures):
        with pytest.raises(UserError, match=r"^separate\.weights: .*w\.onnx is no ONNX file: [^\n]*$"):
            list(read(config, folder, [FigureWork("one.jpg")]))


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_rows_come_in_order_and_none_is_lost(folder: Place, config: Config) -> None:
    names = sorted(["two.png", "one.jpg", "cut.jpg", "text.png"] * 5)
    rows = list(read_figures(config, folder, [FigureWork(name) for name in names]))
    assert [row["image"] for row in rows] == names
    assert [("error" in row) for row in rows] == [name in ("cut.jpg", "text.png") for name in names]
    spans = [Span(start=16, end=19, kind="bold"), Span(start=44, end=47, kind="bold")]
    works = [CaptionWork(str(k), CAPTION, spans) for k in range(450)]
    found = list(split_captions(config, works))
    assert [row["id"] for row in found] == [str(k) for k in range(450)]
    assert found[7] == {"id": "7", **asdict(split_caption(CAPTION, spans, min_confidence=0.5))}
    assert list(read_figures(config, folder, [])) == []
    assert json.dumps(rows) == json.dumps(list(read_here(config, folder, [FigureWork(name) for name in names])))
    works[3] = CaptionWork("3", "", code="no_caption", message="row 4 has no caption")
    assert json.dumps(list(split_captions(config, works))) == json.dumps(list(split_here(config, works)))
