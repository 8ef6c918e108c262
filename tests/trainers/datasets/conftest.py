"""Small files of the shapes in which the sets are published."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, generate_uid

Pixels = NDArray[np.generic]
MakeDicom = Callable[..., bytes]
Write = Callable[[str, bytes | str], Path]


@pytest.fixture
def dicom() -> MakeDicom:
    """See dicom_of()."""
    return dicom_of


@pytest.fixture
def jpeg() -> Callable[[Pixels], bytes]:
    """See jpeg_of()."""
    return jpeg_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a set."""
    return tmp_path / "set"


@pytest.fixture
def write(root: Path) -> Write:
    """Writes a file below the folder of the set."""

    def write(name: str, data: bytes | str) -> Path:
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data.encode() if isinstance(data, str) else data)
        return file

    return write


@pytest.fixture
def film() -> NDArray[np.uint8]:
    """A bright body on a black ground, 64 high and 48 wide."""
    pixels = np.zeros((64, 48), dtype=np.uint8)
    pixels[8:56, 12:36] = 200
    return pixels


def dicom_of(pixels: Pixels, *, compressed: bool = False, **header: object) -> bytes:
    """Grey pixels (H, W) of 8 or 16 bits as a DICOM file; header: elements by keyword."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = JPEGBaseline8Bit if compressed else ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = pydicom.uid.DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid()
    image = pydicom.Dataset()
    image.file_meta = meta
    bits = pixels.dtype.itemsize * 8
    image.Rows, image.Columns, image.SamplesPerPixel = *pixels.shape, 1
    image.BitsAllocated, image.BitsStored, image.HighBit = bits, bits, bits - 1
    image.PixelRepresentation = int(pixels.dtype.kind == "i")
    image.PhotometricInterpretation = "MONOCHROME2"
    image.PixelData = encapsulate([jpeg_of(pixels)]) if compressed else pixels.tobytes()
    for name, value in header.items():
        setattr(image, name, value)
    file = io.BytesIO()
    image.save_as(file, enforce_file_format=True)
    return file.getvalue()


def jpeg_of(pixels: Pixels) -> bytes:
    """Pixels as JPEG."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()
