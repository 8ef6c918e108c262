"""Image files from strangers: opened within limits, made 8-bit RGB, written again without their metadata."""

import io
import os
import struct
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache

import numpy as np
from PIL import ExifTags, Image, ImageOps

from core.apart import Apart, Handler, Json
from core.file_kinds import HEAD, not_read, unread_by_bytes
from core.records import Box
from core.rejection import RejectionError

FORMATS = ("JPEG", "PNG", "GIF", "TIFF", "WEBP", "BMP")
MAX_PIXELS = 64_000_000
MAX_SIDE = 20_000  # pixels
SCAN = b"\xff\xda"  # begins each scan of a JPEG; progressive ones have some ten, and previews theirs
MAX_SCANS = 100
OPENING = (60.0, 2.0)  # seconds and GiB that one image may take where it is opened to be looked at
WINDOW = (0.5, 99.5)  # percentiles that become black and white
SAMPLE = 4_000_000  # pixels at most that the percentiles are taken from
JPEG_QUALITY = 95
PHOTOMETRIC = 262  # TIFF's tag; 0: zero is white
TINY = float(np.finfo(np.float32).tiny)

# What Pillow's decoders raise on damaged files, found by mutating real ones.
DAMAGE = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    NotImplementedError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


class ImageError(RejectionError):
    """An unusable image; its code: not_image, too_large, too_many_scans, truncated, broken_image, ..."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageFacts:
    """What is known of an image file that opens."""

    format: str  # one of FORMATS
    width: int
    height: int
    n_frames: int
    notes: list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenedImage:
    """The first frame of an image file, and what was done to show it."""

    image: Image.Image  # RGB, 8 bits, upright, without metadata
    format: str  # one of FORMATS
    n_frames: int
    notes: list[str]


def facts_apart(data: bytes) -> ImageFacts:
    """What open_image finds, in a process of its own; raises RejectionError, too_slow and crashed among its codes."""
    return ImageFacts(**_opener(os.getpid()).ask({}, data)[0])


@lru_cache(maxsize=1)
def _opener(process: int) -> Apart:
    return Apart("core.images:serve", {}, seconds=OPENING[0], gib=OPENING[1])


def serve(settings: Json) -> Handler:
    """What answers in that process."""

    def answer(told: Json, data: bytes) -> tuple[Json, bytes]:
        opened = open_image(data)
        width, height = opened.image.size
        facts = ImageFacts(
            format=opened.format, width=width, height=height, n_frames=opened.n_frames, notes=opened.notes
        )
        return asdict(facts), b""

    return answer


def open_image(data: bytes) -> OpenedImage:
    """Open an image file of one of FORMATS; raises ImageError."""
    image = _identified(data)
    _check_size(*image.size)
    scans = data.count(SCAN) if image.format in ("JPEG", "MPO") else 0
    if scans > MAX_SCANS:
        raise ImageError("too_many_scans", f"{scans} scans in a JPEG; at most {MAX_SCANS}, for each takes its time")
    # Pillow calls a JPEG that brings a preview picture MPO.
    file_format = "JPEG" if image.format == "MPO" else str(image.format)
    try:
        n_frames = getattr(image, "n_frames", 1)
        image.seek(0)
        image.load()
        notes = [f"frame 1 of {n_frames}"] if n_frames > 1 else []
        negative = _is_negative(image)
        image = _rgb(_upright(image, notes), notes)
        if negative:
            notes.append("zero is white")
            image = ImageOps.invert(image)
    except DAMAGE as error:
        code = "truncated" if "truncated" in str(error) else "broken_image"
        raise ImageError(code, f"{type(error).__name__}: {error}") from error
    return OpenedImage(image=_bare(image), format=file_format, n_frames=n_frames, notes=notes)


def encode_png(image: Image.Image) -> bytes:
    """The image as PNG, pixels only."""
    file = io.BytesIO()
    _bare(image).save(file, "PNG")
    return file.getvalue()


def encode_jpeg(image: Image.Image) -> bytes:
    """The image as JPEG, pixels only."""
    file = io.BytesIO()
    _bare(image).save(file, "JPEG", quality=JPEG_QUALITY)
    return file.getvalue()


def encode_small(image: Image.Image, side: int | None) -> bytes | None:
    """The image as a JPEG whose longer side has `side` pixels; None where it is no larger, or no side is asked for."""
    if side is None or max(image.size) <= side:
        return None
    scale = side / max(image.size)
    width, height = (max(1, round(length * scale)) for length in image.size)
    return encode_jpeg(image.resize((width, height), Image.Resampling.BICUBIC))


def _identified(data: bytes) -> Image.Image:
    """The image with its header read and no pixel decoded."""
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError("too_large", str(error)) from error
    except DAMAGE as error:
        kind = unread_by_bytes(data[:HEAD])
        said = not_read(kind) if kind else f"none of {', '.join(FORMATS)}: {type(error).__name__}"
        raise ImageError("not_image", said) from error


def _check_size(width: int, height: int) -> None:
    # Pillow's own limit is a global of the process, and only warns up to twice its value.
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise ImageError("too_large", f"{width} x {height} pixels; at most {MAX_PIXELS}, {MAX_SIDE} a side")


def _is_negative(image: Image.Image) -> bool:
    """Whether a TIFF's zero is white and Pillow leaves it so: it turns 1 and 8 bits round, and nothing wider."""
    tags = getattr(image, "tag_v2", {})
    return tags.get(PHOTOMETRIC) == 0 and (image.mode == "F" or image.mode.startswith("I"))


