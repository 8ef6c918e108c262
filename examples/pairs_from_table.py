"""Pairs from a table of one's own: a CSV with the columns `image` (a path beside the table) and `caption`.

    python examples/pairs_from_table.py TABLE.csv OUT.json

For thousands of figures use `figray pair-figures`, which spreads the same functions over all cores.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from core.csv_rows import open_csv
from core.file_names import found_below
from core.images import ImageError, open_image
from core.settings import Config
from pipelines.captions.split import split_caption
from pipelines.figure_reader import FigureReader
from pipelines.matching.match import match, told


def pairs_of(table: Path) -> Iterator[dict[str, Any]]:
    """A row for each panel: image, box, letter, text, score and reason; a row with `error` where there is no image."""
    config = Config()
    read = FigureReader(config.separate, config.labels)
    for row in open_csv(table, ("image", "caption")).rows():
        try:
            image = open_image(found_below(table.parent, row["image"]).read_bytes()).image
        except (OSError, ImageError) as error:
            yield {"image": row["image"], "error": str(error)}
            continue
        panels = read(np.asarray(image))
        split = split_caption(row["caption"], min_confidence=config.captions.min_confidence)
        for found in match(panels, told(split, config.match.text), row["caption"], rule=config.match.rule):
            box = panels[found.subfigure].box if found.subfigure >= 0 else (0, 0, *image.size)
            yield {"image": row["image"], "box": box, **asdict(found)}


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(json.dumps(list(pairs_of(Path(sys.argv[1]))), indent=1), encoding="utf-8")
