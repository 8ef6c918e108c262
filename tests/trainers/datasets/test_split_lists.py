"""Published splits: images stand where the lists have them, what is missing is counted, other lists are refused."""

from pathlib import Path

import pytest

from core.records import Split
from trainers.datasets.split_lists import by_lists, image_name, read_split_lists
from trainers.datasets.work import DatasetError, Work


def work(image: str, patient: str, split: Split = "train") -> Work:
    return Work(image=f"{image}.png", image_id=image, patient_id=patient, study_id=image, dataset="RSNA", split=split)


def written(folder: Path, *lines: str) -> str:
    file = folder / "splits.csv"
    file.write_text("\n".join(["Image ID,split", *lines]))
    return str(file)


def text(file: Path, *lines: str) -> Path:
    file.write_text("\n".join(lines) + "\n")
    return file


def test_images_stand_where_the_list_has_them_and_others_are_counted(tmp_path: Path) -> None:
    listed = read_split_lists([written(tmp_path, "a.dcm,Training", "b,valid", "c,test", "elsewhere,test")])
    assert listed == {"a": "train", "b": "val", "c": "test", "elsewhere": "test"}
    works = [work("a", "1", "test"), work("b", "2"), work("c", "3"), work("d", "4"), work("e", "5")]
    kept, told = by_lists(works, listed, "splits.csv")
    assert [(each.image_id, each.split) for each in kept] == [("a", "train"), ("b", "val"), ("c", "test")]
    assert told == [
        "2 of 5 images are not in splits.csv",
        "images that splits.csv has and this set has not: 0 of 1 train, 0 of 1 val, 1 of 2 test; such as elsewhere",
    ]
    assert by_lists(works[:3], {"a": "train", "b": "val", "c": "test"}, "l")[1] == ["0 of 3 images are not in l"]


def test_names_are_read_as_mrm_and_benchx_write_them() -> None:
    siim = "1.2.276.0.7230010.3.1.4.8323329.3474.1517875178.8467"  # no ending, though it looks so
    for written_, name in {
        "00003547_001.png 0 0 1 0": "00003547_001",
        "stage_2_train_images/f1d1ceac-9e6d.dcm 0 ": "f1d1ceac-9e6d",
        "518837e6-5dfa": "518837e6-5dfa",
        "my film 2.JPG": "my film 2",
        siim: siim,
        f"{siim}.dcm": siim,
        "": "",
    }.items():
        assert image_name(written_) == name


def test_a_list_of_each_side_is_read_from_a_folder_or_by_its_name(tmp_path: Path) -> None:
    text(tmp_path / "train_list.txt", "a.png 0 1", "b.png 1 0", "")
    few = text(tmp_path / "train_1.txt", "a.png 0 1")
    val, test = text(tmp_path / "val_list.txt", "c.png 0 0"), text(tmp_path / "test_list.txt", "d.png 0 0")
    assert read_split_lists([str(tmp_path)]) == {"a": "train", "b": "train", "c": "val", "d": "test"}
    named = [f"train={few}", f"val={val}", f"Test={test}"]
    assert read_split_lists(named) == {"a": "train", "c": "val", "d": "test"}
    text(tmp_path / "test.txt", "d")
    with pytest.raises(DatasetError, match=r"has test.txt and test_list.txt: name the list by itself, as test=FILE"):
        read_split_lists([str(tmp_path)])
    with pytest.raises(DatasetError, match=r"has no train.txt or train_list.txt"):
        (tmp_path / "train_list.txt").unlink()
        read_split_lists([str(tmp_path)])


@pytest.mark.parametrize(("lines", "said"), [
    (["a,left"], "in split 'left'; train, val or test"),
    (["a,train", "a,test", "b,val", "b,test"], "2 images are on two sides of the lists: image a is in train and in"),
])  # fmt: skip
def test_a_list_that_does_not_fit_is_refused_by_the_image(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        read_split_lists([written(tmp_path, *lines)])


def test_a_list_that_is_not_there_or_names_nothing_is_refused(tmp_path: Path) -> None:
    for named, said in {
        "nowhere.csv": "there is no list nowhere.csv",
        "test=nowhere.txt": "there is no list nowhere.txt",
        "left=nowhere.txt": "'left' is no split",
        f"test={text(tmp_path / 'empty.txt', '', ' ')}": "names no image",
    }.items():
        with pytest.raises(DatasetError, match=said):
            read_split_lists([named])
    (tmp_path / "picture.txt").write_bytes(b"\xff\xd8\xff\xe0")
    with pytest.raises(DatasetError, match="is no list of names"):
        read_split_lists([f"test={tmp_path / 'picture.txt'}"])


def test_lists_of_another_set_or_with_a_patient_on_two_sides_are_refused() -> None:
    listed: dict[str, Split] = {"a": "train", "b": "test"}
    with pytest.raises(DatasetError, match="names no image of this set, such as a, b; the set has z"):
        by_lists([work("z", "1")], listed, "splits.csv")
    with pytest.raises(DatasetError, match=r"none of the 1 test images of splits.csv is in this set: b; the set has a"):
        by_lists([work("a", "1"), work("z", "2")], listed, "splits.csv")
    with pytest.raises(DatasetError, match="patient 1 is in train and in test"):
        by_lists([work("a", "1"), work("b", "1")], listed, "splits.csv")
    with pytest.raises(DatasetError, match=r"cannot tell image a.png from a.jpg"):
        by_lists([work("a.png", "1"), work("a.jpg", "2")], listed, "splits.csv")


def test_ids_that_part_after_their_last_dot_stay_apart() -> None:
    listed: dict[str, Split] = {"1.2.8467": "train", "1.2.8468": "test"}
    kept, _ = by_lists([work("1.2.8467", "1"), work("1.2.8468", "2")], listed, "siim")
    assert [(each.image_id, each.split) for each in kept] == [("1.2.8467", "train"), ("1.2.8468", "test")]
