"""What lies beside an export."""

import json

import pytest
import yaml

from app import taking_away
from app.exports.cards import card, croissant
from core.places import Place
from core.wanted import Wanted

TOLD = {"title": "x: pairs", "figray": "0.1", "run": "x", "day": "2026-11-29"}
NUMBERS = {
    "rows": {"train": 900, "val": 200},
    "left_out": {"permission": 3},
    "by": {"licence": {"CC BY": 1000, "CC0": 100}, "modality": {f"m{k}": 1 for k in range(20)}},
}


def test_the_front_matter_is_what_the_hub_reads() -> None:
    front = yaml.safe_load(card(TOLD, NUMBERS, "parquet").split("---")[1])
    assert front["license"] == ["cc-by-4.0", "cc0-1.0"]
    assert front["size_categories"] == ["1K<n<10K"]
    assert front["configs"][0]["data_files"][1] == {"split": "validation", "path": "data/val-*.parquet"}


def test_values_of_a_given_table_are_no_markup() -> None:
    text = card(TOLD, {**NUMBERS, "by": {"licence": {"<script>|": 1}}}, "csv")
    assert "| licence | &lt;script&gt;&#124; 1 |" in text


def test_the_card_says_what_was_left_out_and_what_it_is_not_for() -> None:
    text = card(TOLD, NUMBERS, "llava")
    assert "3 by permission." in text
    assert "and 8 others" in text
    assert "Not for patients" in text
    assert "configs" not in text


def test_croissant_names_files_and_fields_of_each_split() -> None:
    told = croissant(TOLD, NUMBERS, form="webdataset", columns=["image", "text"])
    ids = {each["@id"] for each in told["distribution"]}
    assert ids == {"folder", "files-train", "files-val"}
    assert all(field["source"]["fileSet"]["@id"] in ids for records in told["recordSet"] for field in records["field"])


@pytest.mark.parametrize("form", ["jsonl", "parquet", "csv", "imagefolder", "blip", "llava", "pointers", "webdataset"])
def test_croissant_is_read_by_its_library(run: Place, form: str) -> None:
    """The card without an error, and its rows as the files have them; of tars its library reads no rows."""
    import mlcroissant

    out = run / form
    plan = taking_away.plan(run, "pairs", out, form, Wanted(), per_shard=100, seed=0)
    taking_away.export(run, "pairs", out, form, Wanted(), plan, seed=0)
    data = mlcroissant.Dataset(jsonld=f"{out.path}/croissant.json")
    assert not data.metadata.ctx.issues.errors
    if form == "webdataset":
        return
    rows = list(data.records("rows-train"))
    column = {"blip": "caption", "pointers": "pair_id"}.get(form, "text")
    assert len(rows) == 8 and all(row[f"rows-train/{column}"] for row in rows)
    if form == "jsonl":
        lines = [json.loads(line) for line in (out / "train.jsonl").read_bytes().decode().splitlines()]
        assert [row["rows-train/text"].decode() for row in rows] == [line["text"] for line in lines]
        assert [row["rows-train/image"].decode() for row in rows] == [line["image"] for line in lines]
    if form == "parquet":
        assert {row["rows-train/image"].size for row in rows} == {(48, 40)}
