"""Published splits: images stand where the list has them, and a list that cannot be followed is refused."""

from pathlib import Path

import pytest

from core.records import Split
from trainers.datasets.split_lists import by_list, read_split_list
from trainers.datasets.work import DatasetError, Work


def work(image: str, patient: str, split: Split = "train") -> Work:
    return Work(image=f"{image}.png", image_id=image, patient_id=patient, study_id=image, dataset="RSNA", split=split)


def written(folder: Path, *lines: str) -> Path:
    file = folder / "splits.csv"
    file.write_text("\n".join(["Image ID,split", *lines]))
    return file


def test_images_stand_where_the_list_has_them_and_others_are_left_out(tmp_path: Path) -> None:
    file = written(tmp_path, "a.dcm,Training", "b,valid", "c,test", "elsewhere,test")
    listed = read_split_list(file)
    assert listed == {"a": "train", "b": "val", "c": "test", "elsewhere": "test"}
    kept = by_list([work("a", "1", "test"), work("b", "2"), work("c", "3"), work("d", "4")], listed, file)
    assert [(each.image_id, each.split) for each in kept] == [("a", "train"), ("b", "val"), ("c", "test")]


@pytest.mark.parametrize(("lines", "said"), [
    (["a,left"], "in split 'left'; train, val or test"),
    (["a,train", "a,test"], "image a is in train and in test"),
])  # fmt: skip
def test_a_list_that_does_not_fit_is_refused_by_the_image(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        read_split_list(written(tmp_path, *lines))


def test_a_list_of_another_set_or_with_a_patient_on_two_sides_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, "a,train", "b,test")
    with pytest.raises(DatasetError, match="names no image of this set, such as z"):
        by_list([work("z", "1")], read_split_list(file), file)
    with pytest.raises(DatasetError, match="patient 1 is in train and in test"):
        by_list([work("a", "1"), work("b", "1")], read_split_list(file), file)
