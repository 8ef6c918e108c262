"""One image of a published set with what is known of it: opened, resized once, its boxes and masks with it."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.file_names import found_below
from core.images import encode_jpeg, encode_png, encode_small
from core.records import Box, Radiograph, Region, Reject
from core.rejection import RejectionError
from trainers.datasets.pixels import Opened, opened_apart, shrunk
from trainers.datasets.work import Outline, Work

Size = tuple[int, int]  # width, height
Mask = NDArray[np.bool_]  # (H, W)


def read(
    work: Work, *, root: Path, side: int, views: Collection[str] = (), train_side: int | None = None
) -> list[Radiograph | Reject]:
    """The radiograph of a work, its short side at most `side` pixels; or why it is left out.

    views: those that are kept, as "PA"; none: all, also where no view is stated. train_side: see tables.train_side.
    """
    try:
        if work.view:  # others state it in the file
            _check_view(work.view, views)
        if not (work.targets or work.outlines or work.text):
            raise RejectionError("nothing_known", "neither a report nor a finding is known of this image")
        data = _bytes_of(found_below(root, work.image))
        opened = opened_apart(data)
        view = work.view or opened.view
        _check_view(view, views)
        image = shrunk(opened.image, side)
        regions = [_region(outline, root, opened.image.size, image.size) for outline in work.outlines]
    except RejectionError as error:
        return [rejected(work, error)]
    return [
        Radiograph(
            image_id=work.image_id,
            patient_id=work.patient_id,
            study_id=work.study_id,
            dataset=work.dataset,
            split=work.split,
            image=encode_jpeg(image),
            small=encode_small(image, train_side),
            width=image.width,
            height=image.height,
            view=view,
            text=work.text,
            targets=work.targets,
            regions=[region for region in regions if region is not None],
            md5=hashlib.md5(data, usedforsecurity=False).hexdigest(),
            notes=_notes(opened, image.size, work.outlines, regions),
        )
    ]


def rejected(work: Work, error: RejectionError) -> Reject:
    """A work that is left out."""
    return Reject(
        item_id=work.image_id, article_id=work.patient_id, stage="dataset", code=error.code, message=error.message
    )


def _check_view(view: str | None, views: Collection[str]) -> None:
    if views and view not in views:
        raise RejectionError("view", f"view {view or 'unknown'}; --views keeps {', '.join(views)}")


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: no name of a file at all
        raise RejectionError("missing_image", f"{file}: {getattr(error, 'strerror', error)}") from error


def _notes(opened: Opened, size: Size, outlines: Sequence[Outline], regions: Sequence[Region | None]) -> list[str]:
    """What was done to an image and to its outlines."""
    notes = list(opened.notes)
    if size != opened.image.size:
        notes.append(f"{opened.image.width} x {opened.image.height} made {size[0]} x {size[1]}")
    empty = [outline.target for outline, region in zip(outlines, regions, strict=True) if region is None]
    return notes + [f"no pixel of {target}" for target in empty]


def _region(outline: Outline, root: Path, before: Size, after: Size) -> Region | None:
    """An outline on the resized image; None if no pixel of it is there."""
    if outline.box is not None:
        box = scaled(outline.box, before, after)
        return Region(target=outline.target, box=box) if box else None
    if outline.mask is not None:
        published = _mask_of(found_below(root, outline.mask))
    else:
        published = Image.fromarray(np.where(decode_runs(outline.runs, before), np.uint8(255), np.uint8(0)))
    mask = resized(published, after)
    box = bounds(mask)
    return Region(target=outline.target, box=box, mask=encode_png(Image.fromarray(mask))) if box else None


def _mask_of(file: Path) -> Image.Image:
    """The image of a mask as 0 and 255: masks of 0 and 1 are common, and a JPEG's black is not all 0."""
    levels = np.asarray(opened_apart(_bytes_of(file)).image)
    return Image.fromarray(np.where(levels > levels.max() / 2, np.uint8(255), np.uint8(0)))


def scaled(box: tuple[float, float, float, float], before: Size, after: Size) -> Box | None:
    """A box (left, top, width, height) of an image of one size on the same image in another; None if outside it."""
    left, top, width, height = box
    across, down = after[0] / before[0], after[1] / before[1]
    edges = (left * across, top * down, (left + width) * across, (top + height) * down)
    limits = (after[0], after[1]) * 2
    found = tuple(min(max(round(edge), 0), limit) for edge, limit in zip(edges, limits, strict=True))
    return (found[0], found[1], found[2], found[3]) if found[0] < found[2] and found[1] < found[3] else None


def resized(mask: Image.Image, size: Size) -> Mask:
    """A mask, 0 and 255, in another size: what more than half of a pixel was."""
    return np.asarray(mask.resize(size, Image.Resampling.BOX)) > 127


def bounds(mask: Mask) -> Box | None:
    """The box of all that a mask covers; None where it covers nothing."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def decode_runs(runs: Sequence[str], size: Size) -> Mask:
    """Run lengths as a mask (H, W): pairs of how far after the last run one begins, and its length, down the columns.

    Several texts are of one image each from its start: their union. Raises RejectionError bad_runs.
    """
    width, height = size
    flat = np.zeros(width * height, dtype=bool)
    for text in runs:
        for start, end in _spans(text, flat.size):
            flat[start:end] = True
    return flat.reshape(width, height).T


def _spans(text: str, size: int) -> list[tuple[int, int]]:
    try:
        numbers = np.array(text.split(), dtype=np.int64)
    except ValueError as error:
        raise RejectionError("bad_runs", f"run lengths {text[:40]!r} are no whole numbers") from error
    if numbers.size % 2 or (numbers < 0).any() or numbers.sum() > size:
        raise RejectionError("bad_runs", f"run lengths {text[:40]!r} do not fit an image of {size} pixels")
    ends = numbers.cumsum()
    return list(zip(ends[0::2].tolist(), ends[1::2].tolist(), strict=True))
