"""The files of NIH ChestX-ray14 in small."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.records import Radiograph
from trainers.datasets import nih
from trainers.datasets.reading import read
from trainers.datasets.work import DatasetError, Work

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient {},View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
ROWS = """00000001_000.png,Cardiomegaly|Effusion,0,1,58,M,PA,2682,2749,0.143,0.143,
00000001_001.png,No Finding,1,1,58,M,AP,2894,2729,0.143,0.143,
00000002_000.png,Infiltration,0,2,81,M,PA,2500,2048,0.171,0.171,
"""
BOXES = """Image Index,Finding Label,Bbox [x,y,w,h],,,
00000002_000.png,Infiltrate,12.0,8.0,24.0,24.0,,,
"""
Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def published(root: Path, write: Write, film: NDArray[np.uint8]) -> Path:
    write("Data_Entry_2017.csv", HEADER.format("Gender") + ROWS)
    write("BBox_List_2017.csv", BOXES)
    file = io.BytesIO()
    Image.fromarray(film).save(file, "PNG")
    for folder, image in (
        ("images_001", "00000001_000"),
        ("images_001", "00000001_001"),
        ("images_002", "00000002_000"),
    ):
        write(f"{folder}/images/{image}.png", file.getvalue())
    return root


def present(work: Work) -> list[str]:
    return [target.name for target in work.targets if target.present]


def test_folders_of_images_may_be_links_and_hidden_files_are_none(published: Path, tmp_path: Path) -> None:
    (published / "images_001").rename(tmp_path / "on another disk")
    (published / "images_001").symlink_to(tmp_path / "on another disk")
    (published / "images_002" / "images" / "._00000002_000.png").touch()
    first, *_ = nih.works(published, seed=0)
    assert first.image == "images_001/images/00000001_000.png"
    assert (published / first.image).is_file()


def test_labels_views_and_patients_are_read_past_the_broken_header(published: Path) -> None:
    first, second, third = nih.works(published, seed=0)
    assert [target.name for target in first.targets] == [*nih.TARGETS, "No Finding"]
    assert [present(work) for work in (first, second, third)] == [
        ["Cardiomegaly", "Effusion"], ["No Finding"], ["Infiltration"],
    ]  # fmt: skip
    assert [work.view for work in (first, second, third)] == ["PA", "AP", "PA"]
    assert [work.patient_id for work in (first, second, third)] == ["NIH 1", "NIH 1", "NIH 2"]
    assert third.image == "images_002/images/00000002_000.png"


def test_boxes_are_read_and_their_findings_named_as_the_labels_are(published: Path) -> None:
    (made,) = read(nih.works(published, seed=0)[2], root=published, side=24)
    assert isinstance(made, Radiograph)
    (region,) = made.regions
    assert (region.target, region.box) == ("Infiltration", (6, 4, 18, 16))


def test_the_table_of_2020_is_read_too(published: Path, write: Write) -> None:
    before = nih.works(published, seed=0)
    (published / "Data_Entry_2017.csv").unlink()
    write("Data_Entry_2017_v2020.csv", HEADER.format("Sex").replace(",\n", "\n") + ROWS.replace(",\n", "\n"))
    assert nih.works(published, seed=0) == before


def test_the_official_test_list_counts_and_patients_stay_whole(published: Path, write: Write) -> None:
    write("test_list.txt", "00000001_000.png\n00000001_001.png\n")
    write("train_val_list.txt", "00000002_000.png\n")
    sides = {work.image_id: work.split for seed in range(9) for work in nih.works(published, seed=seed)}
    assert sides["00000001_000.png"] == sides["00000001_001.png"] == "test"
    assert sides["00000002_000.png"] != "test"


def test_without_lists_the_images_of_a_patient_share_a_side(published: Path) -> None:
    for seed in range(9):
        first, second, _ = nih.works(published, seed=seed)
        assert first.split == second.split


def test_what_is_missing_or_unknown_is_named(published: Path, write: Write, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no Data_Entry_2017\*\.csv .*ChestXray-NIHCC"):
        nih.works(tmp_path / "empty", seed=0)
    write("Data_Entry_2017.csv", HEADER.format("Sex") + "00000001_000.png,Fracture,0,1,58,M,PA,1,1,1,1,\n")
    with pytest.raises(DatasetError, match=r"'Fracture' of 00000001_000.* is none of the 14"):
        nih.works(published, seed=0)
