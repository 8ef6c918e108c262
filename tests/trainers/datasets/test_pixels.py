"""Files of radiographs as 8-bit grey."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.apart import Apart, Json
from core.images import ImageError
from core.records import Reject
from core.rejection import RejectionError
from trainers.datasets import pixels
from trainers.datasets.pixels import open_radiograph, opened_apart, shrunk
from trainers.datasets.reading import read
from trainers.datasets.work import Work

Film = NDArray[np.uint8]
MakeDicom = Callable[..., bytes]


def border(image: Image.Image) -> float:
    return float(np.asarray(image)[[0, -1]].mean())


def opened(data: bytes) -> Film:
    return np.asarray(open_radiograph(data).image)


def test_an_8_bit_dicom_is_shown_as_it_is(dicom: MakeDicom, film: Film) -> None:
    assert (opened(dicom(film)) == film).all()


def test_monochrome1_is_inverted_so_that_the_border_is_dark(dicom: MakeDicom, film: Film) -> None:
    shown = open_radiograph(dicom(255 - film, PhotometricInterpretation="MONOCHROME1"))
    assert (np.asarray(shown.image) == film).all()
    assert border(shown.image) == 0
    assert shown.notes == ["MONOCHROME1, inverted"]


def test_a_jpeg_inside_a_dicom_is_decoded(dicom: MakeDicom, film: Film) -> None:
    shown = open_radiograph(dicom(film, compressed=True, ViewPosition="AP"))
    assert np.abs(np.asarray(shown.image).astype(int) - film).mean() < 1
    assert shown.view == "AP"


def test_a_window_is_applied_after_rescaling(dicom: MakeDicom) -> None:
    stored = np.arange(0, 4096, 8, dtype=np.uint16).reshape(16, 32)
    shown = opened(
        dicom(
            stored,
            BitsStored=12,
            HighBit=11,
            RescaleSlope=2,
            RescaleIntercept=-1000,
            WindowCenter=2000,
            WindowWidth=1001,
        )
    )
    # PS3.3, C.11.2.1.2: black up to c - 0.5 - (w-1)/2, white above c - 0.5 + (w-1)/2
    values = stored * 2.0 - 1000
    expected = (((values - 1999.5) / 1000 + 0.5).clip(0, 1) * 255).round()
    assert np.abs(shown - expected).max() <= 1
    assert 0 < (shown == 0).mean() < 1


def test_of_several_windows_the_first_counts(dicom: MakeDicom) -> None:
    stored = np.arange(1024, dtype=np.uint16).reshape(32, 32)
    one = dicom(stored, WindowCenter=500, WindowWidth=200)
    assert (opened(dicom(stored, WindowCenter=[500, 90], WindowWidth=[200, 50])) == opened(one)).all()


@pytest.mark.parametrize(
    "header", [{}, {"WindowCenter": 30000, "WindowWidth": 10}, {"WindowCenter": 5, "WindowWidth": 0}]
)
def test_wide_values_without_a_window_that_shows_something_go_by_percentiles(
    dicom: MakeDicom, header: dict[str, Any]
) -> None:
    stored = np.random.default_rng(0).normal(900, 60, (64, 64)).round().astype(np.uint16)
    stored[0, 0] = 65_535  # one hot pixel must not blacken the rest
    shown = opened(dicom(stored, **header))
    assert 100 < shown.mean() < 155
    assert shown.std() > 40


def test_signed_values_keep_their_order(dicom: MakeDicom) -> None:
    stored = np.linspace(-800, 800, 1024).astype(np.int16).reshape(32, 32)
    shown = opened(dicom(stored))
    assert shown[0, 0] == 0
    assert shown[-1, -1] == 255
    assert (np.diff(shown.astype(int).ravel()) >= 0).all()


def test_a_16_bit_png_is_opened(film: Film) -> None:
    file = io.BytesIO()
    Image.fromarray(film.astype(np.uint16) * 100).save(file, "PNG")
    shown = opened(file.getvalue())
    assert shown[0, 0] == 0
    assert shown[32, 24] == 255


def test_what_is_no_image_has_a_reason(dicom: MakeDicom, film: Film) -> None:
    whole = dicom(film)
    for data, code in [
        (b"", "not_image"),
        (b"\0" * 128 + b"DICM", "broken_image"),
        (whole[:-2000], "broken_image"),
        (dicom(film, Rows=60_000, Columns=60_000), "too_large"),
    ]:
        with pytest.raises(ImageError) as caught:
            open_radiograph(data)
        assert caught.value.code == code


@pytest.mark.parametrize(("size", "to"), [((400, 300), (133, 100)), ((300, 400), (100, 133)), ((90, 200), (90, 200))])
def test_the_short_side_is_shrunk_and_never_enlarged(size: tuple[int, int], to: tuple[int, int]) -> None:
    assert shrunk(Image.new("L", size), 100).size == to


def test_a_file_is_opened_apart_as_it_is_here(dicom: MakeDicom, film: Film) -> None:
    data = dicom(film, ViewPosition="PA")
    here, there = open_radiograph(data), opened_apart(data)
    assert (here.view, here.notes) == (there.view, there.notes)
    assert (np.asarray(here.image) == np.asarray(there.image)).all()
    with pytest.raises(RejectionError) as told:
        opened_apart(b"no image")
    assert told.value.code == "not_image"


class Crashing(Apart):
    """A reader that ends in a segfault whatever it is asked."""

    def ask(self, told: Json, data: bytes = b"") -> tuple[Json, bytes]:
        return super().ask({"do": "crash"}, data)


def test_what_ends_its_reader_costs_its_row_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crashing = Crashing("tests.core.test_apart:serve", {"name": "x"}, seconds=1.0, gib=0.5)
    monkeypatch.setattr(pixels, "_opener", lambda process: crashing)
    Image.new("L", (40, 40)).save(tmp_path / "one.png")
    work = Work(
        image="one.png", image_id="one", patient_id="p", study_id="s", dataset="csv", split="train", text="Clear."
    )
    (row,) = read(work, root=tmp_path, side=32)
    assert isinstance(row, Reject)
    assert row.code == "crashed"
