"""The rows of a user's table dealt out to parts: what belongs together is in one, whoever deals them.

In: a source, which says how the pieces of a table are read and what of its rows belongs together. Out: a slice for each
part, with a digest of its rows. A table of few rows is dealt here; dealing_on_ray.py deals any other.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal, NamedTuple, Protocol

from core.places import Place

FEW = 50_000  # rows that one process holds with their texts
SCRATCH = "dealt"  # the folder of a run in which the rows of parts stand while a shuffle has dealt them
PartsFor = Callable[[int, int], int]  # rows, and different keys where Source.meet is "key" -> parts


class Piece(NamedTuple):
    """What one task reads as a stream: a file, or of Parquet a row group."""

    file: str
    group: int = 0  # of Parquet
    before: int = 0  # rows of the file that other pieces have before it


class Row(NamedTuple):
    """A row of a table."""

    piece: int  # its number among the pieces
    number: int  # in the piece: with it, the order in which rows are read
    key: str  # one part has all rows of a key
    id: str
    value: Any  # what its part is given of it: a JSON value


class Source(Protocol):
    """A table of a user's, and how its rows are dealt. It goes to tasks of Ray."""

    @property
    def pieces(self) -> Sequence[Piece]:
        """What is read, in its order."""

    @property
    def few(self) -> Sequence[Row] | None:
        """All rows, as settled() leaves them, where they are few; None of a larger table."""

    @property
    def meet(self) -> Literal["id", "key"]:
        """By what rows of one id meet: by it, or by their key where an id is of one key only."""

    def read(self, piece: int) -> Iterator[Row]:
        """The rows of a piece, one after the other; raises UserError, naming the file and where in it."""

    def again(self, row: Row) -> Row:
        """What becomes of a row whose id a row before it has; may raise UserError."""

    def part_of(self, key: str, parts: int) -> int:
        """The part of a key."""

    def inputs(self, values: Sequence[Any]) -> str:
        """A digest of the rows of a part."""

    def counts(self, value: Any) -> Iterable[str]:
        """What a row is counted as."""


@dataclass(frozen=True)
class Slice:
    """A part that is still to be made, or of which something failed for a cause that may pass."""

    part: int
    inputs: str
    rows: str = ""  # JSON, one value a line, where few were dealt
    file: str = ""  # else where they stand
    version: int = 0


@dataclass(frozen=True)
class Dealt:
    """A table in parts."""

    slices: list[Slice]
    rows: int
    counts: Mapping[str, int]  # of Source.counts


def few_of(source: Source, at_most: int = FEW) -> list[Row] | None:
    """The rows of a table that has so many at most; None of a larger one, of which no more are read."""
    every = (row for piece in range(len(source.pieces)) for row in source.read(piece))
    rows = list(islice(every, at_most + 1))
    return list(settled(rows, source)) if len(rows) <= at_most else None


def settled(rows: Iterable[Row], source: Source) -> Iterator[Row]:
    """Rows in the order in which they are read: of those of one id the first stays as it is."""
    seen = set[str]()
    for row in rows:
        yield source.again(row) if row.id in seen else row
        seen.add(row.id)


def dealt_here(rows: Sequence[Row], source: Source, parts_for: PartsFor) -> Dealt:
    """Few rows, settled, dealt by this process."""
    parts = parts_for(len(rows), len({row.key for row in rows}))
    dealt: list[list[Any]] = [[] for _ in range(parts)]
    for row in rows:
        dealt[source.part_of(row.key, parts)].append(row.value)
    slices = [
        Slice(number, source.inputs(own), "\n".join(map(json.dumps, own))) for number, own in enumerate(dealt)
    ]  # fmt: skip
    return Dealt(slices, len(rows), Counter(name for row in rows for name in source.counts(row.value)))


def values_of(work: Slice) -> list[Any]:
    """The rows of a part."""
    text = Place.at(work.file).read_bytes().decode() if work.file else work.rows
    return [json.loads(line) for line in text.splitlines()]
