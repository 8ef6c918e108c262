"""Rows made in this process: in order, each its own, and nothing loaded that is not used."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from core.places import Place
from core.settings import Config
from pipelines.loose_files import CaptionWork, FigureWork
from pipelines.loose_rows import read_here, split_here

CAPTION = "Brain of a man. (A) Axial view of the cyst. (B) Coronal view after surgery."
HEAVY = ("ray", "torch", "paddleocr", "onnxruntime", "cv2", "scipy", "transformers", "pandas")


def test_figures_come_in_order_each_with_its_own_reason(tmp_path: Path) -> None:
    Image.radial_gradient("L").convert("RGB").save(tmp_path / "one.jpg")
    (tmp_path / "text.png").write_text("no image")
    config = Config.model_validate({"separate": {"method": "classical"}})
    names = ["text.png", "one.jpg", "gone.png", "one.jpg"]
    rows = list(read_here(config, Place.at(str(tmp_path)), [FigureWork(name) for name in names]))
    assert [row["image"] for row in rows] == names
    assert [row.get("error", {}).get("code") for row in rows] == ["not_image", None, "unreadable", None]
    assert rows[1]["subfigures"][0]["box"] == [0, 0, 256, 256]


def test_captions_come_in_order_and_a_bad_one_stays_with_its_reason() -> None:
    works = [CaptionWork("a", CAPTION), CaptionWork("b", "", code="no_caption", message="row 2 has no caption")]
    good, bad = split_here(Config(), works)
    assert [part["labels"] for part in good["subcaptions"]] == [["A"], ["B"]]
    assert bad["error"]["code"] == "no_caption" and bad["reason"] == "row 2 has no caption"


@pytest.mark.parametrize("module", ["pipelines.loose_rows", "app.own_files", "app.session"])
def test_what_asks_for_rows_loads_nothing_that_reads_images_or_starts_machines(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {module}; print(*(set({HEAVY!r}) & sys.modules.keys()))"],
        capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert told.stdout.split() == []
