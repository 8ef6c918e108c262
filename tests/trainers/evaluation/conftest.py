"""Drawn radiographs with known findings, their tables, and small models of both kinds that nobody trained."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image, ImageDraw
from transformers import PreTrainedTokenizerFast

from core.records import Radiograph, Region, Split, Target, to_table
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.mlip import Mlip


def draw_film(number: int, split: Split) -> Radiograph:
    """A grey film; every third shows a disc, every other a bar; whether there is a ring nobody said of every fifth."""
    rng = np.random.default_rng([11, number])
    image = Image.fromarray(rng.integers(40, 90, (24, 30), dtype=np.uint8), "L")
    draw = ImageDraw.Draw(image)
    disc, bar = number % 3 == 0, number % 2 == 0
    if disc:
        draw.ellipse((3, 4, 12, 13), fill=240)
    if bar:
        draw.rectangle((18, 3, 21, 20), fill=230)
    data = io.BytesIO()
    image.save(data, "PNG")
    ring = [] if number % 5 == 0 else [Target(name="Ring", present=number % 7 == 0)]
    return Radiograph(
        image_id=f"{split}-{number}", patient_id=f"{split}-p{number // 2}", study_id=f"s{number}",
        dataset="drawn", split=split, image=data.getvalue(), width=30, height=24, view="PA", text="",
        targets=[Target(name="Disc", present=disc), Target(name="Bar", present=bar), *ring], regions=[],
        md5=f"{split}-md5-{number}", notes=[],
    )  # fmt: skip


@pytest.fixture
def drawn_film() -> Callable[[int, Split], Radiograph]:
    """The film of a number and split; two numbers are of one patient."""
    return draw_film


def draw_disc(number: int, split: Split) -> Radiograph:
    """A grey film of 80 x 64 px; every odd one has a bright disc somewhere, with its mask."""
    rng = np.random.default_rng([5, number])
    pixels = rng.normal(60, 20, (64, 80))
    radius = rng.uniform(8, 14)
    x, y = rng.uniform(radius, 80 - radius), rng.uniform(radius, 64 - radius)
    down, across = np.mgrid[:64, :80]
    inside = (across - x) ** 2 + (down - y) ** 2 < radius**2
    image, mask = io.BytesIO(), io.BytesIO()
    shown = pixels + 120 * inside * (number % 2)
    Image.fromarray(shown.clip(0, 255).astype(np.uint8)).save(image, "PNG")
    Image.fromarray(inside).save(mask, "PNG")
    box = (int(x - radius), int(y - radius), int(x + radius) + 1, int(y + radius) + 1)
    region = Region(target="Disc", box=box, mask=mask.getvalue())
    return Radiograph(
        image_id=f"{split}-{number}", patient_id=f"{split}-p{number // 2}", study_id=f"s{number}",
        dataset="discs", split=split, image=image.getvalue(), width=80, height=64, view="PA", text="A disc.",
        targets=[Target(name="Disc", present=number % 2 == 1)], regions=[region] * (number % 2),
        md5=f"{split}-md5-{number}", notes=[],
    )  # fmt: skip


@pytest.fixture
def disc_films() -> Callable[[Split, range], list[Radiograph]]:
    """Films with and without a bright disc, of a split, by their numbers; two neighbours are of one patient."""
    return lambda split, numbers: [draw_disc(number, split) for number in numbers]


@pytest.fixture
def write_films(tmp_path: Path) -> Callable[[str, Sequence[Radiograph]], list[str]]:
    """Radiographs as a table of this name: the list of its one file."""

    def written(name: str, radiographs: Sequence[Radiograph]) -> list[str]:
        pq.write_table(to_table(radiographs, Radiograph), tmp_path / f"{name}.parquet")
        return [str(tmp_path / f"{name}.parquet")]

    return written


@pytest.fixture
def film_files(write_films: Callable[[str, Sequence[Radiograph]], list[str]]) -> dict[str, list[str]]:
    """Splits of 60, 30 and 40 drawn films, two of each patient."""
    sizes: dict[Split, int] = {"train": 60, "val": 30, "test": 40}
    return {name: write_films(name, [draw_film(n, name) for n in range(size)]) for name, size in sizes.items()}


@pytest.fixture(params=["blip", "mlip"])
def saved_model(request: pytest.FixtureRequest, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Path:
    """A small model with dropout, an MLIP also with masks in its training, that has seen patient train-p0 alone."""
    torch.manual_seed(0)
    settings = ModelSettings(
        image_size=32, patch=8, image_width=32, image_depth=2, image_heads=2, text_width=32, text_depth=2, text_heads=2,
        max_tokens=24, embedding=32, vocabulary=200, dropout=0.3, pool="mean",
    )  # fmt: skip
    objective, mlip = ObjectiveSettings(name=request.param), MlipSettings(decoder_width=16, decoder_depth=1)
    model = Mlip(settings, mlip) if request.param == "mlip" else Blip(settings, objective)
    for weights in model.parameters():  # as if trained: an encoder fresh from its initialisation sees hardly a thing
        if weights.dim() == 2:
            torch.nn.init.normal_(weights, std=weights.shape[1] ** -0.5)
    groups = (settings, objective, mlip)
    save_model(
        tmp_path / "model", model, settings=groups, tokenizer=tokenizer, articles=["train-p0"], images=["train-md5-0"]
    )
    return tmp_path / "model"
