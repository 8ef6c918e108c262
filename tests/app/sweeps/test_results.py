"""What a sweep leaves: the same trials in Parquet, CSV and on the page, and a recipe that loads."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from app.sweeps.results import write_results
from core.config import load, override
from core.places import Place
from tuning.spaces import read_space

MakeTrial = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def rows(made_up_trial: MakeTrial) -> list[dict[str, Any]]:
    settings = [{"mlip.mask_ratio": at / 10, "mlip.temperature": 0.1 + at / 20} for at in range(8)]
    good = [made_up_trial(f"t{at}", each, {"mean_recall": at / 10}) for at, each in enumerate(settings)]
    return [*good, made_up_trial("t8", settings[0], {}, status="failed", error="=killed")]


def test_every_trial_is_in_every_file_and_the_recipe_is_the_best(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    config = load("mlip-phantom")
    page = write_results(
        Place.at(tmp_path / "sweep"),
        rows,
        space_name="masking",
        space=read_space("masking", config),
        metrics=["mean_recall"],
        config=config,
    )
    folder = tmp_path / "sweep"
    assert page == str(folder / "sweep.html")
    ids = [row["trial"] for row in rows]
    table = pq.read_table(folder / "trials.parquet")
    assert table["trial"].to_pylist() == ids
    lines = list(csv.DictReader(io.StringIO((folder / "trials.csv").read_text("utf-8"))))
    assert [line["trial"] for line in lines] == ids
    assert lines[8]["error"] == "'=killed"  # a spreadsheet computes nothing
    assert [float(line["mlip.mask_ratio"]) for line in lines] == table["mlip.mask_ratio"].to_pylist()
    text = Path(page).read_text("utf-8")
    assert all(trial in text for trial in ids)
    assert "8 trials, each at its full length" in text
    assert load(str(folder / "best.yaml")) == override(config, rows[7]["settings"])


def test_without_a_finished_trial_there_is_no_recipe(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    config = override(load("mlip-phantom"), {"sweep.scheduler": "pbt"})
    place = Place.at(tmp_path)
    write_results(place, rows[8:], space_name="own.yaml", space={}, metrics=["mean_recall"], config=config)
    assert place.files() == ["sweep.html", "trials.csv", "trials.parquet"]
    assert "Under pbt" in (tmp_path / "sweep.html").read_text("utf-8")
