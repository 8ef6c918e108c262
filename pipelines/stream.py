"""Loose files on Ray Data: a folder of figures to panels and pairs, a list of captions to subcaptions, row by row.

Rows cross Ray as JSON and images not at all: an actor opens each by its path, so memory is bounded by one image for
each actor, whatever the number of files. What cannot be read costs its own row, which says why.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from math import ceil
from typing import Any

import numpy as np
import ray
from ray.data import ActorPoolStrategy
from ray.data.exceptions import ExecutionTimeoutError

from core.images import ImageError, open_image
from core.places import Place
from core.records import Span, SplitCaption, Subfigure
from core.rejection import RejectionError
from core.settings import Config
from pipelines.build import Stage, StationStalled, by_actors, by_tasks
from pipelines.captions.split import split_caption
from pipelines.loose_files import CaptionWork, FigureWork
from pipelines.matching.match import WHOLE, believed, match, told

Row = dict[str, Any]
MAX_BYTES = 256 * 2**20  # of one file
FIGURES, CAPTIONS = 8, 200  # in a block, which one actor or task takes at a time
MOST_BLOCKS = 2_000  # more would weigh on Ray's scheduler


def read_figures(config: Config, folder: Place, works: Sequence[FigureWork]) -> Iterator[Row]:
    """A row for each figure, in their order.

    {image, width, height, subfigures}, with {pairs} where it has a caption; {image, error: {code, message}} where it
    cannot be read.
    """
    fewest, most = config.tables.readers
    # All at once if there is work for all: actors that load their weights one after the other are ready later.
    first = max(fewest, min(most, _blocks(len(works), FIGURES)))
    pool = ActorPoolStrategy(min_size=fewest, max_size=most, initial_size=first)
    stage = by_actors(ReadFigure, (config, folder), cpus=config.tables.reader_cpus, pool=pool)
    yield from _stream("figures", works, FIGURES, stage)


def split_captions(config: Config, works: Sequence[CaptionWork]) -> Iterator[Row]:
    """A row for each caption, in their order: {id, preamble, subcaptions, tail, confidence, reason}."""
    task = partial(_split, min_confidence=config.captions.min_confidence)
    tasks_at_once = min(_blocks(len(works), CAPTIONS), config.tables.readers[1])
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=tasks_at_once)
    for row in _stream("captions", works, CAPTIONS, stage):
        yield {**row, **asdict(_whole(row["error"]["message"]))} if "error" in row else row


class ReadFigure:
    """An actor that has loaded the weights once, and takes figure after figure."""

    def __init__(self, config: Config, folder: Place) -> None:
        from pipelines.figure_reader import FigureReader

        self.config, self.folder = config, folder
        self.read = FigureReader(config.separate, config.labels)

    def __call__(self, row: Row) -> Row:
        work = FigureWork(**json.loads(row["work"]))
        return {"row": json.dumps(_or_why({"image": work.image}, lambda: self.row(work)))}

    def row(self, work: FigureWork) -> Row:
        """What is found on one figure; raises RejectionError where it cannot be read."""
        if work.code:
            raise RejectionError(work.code, work.message)
        image = np.asarray(open_image(_bytes(self.folder / work.image)).image)
        panels = self.read(image)
        height, width = image.shape[:2]
        row = {"image": work.image, "width": width, "height": height, "subfigures": [asdict(panel) for panel in panels]}
        return row if work.caption is None else {**row, "pairs": self.pairs(panels, work.caption, (width, height))}

    def pairs(self, panels: list[Subfigure], caption: str, size: tuple[int, int]) -> list[Row]:
        """The text of each panel, with its box."""
        split = split_caption(caption, min_confidence=self.config.captions.min_confidence)
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


def _split(row: Row, *, min_confidence: float) -> Row:
    work = json.loads(row["work"])

    def split() -> Row:
        if work["code"]:
            raise RejectionError(work["code"], work["message"])
        emphasis = [Span(**span) for span in work["emphasis"]]
        return {"id": work["id"], **asdict(split_caption(work["caption"], emphasis, min_confidence=min_confidence))}

    return {"row": json.dumps(_or_why({"id": work["id"]}, split))}


def _whole(reason: str) -> SplitCaption:
    return SplitCaption(preamble="", subcaptions=[], tail="", confidence=0.0, reason=reason)


def _or_why(named: Row, made: Callable[[], Row]) -> Row:
    """A row, or why there is none: what one file brings up in our code must not cost the others of a long job."""
    try:
        return made()
    except RejectionError as error:
        return {**named, "error": {"code": error.code, "message": error.message}}
    except Exception as error:  # noqa: BLE001  # told on its row, and counted on the terminal
        return {**named, "error": {"code": "bug", "message": f"{type(error).__name__}: {error}"[:500]}}


def _stream(station: str, works: Sequence[Any], size: int, stage: Stage) -> Iterator[Row]:
    """What a stage makes of each piece of work, in their order."""
    if not works:
        return
    items = [{"work": json.dumps(asdict(work))} for work in works]
    rows = ray.data.from_items(items, override_num_blocks=_blocks(len(items), size))
    rows.context.execution_options.preserve_order = True
    try:
        for row in stage(rows).iter_rows():
            yield json.loads(row["row"])
    except ExecutionTimeoutError as error:
        raise StationStalled(f"station {station} stands still; nothing was written.\n{error}") from error


def _blocks(works: int, size: int) -> int:
    return max(1, min(ceil(works / size), MOST_BLOCKS))


def _bytes(file: Place) -> bytes:
    """The bytes of a file from a stranger; raises ImageError where they cannot be had."""
    try:
        info = file.filesystem.get_file_info(file.path)
        if (info.size or 0) > MAX_BYTES:
            raise ImageError("too_large", f"{info.size} bytes; at most {MAX_BYTES}")
        return file.read_bytes()
    except (OSError, UnicodeEncodeError) as error:  # pyarrow takes no path that is not UTF-8
        raise ImageError("unreadable", str(error)) from error
