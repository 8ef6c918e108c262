"""Grids of sentence maps: which radiographs are shown, what is outlined, and what is counted."""

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from app.papers.sentence_grid import examples_of, sentence_grids
from core.config import UserError
from core.records import Radiograph, Region, Target, to_table
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.batch import train_tokenizer
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.mlip import Mlip

TEXTS = ["There is a disc.", "No disc is seen."]
PROMPTS = {"Disc": ["There is a disc."], "Bar": ["There is a bar."]}


def film(number: int) -> Radiograph:
    """A film of 40 x 32 px; every other one has a box around its disc; two are of one patient."""
    data = io.BytesIO()
    Image.new("L", (40, 32), 90 + number).save(data, "PNG")
    region = Region(target="Disc", box=(4, 4, 20, 20))
    return Radiograph(
        image_id=f"i{number}", patient_id=f"p{number // 4}", study_id=f"s{number}", dataset="drawn", split="test",
        image=data.getvalue(), width=40, height=32, view="PA", text=TEXTS[number % 2],
        targets=[Target(name="Disc", present=number % 2 == 0)], regions=[region] * (1 - number % 2), md5=f"{number}",
        notes=[],
    )  # fmt: skip


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    pq.write_table(to_table([film(n) for n in range(16)], Radiograph), tmp_path / "test.parquet")
    return [str(tmp_path / "test.parquet")]


def saved(folder: Path, name: str) -> str:
    torch.manual_seed(0)
    tokenizer = train_tokenizer(TEXTS, size=64)
    settings = ModelSettings(
        image_size=32, patch=8, image_width=16, image_depth=1, image_heads=2, text_width=16, text_depth=1,
        text_heads=2, max_tokens=16, embedding=8, vocabulary=max(64, len(tokenizer)), dropout=0.0, pool="mean",
    )  # fmt: skip
    objective, mlip = ObjectiveSettings.model_validate({"name": name}), MlipSettings(mip=0)
    model = Mlip(settings, mlip) if name == "mlip" else Blip(settings, objective)
    save_model(folder / name, model, settings=(settings, objective, mlip), tokenizer=tokenizer, articles=[])
    return str(folder / name)


def test_a_finding_with_a_place_gets_a_picture_with_a_radiograph_a_row(files: list[str], tmp_path: Path) -> None:
    folder = saved(tmp_path, "mlip")
    grids = sentence_grids({"MLIP": folder, "contrast": folder}, files, PROMPTS, examples=3)
    assert list(grids) == ["Disc"]
    grid = grids["Disc"]
    assert Image.open(io.BytesIO(grid.png)).height > 3 * 260
    assert [each["model"] for each in grid.numbers] == ["MLIP"] * 3 + ["contrast"] * 3
    assert grid.numbers[0]["hit"] in (True, False) and grid.numbers[0]["hit"] == grid.numbers[3]["hit"]
    assert "“There is a disc.”" in grid.meaning


def test_the_box_is_drawn_in_black_around_the_finding(files: list[str], tmp_path: Path) -> None:
    grid = sentence_grids({"MLIP": saved(tmp_path, "mlip")}, files, PROMPTS, examples=1)["Disc"]
    page = np.asarray(Image.open(io.BytesIO(grid.png)).convert("L"))
    image = page[60:320, 14 + 274 : 14 + 274 + 260]  # the right column
    down, across = np.nonzero(image == 0)
    # 260 / 40 px a pixel, below a margin of 26; an outline lies outside of its box.
    assert np.ptp(across) == pytest.approx(16 * 6.5 + 3, abs=3) and np.ptp(down) == pytest.approx(16 * 6.5 + 3, abs=3)
    assert across.min() == pytest.approx(4 * 6.5 - 2, abs=2)


def test_examples_are_of_as_many_patients_as_possible_and_always_the_same(files: list[str]) -> None:
    chosen = examples_of("Disc", files, n=5)
    assert len({int(name[1:]) // 4 for name in chosen[:4]}) == 4 and len(set(chosen)) == 5
    assert all(int(name[1:]) % 2 == 0 for name in chosen)
    assert examples_of("Disc", files, n=5) == chosen and examples_of("Bar", files, n=5) == []


def test_a_model_without_local_features_is_refused(files: list[str], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Grad-CAM"):
        sentence_grids({"BLIP": saved(tmp_path, "blip")}, files, PROMPTS)
