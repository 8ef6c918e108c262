"""DICOM files from strangers: the header, and the stored values of the first frame, or by name why they are not read.

PS3.10 7.1: a file has a preamble, b"DICM", and a group 0002 that names the transfer syntax; many have none of them.
"""

import io
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.encaps import get_frame
from pydicom.errors import BytesLengthException, InvalidDicomError
from pydicom.filereader import read_partial
from pydicom.pixels import pixel_array

from core.images import DAMAGE, MAX_PIXELS, MAX_SIDE, ImageError
from trainers.datasets.gdcm_process import decoded_apart

PREAMBLE = 128  # bytes
MARK = b"DICM"  # after them
# What a file without a preamble begins with: group 0002, or group 0008 in either order of bytes.
BARE = (b"\x02\x00", b"\x08\x00", b"\x00\x08")
PEEK = 4096  # bytes, more than a preamble and group 0002
ITEM = b"\xfe\xff\x00\xe0"  # what compressed pixels begin with
MAX_INFLATED = MAX_PIXELS * 8  # bytes; 64 bits a pixel are the most that DICOM stores
UNCOMPRESSED = (
    uid.ImplicitVRLittleEndian,
    uid.ExplicitVRLittleEndian,
    uid.DeflatedExplicitVRLittleEndian,
    uid.ExplicitVRBigEndian,
)
# Who decodes what, first choice first; GDCM in a process of its own.
DECODERS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys((uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit), ("pillow",)),
    **dict.fromkeys((uid.JPEG2000, uid.JPEG2000Lossless), ("pillow", "gdcm")),
    **dict.fromkeys((uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless), ("gdcm",)),
    uid.RLELossless: ("pydicom",),
}
JPEG_2000 = (uid.JPEG2000, uid.JPEG2000Lossless)
SIZ = b"\xff\x4f\xff\x51"  # begins a codestream of JPEG 2000 (ISO 15444-1, A.4 and A.5)
NO_SIZE = (0xC4, 0xC8, 0xCC)  # of the markers C0 to CF those that begin no frame (ISO 10918-1, table B.1)
JPEG_LS = 0xF7  # the marker that begins its frame (ISO 14495-1)
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
# What pydicom and the decoders raise on damaged files.
BROKEN = (AttributeError, RuntimeError, InvalidDicomError, BytesLengthException, *DAMAGE)


def is_dicom(data: bytes) -> bool:
    """Whether a file claims to be DICOM: no image format that figray reads begins in one of these ways."""
    return data[PREAMBLE : PREAMBLE + 4] == MARK or data[:2] in BARE


def read_header(data: bytes, notes: list[str]) -> pydicom.Dataset:
    """The data set of a file with pixels, its transfer syntax known; that it was not stated is added to the notes.

    Raises ImageError: not_image, broken_image, unsupported by the name of the transfer syntax, too_large where it
    would inflate without bound.
    """
    try:
        _check_deflated(data)
        _check_syntax(read_partial(io.BytesIO(data), stop_when=lambda *_: True, force=True).file_meta)
        header = pydicom.dcmread(io.BytesIO(data), force=True)
    except ImageError:
        raise
    except BROKEN as error:
        raise ImageError("broken_image", f"no DICOM that can be read: {_said(error)}") from error
    if not header and not header.file_meta:
        marked = data[PREAMBLE : PREAMBLE + 4] == MARK
        raise ImageError("broken_image" if marked else "not_image", "no DICOM: it has no element")
    if header.file_meta.get("TransferSyntaxUID") is None:
        header.file_meta.TransferSyntaxUID = _found_syntax(header)
        notes.append(f"no transfer syntax stated, read as {header.file_meta.TransferSyntaxUID.name}")
    return header


def read_elements(file: Path, *names: str) -> pydicom.Dataset:
    """Some elements of a file's header, by keyword, read without its pixels; raises ImageError, OSError."""
    with file.open("rb") as stream:
        start = stream.read(PEEK)
        if not is_dicom(start):
            raise ImageError("not_image", "no DICOM")
        stream.seek(0)
        try:
            if uid.DeflatedExplicitVRLittleEndian.encode() in start:
                _check_deflated(start + file.read_bytes()[PEEK:])
            return pydicom.dcmread(stream, force=True, stop_before_pixels=True, specific_tags=list(names))
        except ImageError:
            raise
        except BROKEN as error:
            raise ImageError("broken_image", f"no DICOM that can be read: {_said(error)}") from error


def first_frame(header: pydicom.Dataset, data: bytes, notes: list[str]) -> NDArray[Any]:
    """The stored values of the first frame: (H, W) grey or indices, (H, W, 3) RGB; unused bits are cleared.

    header, data: of one file, which GDCM reads for itself.
    Raises ImageError: no_pixels, unsupported, too_large, broken_image; of damaged pixels, one of BROKEN.
    """
    _check_pixels(header)
    syntax = uid.UID(header.file_meta.TransferSyntaxUID)
    if syntax == uid.JPEGExtended12Bit and int(header.get("BitsStored") or 0) != 8:
        raise ImageError("unsupported", f"{syntax.name} ({syntax}) is read of 8 bits alone, not {header.BitsStored}")
    frames = int(header.get("NumberOfFrames") or 1)
    if frames > 1:
        notes.append(f"frame 1 of {frames}")
    if syntax in UNCOMPRESSED:
        return _decoded(header, data, "", notes)
    _check_frame(get_frame(header.PixelData, 0, number_of_frames=max(1, frames)), header, syntax)
    *tried, last = DECODERS[syntax]
    for plugin in tried:
        try:
            return _decoded(header, data, plugin, notes)
        except BROKEN:
            notes.append(f"{plugin} could not decode it, {last} did")
    return _decoded(header, data, last, notes)


