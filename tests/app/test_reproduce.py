"""figray reproduce on local Ray: models are trained once, pages, numbers and pictures lie in the run."""

import csv
import io
import json
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from app.config import load
from app.progress import Bars
from app.reproduce import REPRODUCTIONS, Job, figure4, prepare, table1
from app.runs import Place, RunConflict, Table
from app.settings import Config
from pipelines.records import Pair, Split, to_table

TINY = [
    "model.init=null", "model.image_size=32", "model.patch=16", "model.image_width=32", "model.image_depth=1",
    "model.image_heads=2", "model.text_width=32", "model.text_depth=1", "model.text_heads=2", "model.embedding=16",
    "model.max_tokens=32", "model.vocabulary=90", "optim.steps=3", "train.batch_size=8", "train.gpu=false",
    "train.cpus_per_worker=3.5", "evaluate.rerank=2", "evaluate.resamples=20", "train.trackers=[]",
]  # fmt: skip


def pair(number: int, split: Split) -> Pair:
    """One panel of two of an article; its text names the grey of the image."""
    grey, article = number * 9 % 250, f"PMC{number // 2}.1"
    image = io.BytesIO()
    Image.fromarray(np.full((40, 40), grey, np.uint8)).save(image, "PNG")
    return Pair(
        pair_id=f"{article}/f#{number % 2}", figure_id=f"{article}/f", article_id=article, split=split,
        image=image.getvalue(), width=40, height=40, box=(0, 0, 40, 40), label=None,
        text=f"Aneurysm in grey {grey} on scan {number}.", matched_by="single", score=1.0, reason="", licence="CC0",
        attribution="A. Author", media_url="", md5=f"{number:032x}",
    )  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Place:
    """A run with small tables of pairs, the same for both schemes."""
    place = Place.at(tmp_path / "run")
    by_split: dict[Split, range] = {"train": range(24), "val": range(24, 32), "test": range(32, 48)}
    assert set(by_split) == set(get_args(Split))
    tables = {
        f"split={split}": to_table([pair(number, split) for number in numbers], Pair)
        for split, numbers in by_split.items()
    }
    for name in ("pairs", "whole"):
        Table(place / name, Pair).commit(0, tables=tables, rejects=[], inputs="", counts={})
    return place


def small(recipe: str) -> Config:
    return load(recipe, TINY)


def job(run: Place) -> Job:
    return Job(run, small("blip-brain"), small("blip-brain-finetune"), "paper", 1, ["aneurysm", "glioma"], Bars())


@pytest.mark.ray
def test_table_1_and_figure_4_train_what_is_missing_and_leave_pages_numbers_and_pictures(
    local_ray: None, run: Place
) -> None:
    page = table1(job(run))
    models = Path(run.path) / "models"
    assert sorted(path.name for path in models.iterdir()) == [
        "processed-seed0", "processed-seed0-finetune", "raw-seed0", "raw-seed0-finetune",
    ]  # fmt: skip
    assert "Among whole figures" in Path(page).read_text()
    rows = list(csv.DictReader(io.StringIO((run / "medvl-table1.csv").read_bytes().decode())))
    cells = [row for row in rows if row["metric"] == "i2t@1"]
    assert len(cells) == 4 * 2 * 2  # models, pools, splits
    stated = {(row["scheme"], row["stage"], row["split"]): row["published"] for row in cells}
    assert stated["processed", "PT+FT", "test"] == "36.52"
    assert (run / "medvl-table1.json").read_json()["numbers"][0]["source"] == "MedVL, Table 1"
    settings = json.loads((models / "raw-seed0-finetune" / "settings.json").read_text())
    assert (settings["model.init"], settings["objective.text"]) == ("run:raw-seed0", 0.0)
    made = {path: path.read_bytes() for path in models.rglob("*.safetensors")}
    shown = Path(figure4(job(run))).read_text()
    assert Image.open(Path(run.path) / "medvl-figure4-aneurysm.png").height > 300
    assert "No held-out text has “glioma”." in shown
    assert {path: path.read_bytes() for path in models.rglob("*.safetensors")} == made


def test_the_papers_scale_needs_pairs_and_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match=r"`figray collect blip-brain --run .*take --scale phantom"):
        prepare(Config(), Place.at(tmp_path), "paper", Bars())


def test_the_command_line_offers_what_there_is() -> None:
    from app.cli import REPRODUCIBLE

    assert set(REPRODUCIBLE) == set(REPRODUCTIONS)