def _upright(image: Image.Image, notes: list[str]) -> Image.Image:
    orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    if orientation in range(2, 9):
        notes.append(f"turned by EXIF orientation {orientation}")
        return ImageOps.exif_transpose(image)
    return image


def _rgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """The image in 8-bit RGB; what would be lost by Pillow's plain conversion is handled and noted."""
    if image.mode == "F" or image.mode.startswith("I"):
        depth = "float" if image.mode == "F" else "16-bit"
        notes.append(f"{depth}, windowed to percentiles {WINDOW[0]} and {WINDOW[1]}")
        return _windowed(image).convert("RGB")
    if image.format == "BMP" and image.mode == "RGBA" and not image.getchannel("A").getbbox():
        return image.convert("RGB")  # written by programs that leave the fourth byte 0
    if image.has_transparency_data:
        notes.append("transparency on white")
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    if image.mode == "CMYK":
        notes.append("CMYK")
    return image.convert("RGB")


def _windowed(image: Image.Image) -> Image.Image:
    """Wide values as 8-bit grey, from the lower percentile of WINDOW to the upper; what is not a number is black."""
    values = np.asarray(image, dtype=np.float32)  # (H, W)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return Image.new("L", image.size)
    low, high = (float(edge) for edge in np.percentile(finite[:: finite.size // SAMPLE + 1], WINDOW))
    with np.errstate(over="ignore", invalid="ignore"):
        scaled = np.nan_to_num((values - low) / max(high - low, TINY)).clip(0, 1)
    return Image.fromarray((scaled * 255).round().astype(np.uint8))


def _bare(image: Image.Image) -> Image.Image:
    """A copy without the file's metadata: comments, EXIF and profiles may name the patient."""
    bare = image.copy()
    bare.info = {}
    return bare


def boxes_within(boxes: Iterable[Sequence[int]], size: tuple[int, int]) -> list[Box]:
    """Boxes cut at the edges of an image (width, height); those that lie outside fall away."""
    cut = ([min(max(box[i], 0), size[i % 2]) for i in range(4)] for box in boxes)
    return [(x0, y0, x1, y1) for x0, y0, x1, y1 in cut if x1 > x0 and y1 > y0]
