"""Radiographs from strangers' files, DICOM, JPEG or PNG: 8-bit grey, bones bright, resized once.

DICOM PS3.3: photometric interpretation C.7.6.3.1.2, rescaling C.11.1, windows C.11.2.
"""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.errors import InvalidDicomError
from pydicom.multival import MultiValue
from pydicom.pixels import apply_color_lut, apply_rescale, apply_voi

from core.images import DAMAGE, MAX_PIXELS, MAX_SIDE, WINDOW, ImageError, open_image

Grey = NDArray[np.uint8]  # (H, W)
MARK = b"DICM"  # after a preamble of 128 bytes
TINY = float(np.finfo(np.float32).tiny)
FLAT = 2.0  # levels of 255 between the percentiles of WINDOW; a window that leaves less shows nothing


@dataclass(frozen=True)
class Opened:
    """An image as published, made 8-bit grey."""

    image: Image.Image  # L
    view: str | None  # as the header states it
    notes: list[str]


def open_radiograph(data: bytes) -> Opened:
    """Open a file within limits; raises ImageError."""
    if data[128:132] == MARK:
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
    try:
        header = pydicom.dcmread(io.BytesIO(data))
        height, width = int(header.Rows), int(header.Columns)
        if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
            raise ImageError("too_large", f"{width} x {height} pixels; at most {MAX_PIXELS}, {MAX_SIDE} a side")
        notes: list[str] = []
        grey = _grey(header, notes)
        view = str(header.get("ViewPosition") or "").strip().upper() or None
    except InvalidDicomError as error:
        raise ImageError("not_image", f"no DICOM: {error}") from error
    except (AttributeError, RuntimeError, *DAMAGE) as error:  # RuntimeError: no decoder, or one that gave up
        raise ImageError("broken_image", f"{type(error).__name__}: {error}") from error
    return Opened(Image.fromarray(grey), view, notes)


def _grey(header: pydicom.Dataset, notes: list[str]) -> Grey:
    """The pixels of a DICOM, rescaled, windowed, and inverted where small values are bright."""
    values = header.pixel_array
    photometric = str(header.PhotometricInterpretation)
    if int(header.get("NumberOfFrames") or 1) > 1:
        notes.append(f"frame 1 of {header.NumberOfFrames}")
        values = values[0]
    if photometric not in ("MONOCHROME1", "MONOCHROME2"):
        notes.append(f"{photometric}, made grey")
        return _of_colours(values, header, photometric)
    grey = _windowed(values, header, notes)
    if photometric == "MONOCHROME1":
        notes.append("MONOCHROME1, inverted")
        grey = 255 - grey
    return grey


def _of_colours(values: NDArray[Any], header: pydicom.Dataset, photometric: str) -> Grey:
    """Colours as grey. pydicom has made YBR into RGB already."""
    if photometric == "PALETTE COLOR":
        values = apply_color_lut(values, header)
        values = (values >> 8 if values.dtype.itemsize > 1 else values).astype(np.uint8)
    return np.asarray(Image.fromarray(values).convert("L"))


def _windowed(values: NDArray[Any], header: pydicom.Dataset, notes: list[str]) -> Grey:
    """Grey levels: by the header's table or window, else, of more than 8 bits, from low to high percentile."""
    if "VOILUTSequence" in header:
        notes.append("table of grey levels")
        values = apply_voi(values, header)
        return _levels(values, 0.0, float(2 ** int(header.VOILUTSequence[0].LUTDescriptor[2]) - 1))
    rescaled = apply_rescale(values, header).astype(np.float32)
    window = _window(header)
    if window:
        shown = _levels(rescaled, *window)
        low, high = np.percentile(shown, WINDOW)
        if high - low >= FLAT:
            notes.append(f"window {window[0]:g} to {window[1]:g}")
            return shown
        notes.append(f"window {window[0]:g} to {window[1]:g} shows nothing")
    elif int(header.BitsStored) <= 8 and not header.get("PixelRepresentation"):
        return _levels(values, 0.0, float(2 ** int(header.BitsStored) - 1))
    notes.append(f"{header.BitsStored}-bit, windowed to percentiles {WINDOW[0]} and {WINDOW[1]}")
    low, high = np.percentile(rescaled, WINDOW)
    return _levels(rescaled, float(low), float(high))


def _window(header: pydicom.Dataset) -> tuple[float, float] | None:
    """The values that become black and white: of the first window that the header states (PS3.3, C.11.2.1.2)."""
    stated = [header.get("WindowCenter"), header.get("WindowWidth")]
    centre, width = (value[0] if isinstance(value, MultiValue) and value else value for value in stated)
    if centre in (None, "") or width in (None, "") or float(width) < 1:
        return None
    # The standard's linear window is a half and a whole level narrower than its name says.
    exact = header.get("VOILUTFunction") == "LINEAR_EXACT"
    middle, reach = (float(centre), float(width) / 2) if exact else (float(centre) - 0.5, (float(width) - 1) / 2)
    return middle - reach, middle + reach


def _levels(values: NDArray[Any], low: float, high: float) -> Grey:
    """Values from low to high as 0 to 255."""
    scaled = (values.astype(np.float32) - low) / max(high - low, TINY)
    return np.asarray((scaled.clip(0, 1) * 255).round().astype(np.uint8))
