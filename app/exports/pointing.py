"""Pairs of a run as pointers: ids, boxes, offsets and checksums, without pixels and without words."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pyarrow.compute as pc

from app.exports.items import Item, key_of, part_of
from core.copies.dedupe import pixels_md5
from core.images import open_image
from core.records import SeparatedFigure
from core.runs import Part, Table, beside
from pipelines.copies.duplicates import pair_id
from pipelines.pointers import pointer_of, spoken

Row = Mapping[str, Any]
CAPTIONS = ["figure_id", "caption", "part_caption", "subfigures", "pictures"]


def pointed(table: Table, files: Sequence[str], rows: Sequence[Row]) -> list[Item]:
    """Rows of some files of a table of pairs as pointers; the part that a file is of has their figures."""
    separated = Table(beside(table.place, "separated"), SeparatedFigure)
    numbers = {part_of(file) for file in files}
    parts = [part for part in separated.parts() if part.part in numbers]
    figures = {
        figure["figure_id"]: figure for part in parts for figure in separated.read_of(part, CAPTIONS).to_pylist()
    }
    items = []
    for row in rows:
        figure = figures[row["figure_id"]]
        caption = spoken(figure["caption"], figure["part_caption"])
        pixels = _pixels_of(row, figure) or _pixels_now(row, separated, parts)
        facts = asdict(pointer_of(row, caption=caption, pixels=pixels))
        items.append(Item(key_of(row["pair_id"]), b"", "", row["split"], facts))
    return items


def _pixels_of(row: Mapping[str, Any], figure: Mapping[str, Any]) -> str:
    """The MD5 of a panel's pixels, as it was noted when the figure was separated; "" where its box is another now."""
    for picture in figure["pictures"]:
        index = picture["subfigure"]
        if pair_id(row["figure_id"], index) == row["pair_id"]:
            known = index < 0 or (
                index < len(figure["subfigures"]) and figure["subfigures"][index]["box"] == row["box"]
            )
            return str(picture["pixels_md5"]) if known else ""
    return ""


def _pixels_now(row: Mapping[str, Any], separated: Table, parts: Sequence[Part]) -> str:
    """The same of a panel that a person has moved: its figure is opened."""
    for part in parts:
        found = separated.read_of(part, ["figure_id", "image"])
        for image in found.filter(pc.equal(found["figure_id"], row["figure_id"]))["image"].to_pylist():
            return pixels_md5(open_image(image).image.crop(tuple(row["box"])))
    raise ValueError(f"{row['figure_id']} has a pair and no figure")
