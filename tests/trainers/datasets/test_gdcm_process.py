"""GDCM at work in a process of its own, which may end."""

import io
import os

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames

from trainers.datasets.gdcm_process import _process, decoded_apart


def of_wheel(name: str) -> pydicom.Dataset:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return pydicom.dcmread(path)


def saved(header: pydicom.Dataset) -> bytes:
    file = io.BytesIO()
    header.save_as(file)
    return file.getvalue()


def test_what_it_decodes_is_what_was_compressed() -> None:
    notes: list[str] = []
    found = decoded_apart(saved(of_wheel("MR_small_jpeg_ls_lossless.dcm")), notes)
    assert (found == of_wheel("MR_small.dcm").pixel_array).all()
    assert notes == []


def test_pixels_over_which_gdcm_ends_cost_themselves_alone() -> None:
    header = of_wheel("MR_small_jpeg_ls_lossless.dcm")
    whole = saved(header)
    decoded_apart(whole, [])
    before = _process(os.getpid()).pid
    header.Rows = 256  # more than the pixels have: GDCM's own check ends the process
    with pytest.raises(RuntimeError, match="GDCM gave up on these pixels, and ended"):
        decoded_apart(saved(header), [])
    assert decoded_apart(whole, []).shape == (64, 64)
    assert _process(os.getpid()).pid != before


def test_a_scan_that_is_damaged_in_its_midst_is_refused() -> None:
    """GDCM decodes it as far as it goes, and says so on standard error alone."""
    header = of_wheel("SC_rgb_jpeg_gdcm.dcm")
    frame = bytearray(next(generate_frames(header.PixelData, number_of_frames=1)))
    middle = len(frame) // 2
    frame[middle : middle + 4] = b"\xff\xd9\xff\xd9"
    header.PixelData = encapsulate([bytes(frame)])
    with pytest.raises(RuntimeError, match=r"damaged in the midst|could not decode"):
        decoded_apart(saved(header), [])


def test_what_is_no_dicom_is_told_as_an_error() -> None:
    with pytest.raises(RuntimeError):
        decoded_apart(b"nothing of the kind", [])
    assert np.asarray(decoded_apart(saved(of_wheel("MR_small_jpeg_ls_lossless.dcm")), [])).any()
