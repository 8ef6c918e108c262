"""Copies among pairs that came with their texts."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from core.copies.signatures import Asked
from core.places import Place
from core.records import Pair, Split, from_table
from core.runs import Table
from core.settings import DedupeSettings
from core.split import by_split
from pipelines.copies.given import settle

ASKED = Asked(min_similarity=0.98)


def picture(seed: int, side: int = 96) -> bytes:
    """A drawn picture; of another side the same one resized."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC).resize((side, side)).save(file, "PNG")
    return file.getvalue()


def pair(name: str, owner: str, split: Split, image: bytes) -> Pair:
    return Pair(
        pair_id=name, figure_id=name, article_id=owner, split=split, image=image, width=96, height=96,
        box=(0, 0, 96, 96), label=None, text="CT.", matched_by="given", score=1.0, reason="", licence="CC0",
        attribution="", media_url="", md5=name,
    )  # fmt: skip


def a_table(folder: Path) -> Table:
    """Two parts: a picture of a patient of test that one of train has too, who has another of their own."""
    table = Table(Place.at(folder) / "pairs", Pair)
    first = [pair("a", "p1", "train", picture(1)), pair("b", "p1", "train", picture(2))]
    second = [pair("c", "p2", "test", picture(1, 80)), pair("d", "p3", "val", picture(3))]
    second.append(pair("e", "p3", "val", picture(3, 90)))  # of one patient: their own affair
    for number, rows in enumerate((first, second)):
        table.commit(number, tables=by_split(rows, Pair), rejects=[], inputs="", counts={}, taken=len(rows))
    return table


def rows(table: Table) -> dict[str, tuple[str, str | None]]:
    every = [each for split in ("train", "val", "test") for each in from_table(table.read(f"split={split}"), Pair)]
    return {each.pair_id: (each.split, each.duplicate_group) for each in every}


def test_who_shares_a_picture_is_on_one_side_with_all_that_they_have(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    told = settle(table, ASKED, DedupeSettings())
    assert rows(table) == {
        "a": ("test", "a"), "b": ("test", None), "c": ("test", "a"), "d": ("val", None), "e": ("val", None),
    }  # fmt: skip
    assert told[0].startswith("copies: 2 images") and told[1].startswith("2 pairs went")
    assert [part.counts["pairs_test"] if part.counts else 0 for part in table.parts()] == [2, 1]


def test_what_stands_is_not_sought_again(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    settle(table, ASKED, DedupeSettings())
    digest = table.digest
    assert settle(table, ASKED, DedupeSettings()) == [] and table.digest == digest


def test_copies_are_left_out_where_the_first_alone_is_kept(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    settle(table, ASKED, DedupeSettings(keep="first"))
    assert set(rows(table)) == {"a", "b", "d", "e"}
    (reject,) = table.rejects().to_pylist()
    assert (reject["item_id"], reject["code"], reject["message"]) == ("c", "duplicate", "shows the same as a")
    assert sum(part.rows for part in table.parts()) + len(table.rejects()) == 5


def test_a_kind_that_is_not_wanted_is_left_out(tmp_path: Path) -> None:
    table = a_table(tmp_path)
    part = table.parts()[0]
    made = [replace(each, kind="graphic") for each in from_table(table.read_part(0), Pair)]
    table.commit(0, tables=by_split(made, Pair), rejects=[], inputs=part.inputs, counts={}, taken=2)
    settle(table, ASKED, DedupeSettings(kinds=("picture",)))
    assert {row["code"] for row in table.rejects().to_pylist()} == {"kind_graphic"} and len(rows(table)) == 3
