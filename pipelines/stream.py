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

import ray
from ray.data import ActorPoolStrategy

from core.places import Place
from core.records import Span, SplitCaption
from core.rejection import RejectionError
from core.settings import Config
from core.stations import told_plainly
from pipelines.build import Stage, by_actors, by_tasks
from pipelines.loose_files import MAX_BYTES, CaptionWork, FigureWork, loose_bytes
from pipelines.separating import SeparatingApart, split_short

Row = dict[str, Any]
__all__ = ["MAX_BYTES", "of_each", "read_figures", "split_captions"]
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


def of_each(config: Config, station: str, works: Sequence[Any], do: Callable[[Row], Any]) -> Iterator[Any]:
    """What a task makes of each piece of work, in their order. works: dataclasses of JSON values; do gives another."""
    stage = by_tasks(partial(_done, do=do), cpus=config.tables.task_cpus, at_once=config.tables.readers[1])
    yield from _stream(station, works, 1, stage)


def _done(row: Row, *, do: Callable[[Row], Any]) -> Row:
    return {"row": json.dumps(do(json.loads(row["work"])))}


class ReadFigure:
    """An actor that takes figure after figure; beside it a process that has loaded the weights once reads them."""

    def __init__(self, config: Config, folder: Place) -> None:
        self.folder = folder
        self.reader = SeparatingApart(config)

    def __call__(self, row: Row) -> Row:
        work = FigureWork(**json.loads(row["work"]))
        return {"row": json.dumps(_or_why({"image": work.image}, lambda: self.row(work)))}

    def row(self, work: FigureWork) -> Row:
        """What is found on one figure; raises RejectionError where it cannot be read."""
        if work.code:
            raise RejectionError(work.code, work.message)
        return self.reader.row(work.image, work.caption, loose_bytes(self.folder, work.image))


def _split(row: Row, *, min_confidence: float) -> Row:
    work = json.loads(row["work"])

    def split() -> Row:
        if work["code"]:
            raise RejectionError(work["code"], work["message"])
        emphasis = [Span(**span) for span in work["emphasis"]]
        return {"id": work["id"], **asdict(split_short(work["caption"], emphasis, min_confidence=min_confidence))}

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
    with told_plainly(station, "nothing was written"):
        for row in stage(rows).iter_rows():
            yield json.loads(row["row"])


def _blocks(works: int, size: int) -> int:
    return max(1, min(ceil(works / size), MOST_BLOCKS))
