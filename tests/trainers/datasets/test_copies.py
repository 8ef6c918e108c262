"""Copies between splits: found by their bytes, and put on one side with all that their patients have."""

import random
from pathlib import Path

from core.records import Split
from trainers.datasets.copies import on_one_side
from trainers.datasets.work import Work


def work(root: Path, image: str, patient: str, split: Split, data: bytes | None) -> Work:
    if data is not None:
        (root / image).write_bytes(data)
    return Work(image=image, image_id=image, patient_id=patient, study_id=image, dataset="D", split=split)


def test_patients_who_share_a_file_go_to_the_more_held_out_side(tmp_path: Path) -> None:
    works = [
        work(tmp_path, "a1", "a", "train", b"one"),
        work(tmp_path, "a2", "a", "train", b"three"),
        work(tmp_path, "b1", "b", "val", b"one"),
        work(tmp_path, "b2", "b", "val", b"four4"),
        work(tmp_path, "c1", "c", "test", b"four4"),  # so a is with c, through b
        work(tmp_path, "d1", "d", "train", b"six"),  # of the size of one
    ]
    placed, told = on_one_side(works, tmp_path)
    assert [each.split for each in placed] == ["test"] * 5 + ["train"]
    assert [each.image_id for each in placed] == [each.image_id for each in works]
    assert told == [
        "D: 2 patients share an image file with one of another split: their 4 images went to test",
    ]


def test_copies_on_one_side_and_of_one_patient_move_nothing(tmp_path: Path) -> None:
    works = [
        work(tmp_path, "a1", "a", "train", b"one"),
        work(tmp_path, "a2", "a", "train", b"one"),
        work(tmp_path, "b1", "b", "train", b"one"),
        work(tmp_path, "c1", "c", "test", b"two"),
    ]
    assert on_one_side(works, tmp_path) == (works, [])
    assert on_one_side([], tmp_path) == ([], [])


def test_files_that_are_not_there_are_no_copies(tmp_path: Path) -> None:
    works = [work(tmp_path, "a", "a", "train", None), work(tmp_path, "b", "b", "test", None)]
    assert on_one_side(works, tmp_path) == (works, [])


def test_no_file_is_on_two_sides_whoever_shares_with_whom(tmp_path: Path) -> None:
    draw = random.Random(0)
    sides: tuple[Split, ...] = ("train", "val", "test")
    of_patient = {str(patient): draw.choice(sides) for patient in range(60)}
    works = [
        work(tmp_path, f"{patient}-{n}", patient, side, str(draw.randrange(100, 190)).encode())
        for patient, side in of_patient.items()
        for n in range(2)
    ]
    placed, _ = on_one_side(works, tmp_path)
    for key in (lambda each: each.patient_id, lambda each: (tmp_path / each.image).read_bytes()):
        found: dict[object, set[str]] = {}
        for each in placed:
            found.setdefault(key(each), set()).add(each.split)
        assert all(len(splits) == 1 for splits in found.values())