def _check_syntax(meta: pydicom.Dataset) -> None:
    """Refuse by its name what no decoder here is for: before the rest is read, which such files may have elsewhere."""
    syntax = uid.UID(meta.get("TransferSyntaxUID") or uid.ImplicitVRLittleEndian)
    if syntax not in DECODERS and syntax not in UNCOMPRESSED:
        name = syntax.name if syntax.name != syntax else "not in the standard"
        raise ImageError("unsupported", f"transfer syntax {name} ({syntax}) is not read")


def _check_deflated(data: bytes) -> None:
    """Refuse a deflated data set that would fill memory: pydicom inflates it whole."""
    start = PREAMBLE + 4 if data[PREAMBLE : PREAMBLE + 4] == MARK else 0
    meta = data[start : start + PEEK]
    if uid.DeflatedExplicitVRLittleEndian.encode() not in meta or meta[:4] != b"\x02\x00\x00\x00":
        return
    body = data[start + 12 + int.from_bytes(meta[8:12], "little") :]  # after (0002,0000), which is 12 bytes
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflater.decompress(body, MAX_INFLATED)
    if inflater.unconsumed_tail:
        raise ImageError("too_large", f"deflated, of more than {MAX_INFLATED} bytes")


def _found_syntax(header: pydicom.Dataset) -> uid.UID:
    """How a data set was encoded that does not say so; only what is not compressed can be known."""
    pixels = header.get("PixelData")
    if isinstance(pixels, bytes) and pixels.startswith(ITEM):
        raise ImageError("broken_image", "no transfer syntax is stated, and the pixels are compressed")
    implicit, little = header.original_encoding
    if implicit:
        return uid.ImplicitVRLittleEndian
    return uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian


def _check_pixels(header: pydicom.Dataset) -> None:
    """Refuse a data set without pixels, without a size, or of one over the limits."""
    if not any(name in header for name in PIXELS):
        kind = uid.UID(str(header.get("SOPClassUID") or header.file_meta.get("MediaStorageSOPClassUID") or ""))
        raise ImageError("no_pixels", f"DICOM without pixels: {kind.name or 'of no stated class'}")
    missing = [name for name in ("Rows", "Columns", "PhotometricInterpretation") if not header.get(name)]
    if missing:
        raise ImageError("broken_image", f"DICOM without {', '.join(missing)}")
    height, width = int(header.Rows), int(header.Columns)
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageError("too_large", f"{width} x {height} pixels; at most {MAX_PIXELS}, {MAX_SIDE} a side")


def _check_frame(frame: bytes, header: pydicom.Dataset, syntax: uid.UID) -> None:
    """Refuse compressed pixels without an image, or of another size than the header states."""
    if syntax == uid.RLELossless:
        return
    found = _size_2000(frame) if syntax in JPEG_2000 else _size_jpeg(frame)
    if found is None:
        raise ImageError("broken_image", f"{syntax.name}: no image in the compressed pixels")
    stated = (int(header.Rows), int(header.Columns), int(header.SamplesPerPixel))
    if found != stated:
        raise ImageError("broken_image", f"{syntax.name}: rows, columns, samples are {found}, the header has {stated}")


def _size_2000(frame: bytes) -> tuple[int, int, int] | None:
    """Height, width and components of a codestream of JPEG 2000, alone or in a file of its own format."""
    at = frame.find(SIZ)
    if at < 0 or len(frame) < at + 42:
        return None
    right, lower, left, upper = (int.from_bytes(frame[at + 8 + 4 * n : at + 12 + 4 * n], "big") for n in range(4))
    return lower - upper, right - left, int.from_bytes(frame[at + 40 : at + 42], "big")


def _size_jpeg(frame: bytes) -> tuple[int, int, int] | None:
    """Height, width and components of a JPEG or JPEG-LS that has a scan."""
    size = None
    for marker, segment in _segments(frame):
        if (0xC0 <= marker <= 0xCF and marker not in NO_SIZE) or marker == JPEG_LS:
            if len(segment) < 6:
                return None
            size = int.from_bytes(segment[1:3], "big"), int.from_bytes(segment[3:5], "big"), segment[5]
        if marker == 0xDA:  # the scan begins
            return size
    return None


def _segments(frame: bytes) -> Iterator[tuple[int, bytes]]:
    """The marker segments before the end of a JPEG's header: marker and content (ISO 10918-1, B.1.1)."""
    at = 2
    while at + 4 <= len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        length = int.from_bytes(frame[at + 2 : at + 4], "big")
        yield marker, frame[at + 4 : at + 2 + length]
        at += 2 + max(length, 2)


def _decoded(header: pydicom.Dataset, data: bytes, plugin: str, notes: list[str]) -> NDArray[Any]:
    """The first frame by one decoder; what pydicom warns of becomes a note."""
    if plugin == "gdcm":
        values = decoded_apart(data, notes)
    else:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            values = pixel_array(header, index=0, decoding_plugin=plugin)
        notes += [str(each.message)[:200] for each in caught if issubclass(each.category, UserWarning)]
    if values.shape[:2] != (int(header.Rows), int(header.Columns)):
        raise ImageError("broken_image", f"pixels of shape {values.shape}")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
