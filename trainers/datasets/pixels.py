"""Radiographs from strangers' files, DICOM, JPEG or PNG: 8-bit grey, bones bright, resized once."""

import os
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from core.apart import Apart, Handler, Json
from core.images import ImageError, open_image
from trainers.datasets.dicom_file import BROKEN, first_frame, is_dicom, read_header
from trainers.datasets.grey_levels import grey_levels

READING = (180.0, 6.0)  # seconds and GiB of one file; GDCM may take 120 s of them


@dataclass(frozen=True)
class Opened:
    """An image as published, made 8-bit grey."""

    image: Image.Image  # L
    view: str | None  # as the header states it
    notes: list[str]


def opened_apart(data: bytes) -> Opened:
    """What open_radiograph gives, in a process of its own; raises RejectionError, also too_slow and crashed."""
    told, levels = _opener(os.getpid()).ask({}, data)
    return Opened(Image.frombytes("L", (told["width"], told["height"]), levels), told["view"], told["notes"])


@lru_cache(maxsize=1)
def _opener(process: int) -> Apart:
    return Apart("trainers.datasets.pixels:serve", {}, seconds=READING[0], gib=READING[1])


def serve(settings: Json) -> Handler:
    """What answers in that process: facts, then grey values (H, W)."""

    def answer(told: Json, data: bytes) -> tuple[Json, bytes]:
        opened = open_radiograph(data)
        width, height = opened.image.size
        return {"width": width, "height": height, "view": opened.view, "notes": opened.notes}, opened.image.tobytes()

    return answer


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
