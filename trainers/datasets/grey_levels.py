"""The stored values of a DICOM as 8-bit grey, bones bright, by the steps of PS3.3 C.11: modality, then VOI.

C.11.1: a table or a line from stored to physical values. C.11.2: a table or a window from these to what is shown.
C.7.6.3.1.2: in MONOCHROME1 small values are bright. C.7.5.1.1.2: padding is no part of the picture.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image
from pydicom.multival import MultiValue
from pydicom.pixels import apply_color_lut
from pydicom.uid import ExplicitVRBigEndian

from core.images import WINDOW, ImageError

Grey = NDArray[np.uint8]  # (H, W)
Wide = NDArray[np.float64]  # (H, W)
Mask = NDArray[np.bool_]  # (H, W)
GREYS = ("MONOCHROME1", "MONOCHROME2")
# Others, of YBR alone RGB by the decoder; of the rest (HSV, CMYK, YBR_PARTIAL_420) pydicom makes no colours.
COLOURS = ("RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")  # C.11.2.1.2 and C.11.2.1.3
TINY = float(np.finfo(np.float64).tiny)
FLAT = 2.0  # levels of 255 between the percentiles of WINDOW; what leaves less shows nothing
WORD = 65_536


@dataclass(frozen=True)
class LookUp:
    """A table from one value to another: of PS3.3 C.11.1.1 or C.11.2.1.1."""

    entries: NDArray[np.int64]  # (N,)
    first: int  # the value that the first entry is for
    top: float  # the largest value that it gives as white


def grey_levels(values: NDArray[Any], header: pydicom.Dataset, notes: list[str]) -> Grey:
    """Stored values (H, W), or RGB (H, W, 3), as grey; what was done is added to the notes. Raises ImageError."""
    photometric = str(header.PhotometricInterpretation)
    notes += _left_undone(header)
    if photometric in GREYS and values.ndim == 2:
        return _of_greys(values, header, photometric, notes)
    if photometric in COLOURS:
        notes.append(f"{photometric}, made grey")
        return _of_colours(values, header, photometric)
    raise ImageError("unsupported", f"photometric interpretation {photometric} of shape {values.shape} is not read")


def _left_undone(header: pydicom.Dataset) -> Iterator[str]:
    """What a viewer would show and figray does not."""
    for group in range(0x6000, 0x6020, 2):
        if (group, 0x0010) in header:  # Overlay Rows
            yield f"overlay {group:04X} not drawn"
    if header.get("PixelPresentation") in ("COLOR", "MIXED"):
        yield "supplemental colours not shown"


def _of_colours(values: NDArray[Any], header: pydicom.Dataset, photometric: str) -> Grey:
    """Colours as grey; those of more than 8 bits by their full range. pydicom has made YBR into RGB already."""
    bits = int(header.BitsStored)
    if photometric == "PALETTE COLOR":
        values = apply_color_lut(values, header)
        bits = values.dtype.itemsize * 8
    if values.dtype != np.uint8 or bits != 8:
        values = _levels(values.astype(np.float64), 0.0, float(2**bits - 1))
    return np.asarray(Image.fromarray(values).convert("L"))


def _of_greys(values: NDArray[Any], header: pydicom.Dataset, photometric: str, notes: list[str]) -> Grey:
    stated = _stated(header)
    shown = ~_padding(values, header)
    if values.dtype.kind == "f":
        shown &= np.isfinite(values)
        values = np.where(np.isfinite(values), values, 0)
    if not shown.any():
        raise ImageError("broken_image", "no pixel is anything but padding")
    physical, ends = _modality_step(values, header, stated, notes)
    grey = _voi_step(physical, shown, stated, notes)
    if grey is None and ends is not None:
        grey = _levels(physical, *ends)
    if grey is None:
        notes.append(f"{header.get('BitsStored', 'float')}-bit, windowed to percentiles {WINDOW[0]} and {WINDOW[1]}")
        grey = _levels(physical, *(float(edge) for edge in np.percentile(physical[shown], WINDOW)))
    if photometric == "MONOCHROME1":
        notes.append("MONOCHROME1, inverted")
        grey = 255 - grey
    if not shown.all():
        notes.append(f"{int((~shown).sum())} pixels of padding, made black")
        grey = np.where(shown, grey, np.uint8(0))
    return grey


def _stated(header: pydicom.Dataset) -> pydicom.Dataset:
    """The elements of both steps; of an enhanced object those of the first frame, or of all (C.7.6.16.2.9 and .10)."""
    found = pydicom.Dataset()
    found.file_meta = header.file_meta
    groups = [header.get(name) for name in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")]
    for group in [each[0] for each in groups if each]:
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            found.update(group[name].value[0] if group.get(name) else {})
    names = ("ModalityLUTSequence", "RescaleSlope", "RescaleIntercept", "VOILUTSequence")
    for name in (*names, "WindowCenter", "WindowWidth", "VOILUTFunction"):
        if header.get(name) not in (None, ""):
            found[name] = header[name]
    return found


def _padding(values: NDArray[Any], header: pydicom.Dataset) -> Mask:
    """Where the values are padding: one value, or all from it to the limit (C.7.5.1.1.2)."""
    named = [header.get(f"{kind}PixelPadding{what}") for kind in _kinds(values) for what in ("Value", "RangeLimit")]
    edges = [_as_stored(each, values) for each in named if each not in (None, "")]
    if header.get(f"{_kinds(values)[0]}PixelPaddingValue") in (None, ""):  # a limit alone says nothing
        return np.zeros(values.shape, dtype=bool)
    return np.asarray((values >= min(edges)) & (values <= max(edges)))


def _kinds(values: NDArray[Any]) -> tuple[str]:
    """How the elements of padding are named for these pixels (C.7.6.24, C.7.6.25)."""
    return ({("f", 4): "Float", ("f", 8): "DoubleFloat"}.get((values.dtype.kind, values.dtype.itemsize), ""),)


def _as_stored(value: Any, values: NDArray[Any]) -> float:
    """A value of a header as pixels have it: many writers give a signed one as unsigned, and the reverse."""
    if values.dtype.kind == "f":
        return float(value)
    return int(np.array(int(value) % 2 ** (8 * values.dtype.itemsize)).astype(np.uint64).astype(values.dtype))


def _modality_step(
    values: NDArray[Any], header: pydicom.Dataset, stated: pydicom.Dataset, notes: list[str]
) -> tuple[Wide, tuple[float, float] | None]:
    """Physical values, and of at most 8 bits without a sign the least and most that they can be."""
    plain = values.dtype.kind == "u" and int(header.BitsStored) <= 8
    table = _table(stated, "ModalityLUTSequence", values, notes)
    if table is not None:
        looked_up = _look_up(values, table).astype(np.float64)
        return looked_up, (0.0, table.top) if table.top < 256 else None
    slope, intercept = _line(stated, notes)
    ends = sorted((intercept, slope * (2 ** int(header.BitsStored) - 1) + intercept)) if plain else None
    return values.astype(np.float64) * slope + intercept, (ends[0], ends[1]) if ends else None


def _line(stated: pydicom.Dataset, notes: list[str]) -> tuple[float, float]:
    """Slope and intercept; 1 and 0 where they are not both stated, or show nothing."""
    named = [_first(stated.get(name)) for name in ("RescaleSlope", "RescaleIntercept")]
    if None in named:
        if named != [None, None]:
            notes.append("a rescale slope or intercept without the other, not applied")
        return 1.0, 0.0
    slope, intercept = (float(each) for each in named)
    if not (isfinite(slope) and isfinite(intercept)) or slope == 0:
        notes.append(f"rescale slope {slope:g} and intercept {intercept:g}, not applied")
        return 1.0, 0.0
    return slope, intercept


def _voi_step(physical: Wide, shown: Mask, stated: pydicom.Dataset, notes: list[str]) -> Grey | None:
    """Grey levels by the header's first table, else by its first window; None where neither shows anything."""
    table = _table(stated, "VOILUTSequence", physical, notes)
    if table is not None:
        name, grey = "table of grey levels", _levels(_look_up(physical, table).astype(np.float64), 0.0, table.top)
    else:
        window = _window(stated, notes)
        if window is None:
            return None
        name, grey = f"{window[0]} window {window[1]:g}, {window[2]:g}", _windowed(physical, *window)
    low, high = np.percentile(grey[shown], WINDOW)
    if high - low < FLAT:
        notes.append(f"{name} shows nothing")
        return None
    notes.append(name)
    return grey


