"""Grids of maps: a term that stands in held-out texts gets a picture, another none."""

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from app.papers.term_grids import EXAMPLES, term_grids
from core.settings import ModelSettings, ObjectiveSettings
from trainers.batch import train_tokenizer
from trainers.blip import Blip
from trainers.checkpoint import save_model

TEXTS = [f"Axial scan {number} with an aneurysm of the left artery." for number in range(8)]


def row(number: int) -> dict[str, Any]:
    data = io.BytesIO()
    Image.new("RGB", (40, 32), (number * 20, 60, 90)).save(data, "PNG")
    name = f"A{number}.1"
    return {
        "pair_id": f"{name}/f#0", "figure_id": f"{name}/f", "article_id": name, "image": data.getvalue(),
        "text": TEXTS[number], "licence": "CC BY", "attribution": "A. Author",
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> str:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(TEXTS, size=64)
    settings = ModelSettings(
        image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2, text_width=32, text_depth=1,
        text_heads=2, max_tokens=40, embedding=16, vocabulary=max(64, len(tokenizer)), dropout=0.0,
    )  # fmt: skip
    model = Blip(settings, ObjectiveSettings())
    save_model(tmp_path / "m", model, settings=(settings, ObjectiveSettings()), tokenizer=tokenizer, articles=[])
    return str(tmp_path / "m")


def test_a_term_gets_a_picture_with_an_example_a_row_and_its_word_pieces(folder: str) -> None:
    grids = term_grids({"raw": folder, "processed": folder}, [row(n) for n in range(8)], ["aneurysm", "meningioma"])
    assert list(grids) == ["aneurysm"]
    grid = grids["aneurysm"]
    assert Image.open(io.BytesIO(grid.png)).height > EXAMPLES * 200
    assert [each["model"] for each in grid.numbers] == ["raw"] * EXAMPLES + ["processed"] * EXAMPLES
    pieces = {each["pieces"] for each in grid.numbers}
    assert {read.replace(" ##", "") for read in pieces} == {"aneurysm"}
    assert "The raw model reads it as " in grid.meaning
