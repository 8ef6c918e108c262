"""MedVL's tables and figures: pages, numbers and pictures lie in the run."""

import csv
import io
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from PIL import Image

from app import steps
from app.papers.medvl import prepare, show_figure4, show_table1
from app.papers.medvl_models import Model, finetuned, pretrained
from app.papers.reproduction import Job
from app.progress import Bars
from core.config import load
from core.places import Place
from core.records import Pair, Split, to_table
from core.runs import RunConflict, Table
from core.settings import Config
from trainers.batch import train_tokenizer
from trainers.blip import Blip
from trainers.checkpoint import save_model

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
    terms = ["aneurysm", "glioma"]
    return Job(
        run=run,
        recipe="blip-brain",
        config=small("blip-brain"),
        overrides=TINY,
        scale="paper",
        seeds=1,
        terms=terms,
        on=[run],
        bars=Bars(),
    )


@pytest.fixture
def models(run: Place) -> list[Model]:
    """Models of the run as training leaves them, untrained; what trains them is tested in test_fit.py."""
    texts = [row["text"] for row in steps.table(run, "pairs", Pair).read("split=train").to_pylist()]
    begun = pretrained(small("blip-brain"), seeds=1)
    made = [*begun, *finetuned(small("blip-brain-finetune"), begun)]
    for model in made:
        torch.manual_seed(0)
        config = model.config
        tokenizer = train_tokenizer(texts, size=config.model.vocabulary)
        blip, folder = Blip(config.model, config.objective), f"{run.path}/models/{model.name}/checkpoint"
        save_model(folder, blip, settings=(config.model, config.objective), tokenizer=tokenizer, articles=["PMC0.1"])
    return made


def test_table_1_leaves_a_page_and_numbers_beside_the_papers(run: Place, models: list[Model]) -> None:
    page = show_table1(job(run), models)
    assert "Among whole figures" in Path(page).read_text()
    rows = list(csv.DictReader(io.StringIO((run / "medvl-table1.csv").read_bytes().decode())))
    cells = [row for row in rows if row["metric"] == "i2t@1"]
    assert len(cells) == 4 * 2 * 2  # models, pools, splits
    stated = {(row["scheme"], row["stage"], row["split"]): row["published"] for row in cells}
    assert stated["processed", "PT+FT", "test"] == "36.52"
    assert (run / "medvl-table1.json").read_json()["numbers"][0]["source"] == "MedVL, Table 1"


def test_figure_4_leaves_a_picture_for_each_term_that_texts_have(run: Place, models: list[Model]) -> None:
    shown = Path(show_figure4(job(run), models[:2])).read_text()
    assert Image.open(Path(run.path) / "medvl-figure4-aneurysm.png").height > 300
    assert "No held-out text has “glioma”." in shown


def test_the_papers_scale_needs_pairs_and_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match=r"`figray collect blip-brain --run .*take --scale phantom"):
        prepare(Config(), Place.at(tmp_path), "paper", Bars())
