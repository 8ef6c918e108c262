"""One figure read: panels, letters, subcaptions and what its pictures show; here, or in a process of its own.

`Separating` reads where it is called. `serve` is the same behind core.apart, so that a figure that crashes, hangs or
fills its reader costs itself and no other: stations ask pipelines.separating_apart.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from PIL import Image

from core.apart import Handler, Json
from core.copies import dedupe
from core.images import open_image
from core.records import (
    Figure,
    Picture,
    SeparatedFigure,
    Subfigure,
    arrow_schema,
    from_row,
)
from core.settings import Config
from pipelines.captions.split import split_short
from pipelines.copies.picture_kind import picture_kind
from pipelines.matching.match import WHOLE, believed, is_part, match, told

FOUND = ("subfigures", "split_caption", "pictures")
Row = dict[str, Any]


class Separating:
    """Reads figures in this process; the weights are loaded once, when it is made."""

    def __init__(self, config: Config) -> None:
        from pipelines.figure_reader import FigureReader

        self.config = config
        self.read = FigureReader(config.separate, config.labels)

    def separated(self, figure: Figure) -> SeparatedFigure:
        """One figure with its panels, letters and subcaptions; raises ImageError."""
        split = split_short(figure.caption, figure.emphasis, min_confidence=self.config.captions.min_confidence)
        image = open_image(figure.image).image
        if is_part(figure):  # JATS has separated it already
            panels = [Subfigure(box=(0, 0, figure.width, figure.height), score=1.0, label=figure.part_label)]
        else:
            panels = self.read(np.asarray(image))
        fields = {name: getattr(figure, name) for name in arrow_schema(Figure).names}
        pictures = [describe(WHOLE, image)]
        pictures += [describe(index, image.crop(panel.box)) for index, panel in enumerate(panels)]
        return SeparatedFigure(**fields, subfigures=panels, split_caption=split, pictures=pictures)

    def row(self, name: str, caption: str | None, data: bytes) -> Row:
        """What is found on a loose figure, and with its caption its pairs; raises ImageError."""
        image = np.asarray(open_image(data).image)
        panels = self.read(image)
        height, width = image.shape[:2]
        row = {"image": name, "width": width, "height": height, "subfigures": [asdict(panel) for panel in panels]}
        return row if caption is None else {**row, "pairs": self.pairs(panels, caption, (width, height))}

    def pairs(self, panels: list[Subfigure], caption: str, size: tuple[int, int]) -> list[Row]:
        """The text of each panel, with its box."""
        split = split_short(caption, min_confidence=self.config.captions.min_confidence)
        settings, rows = self.config.match, []
        found_ones = match(panels, told(split, settings.text), caption, rule=settings.rule)
        for found in believed(found_ones, caption, min_score=settings.doubted):
            if settings.below == "left_out" and found.score < settings.min_score and settings.rule != "whole":
                continue
            box = (0, 0, *size) if found.subfigure == WHOLE else panels[found.subfigure].box
            row = asdict(found)
            row.pop("subfigure")
            rows.append({"box": box, **row})
        return rows


def serve(settings: Mapping[str, Any]) -> Handler:
    """What answers in that process."""
    reader = Separating(Config.model_validate(dict(settings)))

    def answer(told: Json, data: bytes) -> tuple[Json, bytes]:
        if "figure" not in told:
            return reader.row("", told["caption"], data), b""
        found = asdict(replace(reader.separated(from_row({**told["figure"], "image": data}, Figure)), image=b""))
        for picture in found["pictures"]:
            picture["thumbnail"] = picture["thumbnail"].decode("latin-1")
        return {name: found[name] for name in FOUND}, b""

    return answer


def describe(index: int, image: Image.Image) -> Picture:
    """What the pixels of a figure's panel show; index: of the panel, -1 for the whole figure."""
    kind, score = picture_kind(image)
    return Picture(
        subfigure=index, kind=kind, kind_score=score,
        pixels_md5=dedupe.pixels_md5(image), thumbnail=dedupe.thumbnail(image),
    )  # fmt: skip
