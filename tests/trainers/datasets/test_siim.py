"""The files of the SIIM-ACR challenge in small."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.records import Radiograph, Reject, Target
from trainers.datasets import siim
from trainers.datasets.reading import read
from trainers.datasets.work import DatasetError, Work

# Two areas of 1.2.3, one row each: 4 columns of 10 pixels from (10, 20), and 2 of 5 from (30, 40); 64 pixels high.
AREAS = ["660 10 54 10 54 10 54 10", "1960 5 59 5"]
TABLE = "ImageId, EncodedPixels\n{}\n"
ROWS = [f"1.2.3, {AREAS[0]}", "1.2.4, -1", f"1.2.3, {AREAS[1]}", "1.2.9, -1"]


@pytest.fixture
def published(
    root: Path, write: Callable[[str, bytes | str], Path], dicom: Callable[..., bytes], film: NDArray[np.uint8]
) -> Path:
    write("train-rle.csv", TABLE.format("\n".join(ROWS)))
    for image, patient in (("1.2.3", "p1"), ("1.2.4", "p1"), ("1.2.5", "")):
        write(f"dicom-images-train/9.{image}/8.{image}/{image}.dcm", dicom(film, PatientID=patient, ViewPosition="PA"))
    return root


def by_image(root: Path) -> dict[str, Work]:
    return {work.image_id: work for work in siim.works(root, seed=0)}


def test_the_rows_of_an_image_are_one_mask(published: Path) -> None:
    (made,) = read(by_image(published)["1.2.3"], root=published, side=512)
    assert isinstance(made, Radiograph)
    assert made.targets == [Target(name="Pneumothorax", present=True)]
    (region,) = made.regions
    assert region.box == (10, 20, 32, 45)
    assert region.mask is not None
    mask = np.asarray(Image.open(io.BytesIO(region.mask)))
    expected = np.zeros((64, 48), dtype=bool)
    expected[20:30, 10:14], expected[40:45, 30:32] = True, True
    assert (mask == expected).all()


def test_minus_one_is_an_image_without_pneumothorax(published: Path) -> None:
    (made,) = read(by_image(published)["1.2.4"], root=published, side=512)
    assert isinstance(made, Radiograph)
    assert made.targets == [Target(name="Pneumothorax", present=False)]
    assert made.regions == []


def test_the_patient_is_the_headers_or_the_image_itself(published: Path) -> None:
    works = by_image(published)
    assert [works[image].patient_id for image in ("1.2.3", "1.2.4", "1.2.5", "1.2.9")] == ["p1", "p1", "1.2.5", "1.2.9"]
    assert works["1.2.3"].split == works["1.2.4"].split
    assert works["1.2.3"].study_id == "9.1.2.3"


def test_a_header_without_preamble_names_its_patient_too(published: Path) -> None:
    """Else each image would be a patient, and one patient stand on two sides."""
    before = by_image(published)
    for file in published.rglob("*.dcm"):
        data = file.read_bytes()
        file.write_bytes(data[132:] if data[128:132] == b"DICM" else data)
    assert by_image(published) == before


def test_an_image_without_row_and_a_row_without_image_are_left_out_with_reasons(published: Path) -> None:
    works = by_image(published)
    codes = {}
    for image in ("1.2.5", "1.2.9"):
        (left_out,) = read(works[image], root=published, side=512)
        assert isinstance(left_out, Reject)
        codes[image] = left_out.code
    assert codes == {"1.2.5": "nothing_known", "1.2.9": "missing_image"}


def test_the_table_of_stage_2_is_the_same_without_the_blanks(
    published: Path, write: Callable[[str, bytes | str], Path]
) -> None:
    before = by_image(published)
    write("stage_2_train.csv", TABLE.format("\n".join(ROWS)).replace(", ", ","))
    assert by_image(published) == before


def test_a_missing_file_is_named_with_the_competition(tmp_path: Path) -> None:
    with pytest.raises(
        DatasetError, match=r"stage_2_train\.csv or train-rle.* in .*siim-acr-pneumothorax-segmentation"
    ):
        siim.works(tmp_path, seed=0)
