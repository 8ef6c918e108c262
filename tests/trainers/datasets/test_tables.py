"""Radiographs to parts of two tables."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from core.images import encode_png
from core.places import Place
from core.records import Pair, Radiograph, Region, Reject, Sentence, Target, from_table
from trainers.datasets.tables import Terms, counts_of, make_part, pair_table, parts_for, radiograph_table, slices

TERMS = Terms(licence="CC0", attribution="drawn")


def read(work: int) -> list[Radiograph | Reject]:
    """Odd numbers have a report, every fifth cannot be used."""
    if work % 5 == 0:
        return [Reject(item_id=str(work), article_id="p", stage="dataset", code="fifth", message="a fifth")]
    radiograph = Radiograph(
        image_id=f"i{work}", patient_id=f"p{work // 2}", study_id=f"s{work}", dataset="D",
        split=("train", "val", "test")[work // 2 % 3], image=encode_png(Image.new("L", (9, 8))), width=9, height=8,
        view="PA", text="One. Two." if work % 2 else "", targets=[Target(name="Mass", present=work % 4 == 0)],
        regions=[Region(target="Mass", box=(0, 0, 2, 2))] if work % 4 == 0 else [], md5=f"m{work}", notes=[],
    )  # fmt: skip
    return [radiograph]


def cut(texts: Sequence[str]) -> list[list[Sentence]]:
    return [[Sentence(start=0, end=4), Sentence(start=5, end=len(text))] for text in texts]


def make(run: Place, parts: int) -> None:
    make = partial(make_part, run=run, read=read, shape=int, open_cut=lambda: cut, terms=TERMS)
    for each in slices(range(40), parts):
        make(vars(each))


def test_every_work_is_kept_or_left_out_and_reports_become_pairs(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    make(run, 3)
    table, pairs = radiograph_table(run), pair_table(run)
    assert table.rows == 32
    assert table.left_out == {"fifth": 8}
    assert len(table.rejects()) == 8
    (first, *_) = from_table(pairs.read("split=train"), Pair)
    number = int(first.pair_id[1:])
    assert (first.figure_id, first.article_id, first.md5) == (f"s{number}", f"p{number // 2}", f"m{number}")
    assert (first.box, first.matched_by, first.modality) == ((0, 0, 9, 8), "published", "X-ray")
    assert [first.text[each.start : each.end] for each in first.sentences] == ["One.", "Two."]
    assert pairs.rows == sum(work % 2 and work % 5 > 0 for work in range(40))


def test_no_patient_is_in_two_splits(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    make(run, 3)
    table = radiograph_table(run)
    train, val, test = (set(table.read(f"split={each}")["patient_id"].to_pylist()) for each in ("train", "val", "test"))
    assert not (train & val | train & test | val & test)


def test_the_parts_of_a_part_count_together(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    make(run, 4)
    told = counts_of(radiograph_table(run))
    assert sum(told[f"{split}/images"] for split in ("train", "val", "test")) == 32
    assert sum(told[f"{split}/present/Mass"] for split in ("train", "val", "test")) == 8
    assert sum(told[f"{split}/regions"] for split in ("train", "val", "test")) == 8


def test_a_part_made_again_is_the_same_file(tmp_path: Path) -> None:
    once, again = Place.at(tmp_path / "once"), Place.at(tmp_path / "again")
    for run in (once, again):
        make(run, 2)
    files = [[file.sha256 for part in radiograph_table(run).parts() for file in part.files] for run in (once, again)]
    assert files[0] == files[1]


def test_no_part_is_empty_or_too_large() -> None:
    assert parts_for(3, 16) == 3
    assert parts_for(1000, 16) == 16
    assert parts_for(377_110, 16) == 737
    dealt = [each.works for each in slices(range(5), 2)]
    assert dealt == ["[0,2,4]", "[1,3]"]
