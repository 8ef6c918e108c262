"""DICOM files as they are found: with and without preamble, in every transfer syntax, whole and damaged."""

import io
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from pydicom import uid
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate, generate_frames
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info

from core.images import ImageError
from trainers.datasets.dicom_file import DECODERS, UNCOMPRESSED, first_frame, is_dicom, read_elements, read_header
from trainers.datasets.pixels import open_radiograph

MakeDicom = Callable[..., bytes]
LIKE_IT = (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)  # pydicom sees what stands there, and reads it
SYNTAXES = [name for name, about in uid.UID_dictionary.items() if about[1] == "Transfer Syntax"]


def frame_of(data: bytes) -> tuple[NDArray[np.generic], list[str]]:
    notes: list[str] = []
    return first_frame(read_header(data, notes), data, notes), notes


def refused(data: bytes) -> ImageError:
    with pytest.raises(ImageError) as caught:
        open_radiograph(data)
    return caught.value


def saved(header: pydicom.Dataset) -> bytes:
    file = io.BytesIO()
    header.save_as(file)
    return file.getvalue()


def of_wheel(name: str) -> pydicom.Dataset:
    """A file that pydicom brings."""
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    return pydicom.dcmread(path)


def bare(data: bytes, *, implicit: bool, little: bool = True) -> bytes:
    """The data set of a file alone: no preamble, no mark, no group 0002."""
    header, file = pydicom.dcmread(io.BytesIO(data)), io.BytesIO()
    del header.file_meta
    pydicom.dcmwrite(file, header, implicit_vr=implicit, little_endian=little, force_encoding=True)
    return file.getvalue()


@pytest.mark.parametrize(
    ("implicit", "little", "name"),
    [(True, True, "Implicit VR Little"), (False, True, "Explicit VR Little"), (False, False, "Explicit VR Big")],
)
def test_a_file_without_preamble_and_syntax_is_read_and_says_so(
    dicom: MakeDicom, film: NDArray[np.uint8], implicit: bool, little: bool, name: str
) -> None:
    wide = film.astype(np.uint16) * 200
    header = pydicom.dcmread(io.BytesIO(dicom(wide)))
    header.PixelData = wide.astype("<u2" if little else ">u2").tobytes()
    data = bare(saved(header), implicit=implicit, little=little)
    assert is_dicom(data)
    found, notes = frame_of(data)
    assert (found == wide).all() and found.dtype == np.uint16
    assert notes == [f"no transfer syntax stated, read as {name} Endian"]


