"""The files of the RSNA challenge in small."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.records import Radiograph, Target
from trainers.datasets import reading, rsna
from trainers.datasets.work import DatasetError

LABELS = """patientId,x,y,width,height,Target
0004cfab,,,,,0
00436515,264.0,152.0,213.0,379.0,1
00436515,562.0,152.0,256.0,453.0,1
00704310,NaN,NaN,NaN,NaN,0
"""
CLASSES = """patientId,class
0004cfab,No Lung Opacity / Not Normal
00436515,Lung Opacity
00436515,Lung Opacity
00704310,Normal
"""


@pytest.fixture
def published(
    root: Path, write: Callable[[str, bytes | str], Path], dicom: Callable[..., bytes], film: NDArray[np.uint8]
) -> Path:
    write("stage_2_train_labels.csv", LABELS)
    write("stage_2_detailed_class_info.csv", CLASSES)
    large = np.kron(film, np.ones((16, 16), dtype=np.uint8))  # 1024 high
    for patient in ("0004cfab", "00436515", "00704310"):
        write(
            f"stage_2_train_images/{patient}.dcm", dicom(large, compressed=True, ViewPosition="AP", PatientID=patient)
        )
    return root


def test_the_boxes_of_a_patient_are_one_image(published: Path) -> None:
    none, pneumonia, normal = rsna.works(published, seed=0)
    assert [outline.box for outline in pneumonia.outlines] == [(264, 152, 213, 379), (562, 152, 256, 453)]
    assert pneumonia.targets == [Target(name="Pneumonia", present=True), Target(name="Normal", present=False)]
    assert none.targets == [Target(name="Pneumonia", present=False), Target(name="Normal", present=False)]
    assert normal.targets == [Target(name="Pneumonia", present=False), Target(name="Normal", present=True)]
    assert none.outlines == normal.outlines == []


def test_images_and_boxes_are_shrunk_together(published: Path) -> None:
    read = partial(reading.read, root=published, side=96)
    (made,) = read(rsna.works(published, seed=0)[1])
    assert isinstance(made, Radiograph)
    assert (made.width, made.height, made.view) == (96, 128, "AP")
    assert [region.box for region in made.regions] == [(33, 19, 60, 66), (70, 19, 96, 76)]
    assert {region.target for region in made.regions} == {"Pneumonia"}


def test_a_missing_file_is_named_with_the_competition(published: Path) -> None:
    (published / "stage_2_detailed_class_info.csv").unlink()
    with pytest.raises(DatasetError, match=r"stage_2_detailed_class_info\.csv .*rsna-pneumonia-detection-challenge"):
        rsna.works(published, seed=0)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,1,2,3,4,1\na,,,,,0\n", "Target of a is 0, 1"),
        ("a,1,2,3,,1\n", "a box without numbers"),
        ("a,x,2,3,4,1\n", "no number"),
    ],
)
def test_rows_that_contradict_are_named(
    published: Path, write: Callable[[str, bytes | str], Path], rows: str, said: str
) -> None:
    write("stage_2_train_labels.csv", f"patientId,x,y,width,height,Target\n{rows}")
    with pytest.raises(DatasetError, match=said):
        rsna.works(published, seed=0)


MAPPING = {"0004cfab": "00000001_000.png", "00436515": "00000001_003.png"}


def test_with_the_mapping_patients_are_those_of_nih_and_on_one_side(published: Path) -> None:
    for seed in range(20):
        one, same, other = rsna.works(published, seed=seed, mapping=MAPPING)
        assert (one.patient_id, same.patient_id, other.patient_id) == ("NIH 1", "NIH 1", "00704310")
        assert one.split == same.split
        assert {work.dataset for work in (one, same, other)} == {"RSNA"}
    assert {one.study_id, same.study_id} == {"0004cfab", "00436515"}


def test_without_the_mapping_the_set_says_that_patients_are_unknown(published: Path) -> None:
    works = rsna.works(published, seed=0)
    assert {work.dataset for work in works} == {"RSNA (patients unknown)"}
    assert len({work.patient_id for work in works}) == 3
    (told,) = rsna.told_of_patients(works, seed=0, mapping=None)
    assert "patients are unknown: patientId names an image" in told


def test_both_shares_are_told(published: Path) -> None:
    seen = []
    for seed in range(60):
        works = rsna.works(published, seed=seed, mapping=MAPPING)
        who, before, after = rsna.told_of_patients(works, seed=seed, mapping=MAPPING)
        assert who.startswith("2 of 3 images are of 1 patients of NIH ChestX-ray14; each of the other 1")
        assert before.startswith("split by patientId, as before: ") and after.startswith("split by NIH's patients")
        assert "(0 of" in after or ": none (" in after
        seen.append(before)
    assert any("100.0 % (1 of 1)" in each for each in seen)  # one in training, the other of the patient in test
