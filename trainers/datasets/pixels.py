"""Radiographs from strangers' files, DICOM, JPEG or PNG: 8-bit grey, bones bright, resized once."""

from dataclasses import dataclass

from PIL import Image

from core.images import ImageError, open_image
from trainers.datasets.dicom_file import BROKEN, first_frame, is_dicom, read_header
from trainers.datasets.grey_levels import grey_levels


@dataclass(frozen=True)
class Opened:
    """An image as published, made 8-bit grey."""

    image: Image.Image  # L
    view: str | None  # as the header states it
    notes: list[str]


def open_radiograph(data: bytes) -> Opened:
    """Open a file within limits; raises ImageError."""
    if is_dicom(data):
        return _open_dicom(data)
    opened = open_image(data)
    return Opened(opened.image.convert("L"), None, opened.notes)


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """The image with a short side of `side` pixels; as it is if that would enlarge it."""
    scale = side / min(image.size)
    if scale >= 1:
        return image
    width, height = (max(1, round(length * scale)) for length in image.size)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _open_dicom(data: bytes) -> Opened:
    """The first frame of a DICOM file."""
    notes: list[str] = []
    header = read_header(data, notes)
    try:
        grey = grey_levels(first_frame(header, data, notes), header, notes)
        view = str(header.get("ViewPosition") or "").strip().upper() or None
    except ImageError:
        raise
    except BROKEN as error:  # RuntimeError: no decoder, or one that gave up
        raise ImageError("broken_image", f"{type(error).__name__}: {error}"[:400]) from error
    return Opened(Image.fromarray(grey), view, notes)
