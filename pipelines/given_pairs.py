"""Images that come with their texts, in a user's own table, to pairs; or to figures that are still to be separated.

In: a row of a table. Out: its pair or figure, or the reason why there is none. As a pair nothing of it is separated or
split: text and image belong together already.
"""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from core.images import ImageFacts, encode_jpeg, encode_small, facts_apart, open_image
from core.places import Place
from core.records import Figure, Pair
from core.rejection import RejectionError
from core.runs import digest
from core.split import split_of
from core.tables import of_a_user
from pipelines.captions.modality import modality_of
from pipelines.copies.picture_kind import picture_kind
from pipelines.given_rows import SPLITS, GivenPair
from pipelines.loose_files import MAX_BYTES, loose_bytes


def pair_of(work: GivenPair, *, root: Path, seed: int, val: float, test: float, train_side: int | None = None) -> Pair:
    """The pair of a row; raises RejectionError where it has no image that can be read. train_side: see tables."""
    data, _ = _opened(work, root)
    image = open_image(data).image
    group = work.group or work.id
    return Pair(
        pair_id=work.id, figure_id=work.id, article_id=group,
        split=SPLITS.get(work.split) or split_of(digest([group]), seed=seed, val=val, test=test),
        image=encode_jpeg(image), small=encode_small(image, train_side),
        width=image.width, height=image.height, box=(0, 0, image.width, image.height),
        label=None, text=work.text, matched_by="given", score=1.0, reason="given with the image",
        licence=work.licence or "unknown", attribution=work.attribution, media_url=work.image or work.container,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(), kind=picture_kind(image)[0],
        modality=modality_of(work.text, work.text),
    )  # fmt: skip


def figure_of(work: GivenPair, *, root: Path) -> Figure:
    """The row as a figure whose panels and letters are still to be found; raises RejectionError as pair_of()."""
    data, facts = _opened(work, root)
    group = (work.group or work.id).replace(".", "_")  # a dot begins the version of an article
    return Figure(
        figure_id=f"{group}/{work.id}", article_id=group, title="", article_type="", doi=None, year=None,
        licence=work.licence or "unknown", attribution=work.attribution, media_url=work.image or work.container,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(), image=data, image_format=facts.format,
        width=facts.width, height=facts.height, n_frames=facts.n_frames, label=None, caption=work.text, emphasis=[],
        mentions=[], notes=facts.notes,
    )  # fmt: skip


def _opened(work: GivenPair, root: Path) -> tuple[bytes, ImageFacts]:
    """The image of a row, as bytes that can be opened, and what is known of it; raises RejectionError."""
    if work.code:
        raise RejectionError(work.code, work.message)
    data = _bytes_of(work, root)
    return data, facts_apart(data)  # in a process of its own: what would end it, ends that


def _bytes_of(work: GivenPair, root: Path) -> bytes:
    if not work.container:
        return loose_bytes(Place.at(root), work.image)
    try:
        if not work.column:
            with Path(work.container).open("rb") as file:
                file.seek(work.at[0])
                return file.read(min(work.at[1], MAX_BYTES))
        value = _group(work.container, work.at[0], work.column)[work.at[1]].as_py()
    except (OSError, ValueError) as error:
        raise RejectionError("unreadable", f"{work.container}: {error}") from error
    found = value.get("bytes") or value.get("path") if isinstance(value, dict) else value
    if isinstance(found, str):
        return loose_bytes(Place.at(root), found)
    if not found:
        raise RejectionError("missing_image", "the row has no image")
    return bytes(found)


@lru_cache(maxsize=2)
def _group(file: str, group: int, column: str) -> Any:
    """The images of one row group."""
    return of_a_user(file).read_row_group(group, columns=[column]).column(column)
