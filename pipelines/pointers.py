"""Pairs without pixels and words: what to fetch, where to cut it, and checksums that say whether it is the same.

In: a pair with the caption it was made of. Out: a pointer, which may be given on where images and captions may not; and
from a pointer and its figure, fetched anew, the same pair, or the reason why it is no longer the same.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image
from pydantic import TypeAdapter, ValidationError

from core.copies.dedupe import pixels_md5
from core.images import encode_jpeg, encode_small
from core.records import Box, Figure, Kind, MatchedBy, Modality, Pair, Sentence, Split
from core.rejection import RejectionError

SHORTEST = 3  # characters that are looked for in a caption; fewer, such as a space between parts, are written
Piece = tuple[int, int] | str  # caption[start:end]; or characters that the caption does not have there


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """A pair as it may be given on: no pixels, and of the caption no words."""

    pair_id: str
    figure_id: str
    article_id: str  # with version
    split: Split
    media_url: str  # of the figure's file
    md5: str  # of that file
    box: Box  # of the panel in the figure as it is opened, pixels
    pixels_md5: str  # of the panel: its size and 8-bit RGB pixels, before any compression
    caption_sha256: str  # of spoken(), which `pieces` count in
    pieces: tuple[Piece, ...]  # joined they are the text
    text_sha256: str
    label: str | None
    matched_by: MatchedBy
    score: float
    reason: str
    licence: str
    attribution: str
    kind: Kind
    modality: Modality
    sentences: tuple[tuple[int, int], ...] = ()  # of the text
    duplicate_group: str | None = None


def spoken(caption: str, part_caption: str | None) -> str:
    """What a figure's texts are cut from: its caption; where the publisher separated it, a line with its own too."""
    return caption if part_caption is None else f"{caption}\n{part_caption}"


def pointer_of(pair: Mapping[str, Any], *, caption: str, pixels: str) -> Pointer:
    """The pointer of a pair's row, without its images. caption: spoken() of its figure; pixels: the panel's MD5."""
    kept = {name: pair[name] for name in _shared() if name in pair}
    return Pointer(
        **{**kept, "box": tuple(pair["box"])},
        pixels_md5=pixels,
        caption_sha256=sha256(caption),
        pieces=tuple(pieces_of(pair["text"], caption)),
        text_sha256=sha256(pair["text"]),
        sentences=tuple((each["start"], each["end"]) for each in pair.get("sentences") or ()),
    )


@lru_cache
def _shared() -> tuple[str, ...]:
    """Columns that a pointer takes over as they are."""
    there = {*Pair.__dataclass_fields__} & {*Pointer.__dataclass_fields__}
    return tuple(sorted(there - {"box", "sentences"}))


def pieces_of(text: str, caption: str) -> list[Piece]:
    """A text as stretches of its caption, the longest first from left to right; what is not there as characters."""
    found: list[Piece] = []
    at = 0
    while at < len(text):
        length = _longest(text, at, caption)
        if length >= SHORTEST or length == len(text):
            start = caption.index(text[at : at + length])
            found.append((start, start + length))
        else:
            length = 1
            before = found.pop() if found and isinstance(found[-1], str) else ""
            found.append(f"{before}{text[at]}")
        at += length
    return found


def _longest(text: str, at: int, caption: str) -> int:
    """How many characters of a text from a place on stand in the caption together."""
    low, high = 0, len(text) - at
    while low < high:
        middle = (low + high + 1) // 2
        if text[at : at + middle] in caption:
            low = middle
        else:
            high = middle - 1
    return low


def text_of(pointer: Pointer, caption: str) -> str:
    """The text that the pieces are."""
    return "".join(each if isinstance(each, str) else caption[each[0] : each[1]] for each in pointer.pieces)


def rebuilt(pointer: Pointer, figure: Figure, image: Image.Image, *, train_side: int | None) -> Pair:
    """The pair of a pointer from its figure and the figure's opened image; RejectionError where it is not the same.

    train_side: see tables.train_side.
    """
    caption = spoken(figure.caption, figure.part_caption)
    _same("file_changed", "the figure's file", pointer.md5, figure.md5)
    _same("caption_changed", "the caption", pointer.caption_sha256, sha256(caption))
    text = text_of(pointer, caption)
    _same("text_changed", "the text", pointer.text_sha256, sha256(text))
    panel = image.crop(pointer.box)
    _same("pixels_changed", "the panel's pixels", pointer.pixels_md5, pixels_md5(panel))
    kept = {name: getattr(pointer, name) for name in _shared()}
    return Pair(
        **{**kept, "attribution": figure.attribution, "media_url": figure.media_url},
        image=encode_jpeg(panel),
        small=encode_small(panel, train_side),
        width=panel.width,
        height=panel.height,
        box=pointer.box,
        text=text,
        sentences=[Sentence(start=start, end=end) for start, end in pointer.sentences],
        permission=figure.permission,
    )


def _same(code: str, what: str, told: str, found: str) -> None:
    if told != found:
        raise RejectionError(code, f"{what}: the checksum is {found}, and the pointer says {told}")


def sha256(text: str) -> str:
    """The checksum of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_pointer(line: str) -> Pointer:
    """A line of a file of pointers; raises ValueError, in one sentence."""
    try:
        told = json.loads(line)
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    try:
        pointer: Pointer = _adapter().validate_python(told)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise ValueError(f"it is no pointer ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error
    left, top, right, bottom = pointer.box
    if not (0 <= left < right and 0 <= top < bottom):
        raise ValueError(f"its box {list(pointer.box)} is empty, or begins outside the figure")
    return pointer


@lru_cache
def _adapter() -> TypeAdapter[Pointer]:
    return TypeAdapter(Pointer)