def _window(stated: pydicom.Dataset, notes: list[str]) -> tuple[str, float, float] | None:
    """Function, centre and width of the first window; None where there is none that can be used."""
    centre, width = (_first(stated.get(name)) for name in ("WindowCenter", "WindowWidth"))
    if centre is None or width is None:
        if centre != width:
            notes.append("a window centre or width without the other, not applied")
        return None
    function = str(stated.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function not in FUNCTIONS:
        raise ImageError("unsupported", f"VOI LUT function {function} is not read; {', '.join(FUNCTIONS)} are")
    centre, width = float(centre), float(width)
    # C.11.2.1.2.1: a linear window has a width of at least 1, the others one above 0.
    if not (isfinite(centre) and isfinite(width)) or (width < 1 and function == "LINEAR") or width <= 0:
        notes.append(f"{function} window {centre:g}, {width:g} is none that can be applied")
        return None
    return function, centre, width


def _windowed(values: Wide, function: str, centre: float, width: float) -> Grey:
    """Values by a window (C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        with np.errstate(over="ignore"):
            return _levels(1 / (1 + np.exp(-4 * (values - centre) / width)), 0.0, 1.0)
    # The standard's linear window is a half and a whole level narrower than its name says.
    middle, reach = (centre, width / 2) if function == "LINEAR_EXACT" else (centre - 0.5, (width - 1) / 2)
    return _levels(values, middle - reach, middle + reach)


def _table(stated: pydicom.Dataset, name: str, values: NDArray[Any], notes: list[str]) -> LookUp | None:
    """The first table of a sequence for these values; None where there is none. Raises ImageError broken_image."""
    item = stated[name].value[0] if stated.get(name) else None
    if item is None:
        return None
    if item.get("LUTDescriptor") is None or item.get("LUTData") is None:
        notes.append(f"{name} without its data, not applied")
        return None
    if not isinstance(item.LUTDescriptor, MultiValue | list) or len(item.LUTDescriptor) != 3:
        raise ImageError("broken_image", f"{name}: a descriptor of three numbers was expected")
    count, first, bits = (int(each) for each in item.LUTDescriptor)
    order = ">" if stated.file_meta.get("TransferSyntaxUID") == ExplicitVRBigEndian else "<"
    entries = _entries(item.LUTData, count % WORD or WORD, bits, order)
    # The element has no sign of its own where its type is ambiguous; it has that of the values (C.11.1.1, C.11.2.1.1).
    if first >= WORD // 2 and values.min() < 0:
        first -= WORD
    largest = int(entries.max())
    full = 2**bits - 1 if 1 <= bits <= 16 else 0
    if full // 2 < largest <= full:
        return LookUp(entries, first, float(full))
    notes.append(f"{name} of {bits} bits whose largest entry is {largest}: shown by its own range")
    return LookUp(entries, first, float(max(largest, 1)))


def _entries(data: Any, count: int, bits: int, order: str) -> NDArray[np.int64]:
    """The entries of a table: numbers; words; or, of at most 8 bits, two in a word (C.11.1.1.1). order: of bytes."""
    if isinstance(data, bytes):
        words = np.frombuffer(data[: len(data) // 2 * 2], dtype=f"{order}u2").astype("<u2")
    else:
        words = np.atleast_1d(np.asarray(data, dtype=np.int64) % WORD).astype("<u2")
    if len(words) < count and bits <= 8:
        words = words.view(np.uint8)
    if len(words) < count:
        raise ImageError("broken_image", f"a table has {len(words)} entries, {count} are stated")
    return words[:count].astype(np.int64)


def _look_up(values: NDArray[Any], table: LookUp) -> NDArray[np.int64]:
    """Values by a table; those beyond its ends get its first or last entry, those between two the lower's."""
    last = table.first + len(table.entries) - 1
    return table.entries[np.floor(values.clip(table.first, last)).astype(np.int64) - table.first]


def _first(value: Any) -> Any:
    """The first of several values; None where there is none."""
    one = (value[0] if value else None) if isinstance(value, MultiValue | list | tuple) else value
    return None if one in (None, "") else one


def _levels(values: Wide, low: float, high: float) -> Grey:
    """Values from low to high as 0 to 255."""
    with np.errstate(over="ignore"):
        scaled = (values.astype(np.float64) - low) / max(high - low, TINY)
    return np.asarray((scaled.clip(0, 1) * 255).round().astype(np.uint8))
