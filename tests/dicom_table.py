"""Every file with pixels in the wheels of pydicom and pydicom-data: figray's grey levels beside pydicom's own chain.

    python -m tests.dicom_table

The chain is pydicom's decoder, apply_modality_lut and apply_voi_lut, of the first frame. What it gives is brought to 0
to 255 by the range of the table or window; where there is neither, by the bits of 8-bit values, and of others by the
percentiles 0.5 and 99.5 of what is no padding. MONOCHROME1 is turned over. Colours are weighed as ITU-R 601 says.
"""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom import uid
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, apply_windowing, pixel_array

from core.images import ImageError
from trainers.datasets.pixels import open_radiograph

WHEELS = ("pydicom", "data_store")  # data_store: pydicom-data's
NO_DATA = (".py", ".pyc", ".pyi", ".json", ".txt")
PIXELS = {"PixelData", "FloatPixelData", "DoubleFloatPixelData"}
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
FAR = 1e12  # beyond every window


@dataclass(frozen=True)
class Compared:
    """A file, and how far figray's grey levels are from the chain's."""

    name: str  # below the wheel
    syntax: str
    kind: str  # photometric interpretation
    refused: str  # why figray does not read it; "" where it does
    difference: float | None  # the largest, in levels of 255; None where the chain or figray gives nothing
    chain: str  # why the chain gives nothing; "" where it does
    note: str  # that the window shows nothing, so that figray goes by percentiles; "" elsewhere


def files() -> Iterator[Path]:
    """The files of both wheels that have pixels; those of pydicom alone where pydicom-data is not installed."""
    for wheel in WHEELS:
        spec = find_spec(wheel)
        for folder in (spec.submodule_search_locations or []) if spec else []:
            found = (path for path in sorted(Path(folder).rglob("*")) if path.is_file() and path.suffix not in NO_DATA)
            yield from (path for path in found if has_pixels(path))


def has_pixels(path: Path) -> bool:
    """Whether a file is a DICOM with pixels."""
    try:
        return any(name in pydicom.dcmread(path, force=True) for name in PIXELS)
    except Exception:  # noqa: BLE001  a file of another kind may raise anything
        return False


def compared(path: Path) -> Compared:
    """One file, by figray and by the chain."""
    header = pydicom.dcmread(path, force=True)
    stated = header.file_meta.get("TransferSyntaxUID")
    about = {
        "name": "/".join(path.parts[-2:] if "dicomdirtests" in path.parts else path.parts[-1:]),
        "syntax": uid.UID(stated).name if stated else "none stated",
        "kind": str(header.get("PhotometricInterpretation", "none")),
    }
    shown = expected = None
    refused = chain = note = ""
    try:
        opened = open_radiograph(path.read_bytes())
        shown = np.asarray(opened.image).astype(float)
        note = "; ".join(each for each in opened.notes if "shows nothing" in each)
    except ImageError as error:
        refused = f"{error.code}: {error.message}"
    try:
        expected = by_the_chain(header)
    except Exception as error:  # noqa: BLE001  what pydicom raises on a damaged file is told
        chain = f"{type(error).__name__}: {str(error).splitlines()[-1].strip()}"
    apart = float(np.abs(shown - expected).max()) if shown is not None and expected is not None else None
    return Compared(**about, refused=refused, chain=chain, difference=apart, note=note)


def by_the_chain(header: pydicom.Dataset) -> NDArray[np.float64]:
    """Grey levels (H, W), whole numbers from 0 to 255, by pydicom's own functions."""
    if "TransferSyntaxUID" not in header.file_meta:
        header.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        values = pixel_array(header, index=0)
        if header.PhotometricInterpretation not in ("MONOCHROME1", "MONOCHROME2"):
            return weighed(values, header)
        promote(header)
        modality = apply_modality_lut(values, header)
        shown = apply_voi_lut(modality, header).astype(float)
    low, high = ends(values, modality, header)
    level = ((shown - low) / (high - low)).clip(0, 1) * 255
    return np.round(255 - np.round(level) if header.PhotometricInterpretation == "MONOCHROME1" else level)


def promote(header: pydicom.Dataset) -> None:
    """The elements of the functional groups of all frames and of the first, where the chain looks for them."""
    for group in (header[name].value[0] for name in GROUPS if header.get(name)):
        for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
            if group.get(name):
                header.update(group[name].value[0])


def ends(values: NDArray[Any], modality: NDArray[Any], header: pydicom.Dataset) -> tuple[float, float]:
    """What the chain gives as black and as white."""
    if header.get("VOILUTSequence"):
        return 0.0, float(2 ** header.VOILUTSequence[0].LUTDescriptor[2] - 1)
    if "WindowWidth" in header:
        black, white = apply_windowing(np.array([-FAR, FAR]), header)
        return float(black), float(white)
    if header.BitsStored <= 8 and header.PixelRepresentation == 0:
        return 0.0, float(2**header.BitsStored - 1)
    padding = header.get("PixelPaddingValue")
    low, high = np.percentile(modality if padding is None else modality[values != padding], (0.5, 99.5))
    return float(low), float(high)


def weighed(values: NDArray[Any], header: pydicom.Dataset) -> NDArray[np.float64]:
    """Colours as grey."""
    if header.PhotometricInterpretation == "PALETTE COLOR":
        values = apply_color_lut(values, header)
        bits = values.dtype.itemsize * 8
    else:
        bits = header.BitsStored
    levels = np.round(values.astype(float) / (2**bits - 1) * 255)
    return np.asarray(np.round(levels @ np.array([0.299, 0.587, 0.114])))


def in_words(one: Compared) -> str:
    """How a file came out, as a phrase."""
    if one.refused:
        return f"refused, {one.refused}"
    if one.chain:
        return f"read; the chain: {one.chain}"
    if one.note:
        return f"read by percentiles, since the {one.note}"
    return f"read, at most {one.difference:.0f} of 255 apart"


def table(found: list[Compared]) -> Iterator[str]:
    """Files that came out alike in one row."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for one in found:
        rows.setdefault((one.syntax, one.kind, in_words(one)), []).append(one.name)
    yield "| transfer syntax | pixels | figray | files |"
    yield "|---|---|---|---|"
    for (syntax, kind, how), names in sorted(rows.items()):
        yield f"| {syntax} | {kind} | {how} | {len(names)}: {', '.join(names)} |"


if __name__ == "__main__":
    everything = [compared(path) for path in files()]
    read = [one for one in everything if not one.refused]
    print(f"{len(everything)} files with pixels, {len(read)} read, {len(everything) - len(read)} refused\n")  # noqa: T201
    print("\n".join(table(everything)))  # noqa: T201