def test_a_file_that_begins_with_group_2_is_read(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    found, notes = frame_of(dicom(film)[132:])
    assert (found == film).all() and not notes


def test_images_of_other_formats_are_no_dicom() -> None:
    assert not any(is_dicom(start + b"\0" * 200) for start in (b"\xff\xd8", b"\x89PNG", b"II*\0", b"MM\0*", b"GIF89a"))
    assert refused(b"\x08\x00").code == "not_image"


def test_compressed_pixels_without_a_syntax_are_not_guessed_at(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    error = refused(bare(dicom(film, compressed=True), implicit=False))
    assert (error.code, "no transfer syntax is stated" in error.message) == ("broken_image", True)


@pytest.mark.parametrize("syntax", [*SYNTAXES, "1.2.840.113619.5.2"])
def test_every_transfer_syntax_is_read_or_refused_by_its_name(
    dicom: MakeDicom, film: NDArray[np.uint8], syntax: str
) -> None:
    whole = dicom(film)
    meta, file = pydicom.dcmread(io.BytesIO(whole)).file_meta, DicomBytesIO()
    meta.TransferSyntaxUID = uid.UID(syntax)
    file.is_little_endian, file.is_implicit_VR = True, False
    write_file_meta_info(file, meta, enforce_standard=True)
    body = whole[132 + 12 + int.from_bytes(whole[140:144], "little") :]
    data = whole[:132] + file.getvalue() + body
    known = uid.UID(syntax) in DECODERS or uid.UID(syntax) in UNCOMPRESSED
    if known:  # its decoder is asked: what stands here are plain pixels
        assert syntax in LIKE_IT or refused(data).code in ("broken_image", "no_pixels")
        return
    error = refused(data)
    assert error.code == "unsupported"
    assert syntax in error.message
    assert uid.UID(syntax).name in error.message or "not in the standard" in error.message


@pytest.mark.parametrize(
    "name",
    ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"],
)
def test_what_is_compressed_without_loss_is_what_was_compressed(name: str) -> None:
    plain = {"SC_rgb_jpeg_gdcm.dcm": "SC_rgb_small_odd.dcm"}.get(name, "MR_small.dcm")
    found, _ = frame_of(saved(of_wheel(name)))
    if plain == "MR_small.dcm":
        assert (found == of_wheel(plain).pixel_array).all()
    else:  # bands of full and half colours
        assert found.shape == (100, 100, 3)
        assert {tuple(colour) for colour in found[[5, 15, 25, 35, 45, 55, 65, 75, 85, 95], 50].tolist()} == {
            (255, 0, 0), (255, 128, 128), (0, 255, 0), (128, 255, 128), (0, 0, 255), (128, 128, 255), (0, 0, 0),
            (64, 64, 64), (192, 192, 192), (255, 255, 255),
        }  # fmt: skip


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm"])
@pytest.mark.parametrize("rows", [16, 4_000])
def test_compressed_pixels_of_another_size_are_refused(name: str, rows: int) -> None:
    header = of_wheel(name)
    header.Rows = rows
    error = refused(saved(header))
    assert error.code == "broken_image"
    assert f"the header has ({rows}, " in error.message


@pytest.mark.parametrize("name", ["SC_rgb_jpeg_gdcm.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_jp2klossless.dcm"])
def test_compressed_pixels_that_end_early_are_refused(name: str) -> None:
    header = of_wheel(name)
    whole = next(generate_frames(header.PixelData, number_of_frames=1))
    for end in (6, 30, len(whole) // 2):
        header.PixelData = encapsulate([whole[:end]])
        assert refused(saved(header)).code == "broken_image"


def test_the_header_of_a_lossless_jpeg_alone_is_no_image(shared: Path) -> None:
    error = refused((shared / "cases/dicom/images/jpeg-lossless.dcm").read_bytes())
    assert (error.code, "no image in the compressed pixels" in error.message) == ("broken_image", True)


def test_jpeg_extended_is_read_of_8_bits_alone(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    error = refused(saved(of_wheel("JPGExtended.dcm")))
    assert error.code == "unsupported" and "JPEG Extended (Process 2 and 4)" in error.message
    header = pydicom.dcmread(io.BytesIO(dicom(film, compressed=True)))
    header.file_meta.TransferSyntaxUID = uid.JPEGExtended12Bit
    found, _ = frame_of(saved(header))
    assert np.abs(found.astype(int) - film).mean() < 1


def test_of_several_frames_the_first_alone_is_decoded(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(film)))
    header.NumberOfFrames, header.PixelData = 2, film.tobytes() + (255 - film).tobytes()
    found, notes = frame_of(saved(header))
    assert (found == film).all() and notes == ["frame 1 of 2"]


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"Rows": 60_000, "Columns": 60_000}, "too_large", "60000 x 60000"),
        ({"Rows": 0}, "broken_image", "without Rows"),
        ({"PhotometricInterpretation": ""}, "broken_image", "without PhotometricInterpretation"),
        ({"PixelData": None, "SOPClassUID": uid.EncapsulatedPDFStorage}, "no_pixels", "Encapsulated PDF Storage"),
    ],
)
def test_what_cannot_be_shown_says_why(
    dicom: MakeDicom, film: NDArray[np.uint8], change: dict[str, object], code: str, said: str
) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(film)))
    for name, value in change.items():
        if value is None:
            del header[name]
        else:
            setattr(header, name, value)
    error = refused(saved(header))
    assert error.code == code and said in error.message


def test_a_deflated_file_is_read_and_one_without_bound_is_not(
    dicom: MakeDicom, film: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(film)))
    header.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    data = saved(header)
    assert (frame_of(data)[0] == film).all()
    monkeypatch.setattr("trainers.datasets.dicom_file.MAX_INFLATED", 1_000)
    assert refused(data).code == "too_large"


def test_a_deflated_file_that_is_damaged_is_refused(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    header = pydicom.dcmread(io.BytesIO(dicom(film)))
    header.file_meta.TransferSyntaxUID = uid.DeflatedExplicitVRLittleEndian
    data = saved(header)[:-60]
    with pytest.raises(zlib.error):
        pydicom.dcmread(io.BytesIO(data))
    assert refused(data).code == "broken_image"


def test_a_length_that_fits_no_number_is_a_reason_and_no_trace(dicom: MakeDicom, film: NDArray[np.uint8]) -> None:
    """Found by damaging files: pydicom's error for it is of none of Python's kinds."""
    data = bytearray(dicom(film))
    data[138:140] = (5).to_bytes(2, "little")  # of (0002,0000), whose numbers have four bytes
    assert refused(bytes(data)).code == "broken_image"


def test_elements_are_read_without_the_pixels(dicom: MakeDicom, film: NDArray[np.uint8], tmp_path: Path) -> None:
    file = tmp_path / "a.dcm"
    for data in (dicom(film, PatientID="p7"), bare(dicom(film, PatientID="p7"), implicit=True)):
        file.write_bytes(data)
        found = read_elements(file, "PatientID")
        assert found.PatientID == "p7" and "PixelData" not in found
    file.write_bytes(b"no DICOM at all")
    with pytest.raises(ImageError, match="no DICOM"):
        read_elements(file, "PatientID")
