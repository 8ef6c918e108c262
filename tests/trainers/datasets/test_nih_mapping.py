"""RSNA's mapping to NIH: read whole or refused by the row, and what it says of patients."""

import json
from pathlib import Path
from typing import Any

import pytest

from core.records import Split
from trainers.datasets.nih_mapping import NAME, mapping_in, patient_of, read_mapping, seen_in_training
from trainers.datasets.work import DatasetError

ROWS: list[dict[str, Any]] = [
    {"subset_img_id": "a-1", "img_id": "00000001_000.png", "orig_labels": ["No Finding"]},
    {"subset_img_id": "a-2", "img_id": "00000001_003.png", "orig_labels": []},
    {"subset_img_id": "b-1", "img_id": "00012345_000.png"},
]


def written(file: Path, value: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


def test_each_image_has_the_name_that_nih_gave_it(tmp_path: Path) -> None:
    mapping = read_mapping(written(tmp_path / NAME, ROWS))
    assert mapping == {"a-1": "00000001_000.png", "a-2": "00000001_003.png", "b-1": "00012345_000.png"}
    assert [patient_of(image) for image in mapping.values()] == ["NIH 1", "NIH 1", "NIH 12345"]
    (tmp_path / NAME).write_text(json.dumps([*ROWS, ROWS[0]]), encoding="utf-8-sig")  # twice the same is once
    assert read_mapping(tmp_path / NAME) == mapping


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ([], "no list of images"),
        ({"a": 1}, "no list of images"),
        ([7], "row 0 has no subset_img_id"),
        ([ROWS[0], {"subset_img_id": "x"}], "row 1 has no subset_img_id, or no img_id"),
        ([{"subset_img_id": "x", "img_id": "1.png"}], "row 0"),
        ([{"subset_img_id": 7, "img_id": "00000001_000.png"}], "row 0"),
        ([ROWS[0], {**ROWS[0], "img_id": "00000002_000.png"}], "a-1 is both 00000001_000.png and 00000002_000.png"),
    ],
)
def test_what_is_no_mapping_is_refused_by_the_row(value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=said):
        read_mapping(written(tmp_path / NAME, value))


@pytest.mark.parametrize("data", [b"", b"[", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(data)
    with pytest.raises(DatasetError, match="cannot be read") as refused:
        read_mapping(tmp_path / NAME)
    assert "\n" not in str(refused.value)


def test_the_file_is_the_one_named_or_the_one_beside_the_data(tmp_path: Path) -> None:
    assert mapping_in(tmp_path, None) is None
    beside = written(tmp_path / "more" / NAME, ROWS)
    assert mapping_in(tmp_path, None) == beside
    other = written(tmp_path / "other.json", ROWS)
    assert mapping_in(tmp_path, other) == other
    with pytest.raises(DatasetError, match=f"there is no mapping .*none; it is {NAME}, from RSNA, https"):
        mapping_in(tmp_path, tmp_path / "none")


def test_test_images_of_patients_in_training_are_counted() -> None:
    splits: dict[str, Split] = {"a-1": "train", "a-2": "test", "b-1": "test", "b-2": "val", "c-1": "test"}
    patients = {"a-1": "A", "a-2": "A", "b-1": "B", "b-2": "B"}
    assert seen_in_training(splits, patients) == (1, 2)  # of c nobody knows
    assert seen_in_training({}, patients) == (0, 0)
