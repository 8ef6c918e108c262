"""Loose files on Ray Data: a folder of figures to panels and pairs, a list of captions to subcaptions, row by row.

Rows cross Ray as JSON and images not at all: an actor opens each by its path, so memory is bounded by one image for
each actor, whatever the number of files. What cannot be read costs its own row, which says why.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial
from math import ceil
from typing import Any

import ray
from ray.data import ActorPoolStrategy

from core.places import Place
from core.records import Span
from core.runs import Part
from core.settings import Config
from core.stations import told_plainly
from core.works import INLINE, Do, Each, Row, here
from pipelines.loose_files import MAX_BYTES, CaptionWork, FigureWork
from pipelines.loose_rows import FigureRows, caption_row
from pipelines.stages import Stage, by_actors, by_tasks, largest_of

__all__ = ["MAX_BYTES", "of_each", "of_parts", "read_figures", "split_captions"]
FIGURES, CAPTIONS = 8, 200  # in a block, which one actor or task takes at a time
MOST_BLOCKS = 2_000  # more would weigh on Ray's scheduler
NOTHING = "nothing was written"


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
    yield from _stream("captions", works, CAPTIONS, stage)


def of_each(
    config: Config, station: str, works: Sequence[Any], do: Do, *, largest: int = 0, stays: str = NOTHING
) -> Iterator[Any]:
    """What a task makes of each piece of work, in their order (core.works.Each).

    largest: bytes of the largest part that a task reads. stays: in words, what there is if the station fails.
    """
    at_once = config.tables.readers[1]
    stage = by_tasks(partial(_done, do=do), cpus=config.tables.task_cpus, at_once=at_once, largest=largest)
    yield from _stream(station, works, 1, stage, stays)


def of_parts(config: Config, station: str, parts: Sequence[Part]) -> Each:
    """Who does something to these parts of a table: this process where they are few, else tasks of Ray."""
    if len(parts) <= INLINE:
        return here
    return partial(of_each, config, station, largest=largest_of(parts), stays="what was written stays")


def _done(row: Row, *, do: Do) -> Row:
    return {"row": json.dumps(do(json.loads(row["work"])))}


class ReadFigure:
    """An actor that takes figure after figure."""

    def __init__(self, config: Config, folder: Place) -> None:
        self.rows = FigureRows(config, folder)

    def __call__(self, row: Row) -> Row:
        return {"row": self.rows(FigureWork(**json.loads(row["work"])))}


def _split(row: Row, *, min_confidence: float) -> Row:
    work = json.loads(row["work"])
    spans = [Span(**span) for span in work.pop("emphasis")]
    return {"row": caption_row(CaptionWork(**work, emphasis=spans), min_confidence=min_confidence)}


def _stream(station: str, works: Sequence[Any], size: int, stage: Stage, stays: str = NOTHING) -> Iterator[Any]:
    """What a stage makes of each piece of work, in their order."""
    if not works:
        return
    items = [{"work": json.dumps(asdict(work))} for work in works]
    rows = ray.data.from_items(items, override_num_blocks=_blocks(len(items), size))
    rows.context.execution_options.preserve_order = True
    with told_plainly(station, stays):
        for row in stage(rows).iter_rows():
            yield json.loads(row["row"])


def _blocks(works: int, size: int) -> int:
    return max(1, min(ceil(works / size), MOST_BLOCKS))
