"""Exports as the command makes them."""

import csv
from dataclasses import replace
from pathlib import Path

import pytest

from app import taking_away
from core.config import SettingError, UserError
from core.places import Place
from core.records import Pair, Reject, to_table
from core.runs import Table
from core.wanted import Wanted
from pipelines.matching.match import make_pairs
from pipelines.reviews import Verdict
from tests.app.exports.conftest import a_figure
from tests.app.exports.conftest import run as small_run
from tests.app.exports.conftest import with_films as small_films

run, with_films = small_run, small_films


def taken(run: Place, name: str, form: str, asked: Wanted) -> dict[str, object]:
    out = run / f"out-{form}"
    plan = taking_away.plan(run, name, out, form, asked, per_shard=100, seed=0)
    return taking_away.export(run, name, out, form, asked, plan, seed=0)


def test_an_export_has_cards_numbers_and_whom_to_name(run: Place) -> None:
    told = taken(run, "pairs", "jsonl", Wanted(modality=("MRI",)))
    out = Path((run / "out-jsonl").path)
    assert {path.name for path in out.iterdir()} == {
        "ATTRIBUTION.csv", "README.md", "croissant.json", "statistics.json", "export.json", "images",
        "train.jsonl", "test.jsonl",
    }  # fmt: skip
    with (out / "ATTRIBUTION.csv").open(newline="") as file:
        named = list(csv.DictReader(file))
    assert len(named) == told["rows"]["train"] + told["rows"]["test"] == 5  # type: ignore[index]
    assert all(row["licence"] == "CC BY" and row["pair_id"].endswith("#1") for row in named)


@pytest.mark.parametrize("form", ["coco", "label-studio"])
def test_figures_leave_whole(run: Place, form: str) -> None:
    assert taken(run, "pairs", form, Wanted())["figures"] == 6


def test_radiographs_leave_without_attribution_of_articles(with_films: Place) -> None:
    told = taken(with_films, "radiographs", "parquet", Wanted(reproduced=True))
    assert told["rows"] == {"train": 2}
    assert told["lines"][0].endswith(" in 1 shard")  # type: ignore[index]
    assert not (with_films / "out-parquet" / "ATTRIBUTION.csv").exists()


def test_what_cannot_be_is_refused_before_anything_is_written(run: Place) -> None:
    with pytest.raises(SettingError, match="--to zip: there are webdataset"):
        taken(run, "pairs", "zip", Wanted())
    with pytest.raises(SettingError, match="takes no filter"):
        taken(run, "pairs", "coco", Wanted(kind=("graphic",)))
    with pytest.raises(UserError, match="no table radiographs; `figray dataset` makes it"):
        taken(run, "radiographs", "csv", Wanted())
    taken(run, "pairs", "csv", Wanted())
    with pytest.raises(UserError, match="is not empty"):
        taken(run, "pairs", "csv", Wanted())
    (run / "out-jsonl").write_bytes(b"")
    with pytest.raises(UserError, match="is a file; name a folder"):
        taken(run, "pairs", "jsonl", Wanted())


def test_verdicts_that_say_nothing_are_counted(tmp_path: Path) -> None:
    first, second, *_ = make_pairs(a_figure("PMC1.1"), rule="joint", split="train")
    tables = {"split=train": to_table([replace(first, matched_by="reviewed"), second], Pair)}
    gone = Reject(item_id="gone", article_id="PMC1.1", stage="pairs", code="reviewed", message="wrong")
    Table(Place.at(tmp_path) / "pairs", Pair).commit(0, tables=tables, rejects=[gone], inputs="", counts={})
    heard = {first.pair_id: Verdict(right=True, mark="x"), "gone": Verdict(right=False, mark="x")}
    changed = {second.pair_id: Verdict(right=True, mark="x"), "never there": Verdict(right=False, mark="x")}
    assert taking_away.unheard(Place.at(tmp_path), heard) == 0
    assert taking_away.unheard(Place.at(tmp_path), heard | changed) == 2


def test_corrections_of_figures_that_are_not_there_are_refused(run: Place) -> None:
    taking_away.known_figures(run.uri, ["PMC1.1/fig.1"])
    with pytest.raises(UserError, match="has no figure PMC9"):
        taking_away.known_figures(run.uri, ["PMC1.1/fig.1", "PMC9.1/x"])
