"""What the readers of published sets share."""

import gzip
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from core.records import Target
from trainers.datasets.work import (
    DatasetError,
    Work,
    checked,
    id_of,
    needed,
    number,
    rows,
    split_of_patient,
    targets_of,
)

Write = Callable[[str, bytes | str], Path]


def work(image: str, patient: str, split: str = "train") -> Work:
    return Work(image=image, image_id=image, patient_id=patient, study_id=image, dataset="D", split=split)  # type: ignore[arg-type]


def test_names_and_values_are_stripped(write: Write) -> None:
    file = write("a.csv", "\ufeffImageId, EncodedPixels\r\n one , -1\r\n")
    assert list(rows(file, "ImageId", "EncodedPixels")) == [{"ImageId": "one", "EncodedPixels": "-1"}]


def test_a_row_that_is_cut_is_refused_by_its_line(write: Write) -> None:
    with pytest.raises(DatasetError, match=r"a\.csv, line 2: 1 cell, and the header has 2"):
        list(rows(write("a.csv", "a,b\n1\n"), "a"))
    with pytest.raises(DatasetError, match=r"a\.csv, line 2: 3 cells, and the header has 2"):
        list(rows(write("a.csv", "a,b\n1,2,3\n"), "a"))


def test_columns_are_found_however_they_are_spelt_and_optional_ones_too(write: Write) -> None:
    file = write("a.csv", "Patient ID,study id,x\n1,NA,nan\n")
    assert list(rows(file, "patient_id", optional=("study_id", "view"))) == [
        {"patient_id": "1", "study_id": "", "x": ""}
    ]


def test_an_id_is_text_and_one_that_was_rounded_is_refused() -> None:
    assert id_of("103.0", Path("a.csv")) == "103"
    with pytest.raises(DatasetError, match=r"a\.csv: '1\.2E\+12' is an id that a spreadsheet has rounded"):
        id_of("1.2E+12", Path("a.csv"))


def test_gzipped_tables_are_read(write: Write) -> None:
    file = write("a.csv.gz", gzip.compress(b"a,b\n1,2\n"))
    assert list(rows(file)) == [{"a": "1", "b": "2"}]
    assert list(rows(write("b.csv.gz", "a\n1\n"))) == [{"a": "1"}]  # as a browser has unpacked it


def test_what_is_not_as_published_is_said(write: Write) -> None:
    with pytest.raises(DatasetError, match=r"a\.csv has no column c; it has a, b"):
        list(rows(write("a.csv", "a,b\n"), "a", "c"))
    with pytest.raises(DatasetError, match=r"a\.csv\.gz cannot be read"):
        list(rows(write("a.csv.gz", gzip.compress(b"a\n1\n")[:-9])))
    with pytest.raises(DatasetError, match="'x' is no number"):
        number("x", Path("a.csv"))


def test_a_missing_file_is_named_with_where_it_comes_from(root: Path, write: Write) -> None:
    there = write("b-1.csv", "a\n")
    write("._a.csv", "a\n")
    assert needed(root, "*a.csv", "b*.csv", source="x") == there
    with pytest.raises(DatasetError, match=r"no a\.csv or c\*\.csv in .*; it comes from the moon"):
        needed(root, "a.csv", "c*.csv", source="the moon")


def test_patients_go_to_the_sides_by_the_shares_and_the_seed() -> None:
    sides = [split_of_patient(f"1.2.840.{n}", seed=0, val=0.1, test=0.2) for n in range(4000)]
    shares = {side: count / 4000 for side, count in Counter(sides).items()}
    assert shares == pytest.approx({"train": 0.7, "val": 0.1, "test": 0.2}, abs=0.02)
    assert sides != [split_of_patient(f"1.2.840.{n}", seed=1, val=0.1, test=0.2) for n in range(4000)]


def test_works_are_sorted_and_no_patient_is_on_two_sides() -> None:
    listed = checked([work("b", "p"), work("a", "p")], Path("t.csv"))
    assert [each.image_id for each in listed] == ["a", "b"]
    with pytest.raises(DatasetError, match=r"t\.csv: patient p is in train and in test"):
        checked([work("a", "p"), work("b", "p", "test")], Path("t.csv"))
    with pytest.raises(DatasetError, match="lists image a twice"):
        checked([work("a", "p"), work("a", "p")], Path("t.csv"))
    with pytest.raises(DatasetError, match="lists no image"):
        checked([], Path("t.csv"))


def test_what_nobody_judged_is_no_target() -> None:
    named = {"Mass": True, "Edema": None, "Hernia": False}
    assert targets_of(named) == [Target(name="Mass", present=True), Target(name="Hernia", present=False)]
