"""A user's figures and captions to rows, one by one: what Ray's actors do, and this process where they are few.

What cannot be read costs its own row, which says why. Every row is as JSON has it, wherever it was made.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from core.places import Place
from core.records import SplitCaption
from core.rejection import RejectionError, UserError
from core.settings import Config
from pipelines.captions.split import split_short
from pipelines.loose_files import CaptionWork, FigureWork, loose_bytes
from pipelines.separating_apart import SeparatingApart

Row = dict[str, Any]


class FigureRows:
    """Takes figure after figure; beside it a process that has loaded the weights once reads them."""

    def __init__(self, config: Config, folder: Place) -> None:
        self.folder = folder
        self.reader = SeparatingApart(config)

    def __call__(self, work: FigureWork) -> str:
        """A row as JSON."""
        return json.dumps(_or_why({"image": work.image}, lambda: self.row(work)))

    def row(self, work: FigureWork) -> Row:
        """What is found on one figure; raises RejectionError where it cannot be read."""
        if work.code:
            raise RejectionError(work.code, work.message)
        return self.reader.row(work.image, work.caption, loose_bytes(self.folder, work.image))


def caption_row(work: CaptionWork, *, min_confidence: float) -> str:
    """A row as JSON."""

    def split() -> Row:
        if work.code:
            raise RejectionError(work.code, work.message)
        return {"id": work.id, **asdict(split_short(work.caption, work.emphasis, min_confidence=min_confidence))}

    row = _or_why({"id": work.id}, split)
    return json.dumps({**row, **asdict(_whole(row["error"]["message"]))} if "error" in row else row)


def read_here(config: Config, folder: Place, works: Sequence[FigureWork]) -> Iterator[Row]:
    """The rows of figures in their order, made here: as many at a time as `tables.readers` has at most."""
    rows = FigureRows(config, folder)
    with ThreadPoolExecutor(max(1, min(config.tables.readers[1], len(works)))) as threads:
        try:
            for row in threads.map(rows, works):
                yield json.loads(row)
        finally:
            threads.shutdown(wait=False, cancel_futures=True)
            rows.reader.close()


def split_here(config: Config, works: Sequence[CaptionWork]) -> Iterator[Row]:
    """The rows of captions in their order, made here."""
    for work in works:
        yield json.loads(caption_row(work, min_confidence=config.captions.min_confidence))


def _whole(reason: str) -> SplitCaption:
    return SplitCaption(preamble="", subcaptions=[], tail="", confidence=0.0, reason=reason)


def _or_why(named: Row, made: Callable[[], Row]) -> Row:
    """A row, or why there is none: what one file brings up in our code must not cost the others of a long job."""
    try:
        return made()
    except RejectionError as error:
        return {**named, "error": {"code": error.code, "message": error.message}}
    except UserError:  # not of this file: no other could be read either
        raise
    except Exception as error:  # noqa: BLE001  # told on its row, and counted on the terminal
        return {**named, "error": {"code": "bug", "message": f"{type(error).__name__}: {error}"[:500]}}
