"""The files of MIMIC-CXR-JPG and the reports of MIMIC-CXR in small; no word of them is real."""

import gzip
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.records import Radiograph, Reject, Target
from trainers.datasets import mimic_cxr
from trainers.datasets.work import DatasetError

SPLIT = """dicom_id,study_id,subject_id,split
a1,51,10000001,train
a2,51,10000001,train
b1,52,10000001,train
c1,61,11000002,validate
d1,71,12000003,test
"""
METADATA = """dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns
a1,10000001,51,"CHEST (PA AND LAT)",PA,64,48
a2,10000001,51,"CHEST (PA AND LAT)",LATERAL,64,48
b1,10000001,52,CHEST,AP,64,48
c1,11000002,61,CHEST,AP,64,48
d1,12000003,71,CHEST,,64,48
"""
CHEXPERT = """subject_id,study_id,Atelectasis,Cardiomegaly,No Finding
10000001,51,1.0,-1.0,
10000001,52,0.0,,
11000002,61,,,1.0
"""
REPORTS = {
    "p10/p10000001/s51": " FINDINGS: \n \n The left base is\n dark.\n \n IMPRESSION:  Atelectasis since ___.\n",
    "p10/p10000001/s52": " INDICATION:  Fever and cough.\n",
    "p11/p11000002/s61": " IMPRESSION:  No acute process.\n",
}
Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def published(root: Path, write: Write, jpeg: Callable[..., bytes], film: NDArray[np.uint8]) -> Path:
    for name, text in (("split", SPLIT), ("metadata", METADATA), ("chexpert", CHEXPERT)):
        write(f"mimic-cxr-2.0.0-{name}.csv.gz", gzip.compress(text.encode()))
    for image in ("p10/p10000001/s51/a1", "p10/p10000001/s52/b1", "p11/p11000002/s61/c1"):
        write(f"files/{image}.jpg", jpeg(film))
    return root


@pytest.fixture
def unzipped(published: Path, write: Write) -> Path:
    for name, text in REPORTS.items():
        write(f"files/{name}.txt", text)
    return published


def made(root: Path, *views: str) -> dict[str, Radiograph | Reject]:
    wanted = views or mimic_cxr.FRONTAL
    works = mimic_cxr.works(root)
    found = [each for work in works for each in mimic_cxr.read(work, root=root, side=512, views=wanted)]
    return {each.image_id if isinstance(each, Radiograph) else each.item_id: each for each in found}


def test_an_image_comes_with_its_study_its_report_and_its_labels(unzipped: Path) -> None:
    found = made(unzipped)["a1"]
    assert isinstance(found, Radiograph)
    assert found.text == "The left base is dark. Atelectasis since ___."
    assert (found.patient_id, found.study_id, found.split, found.view) == ("p10000001", "s51", "train", "PA")
    assert found.targets == [Target(name="Atelectasis", present=True)]  # -1 is unsure, a blank was not mentioned


def test_the_official_splits_are_kept(unzipped: Path) -> None:
    sides = {work.image_id: work.split for work in mimic_cxr.works(unzipped)}
    assert sides == {"a1": "train", "a2": "train", "b1": "train", "c1": "val", "d1": "test"}


def test_what_is_not_frontal_or_has_no_text_is_left_out_with_reasons(unzipped: Path) -> None:
    found = made(unzipped)
    codes = {name: each.code for name, each in found.items() if isinstance(each, Reject)}
    assert codes == {"a2": "view", "b1": "no_text", "d1": "view"}
    lateral = made(unzipped, "LATERAL")["a2"]
    assert isinstance(lateral, Reject)
    assert lateral.code == "missing_image"


def test_reports_are_read_from_the_zip_that_was_not_unpacked(published: Path, write: Write) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in REPORTS.items():
            if "s61" not in name:
                archive.writestr(f"files/{name}.txt", text)
    write("mimic-cxr-reports.zip", file.getvalue())
    found = made(published)
    assert isinstance(found["a1"], Radiograph)
    assert found["a1"].text == "The left base is dark. Atelectasis since ___."
    assert isinstance(found["c1"], Reject)
    assert found["c1"].code == "no_report"


def test_missing_files_are_named_with_where_they_come_from(published: Path, write: Write, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no reports: neither mimic-cxr-reports\.zip .*physionet\.org"):
        mimic_cxr.works(published)
    (published / "mimic-cxr-2.0.0-chexpert.csv.gz").unlink()
    with pytest.raises(DatasetError, match=r"no mimic-cxr-2\*-chexpert\.csv.* credentialed access"):
        mimic_cxr.works(published)
