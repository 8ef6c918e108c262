"""The pairs of a training set in an order by chance, ready for batches: texts as numbers, images as files.

A table's parts are whole articles: read in order, two panels of one article would meet in a batch far more often than
by chance. The copy is dealt to files by a hash of each pair's id. Which rows a worker's batch has follows from the seed
alone, so that any process can make it, and a training that goes on begins at its batch.
"""

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.places import Place
from core.records import arrow_schema
from core.runs import digest
from core.tables import parsed, written
from trainers.batch import Batch, Collate, columns_of, image_for, letterboxed
from trainers.texts import TextReader, cut, number
from trainers.training_set import TrainingSet, rows_of_share

INDEX = "index.json"  # names the files of a copy; while it is there, the copy is whole
FORMAT = 1  # of a copy; a change of what its rows are adds one
ROWS = 512  # of a file, some 10 MB of small images
WINDOW = 1024  # rows of a lane that are permuted among themselves, anew in each epoch
LANES = 8  # of a worker: each is a stretch of its rows, whose files one process reads
HELD = 6  # files that a process holds for each of its lanes

Ints = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Fed:
    """A pair as a batch needs it, one row of a permuted copy."""

    pair_id: str
    article_id: str
    image: bytes  # the file that the model's image size asks for
    tokens: list[int]
    sentence_of: list[int]  # of each token, -1: of none
    asserts: list[bool]  # of each token
    text_group: int
    figure_group: int
    sided: bool


DEALT = arrow_schema(Fed).append(pa.field("file", pa.int64())).append(pa.field("place", pa.int64()))


@dataclass(frozen=True)
class Permuted:
    """A copy of the pairs on storage."""

    folder: str  # a path or URI
    names: tuple[str, ...]
    sizes: tuple[int, ...]  # rows of each file

    def read(self, file: int) -> list[dict[str, Any]]:
        """The rows of a file."""
        place = Place.at(self.folder) / self.names[file]
        rows: list[dict[str, Any]] = parsed(place.read_bytes(), Fed, str(place)).to_pylist()
        return rows


@dataclass(frozen=True)
class Making:
    """How a copy is made of a table."""

    training_set: TrainingSet
    reader: TextReader
    image_size: int  # pixels that the model sees
    sentences: str | None  # weights that texts are cut into sentences with, "" for figray's own; None: they are not

    @property
    def files(self) -> int:
        """How many files the copy has."""
        return -(-len(self.training_set) // ROWS)

    @property
    def digest(self) -> str:
        """What the copy is known by."""
        vocabulary = self.reader.tokenizer.backend_tokenizer.to_str()
        asked = [FORMAT, ROWS, self.reader.max_tokens, self.image_size, self.sentences]
        return digest([self.training_set.digest, vocabulary, *map(str, asked)])

    def dealt(self, files: pa.Table) -> Iterator[pa.Table]:
        """The rows of the table's files that `files` names, each with the file of the copy and its place there."""
        share, columns = self.training_set.share, columns_of(self.training_set.columns)
        for part in rows_of_share(files, columns=columns, share=share):
            rows = part.to_pylist()
            if self.sentences is not None:
                rows = cut(rows, self.sentences)
            yield pa.Table.from_pylist(self._read(rows), schema=DEALT)

    def decoded(self, files: pa.Table) -> Iterator[pa.Table]:
        """The same rows with the pixels of their images, letterboxed."""
        for rows in self.dealt(files):
            images = [
                letterboxed(image, self.image_size, pair_id=pair_id)
                for image, pair_id in zip(rows["image"].to_pylist(), rows["pair_id"].to_pylist(), strict=True)
            ]
            field = rows.schema.get_field_index("image")
            yield rows.set_column(field, rows.schema.field(field), pa.array(images, pa.large_binary()))

    def _read(self, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        made = []
        for row, read in zip(rows, self.reader.rows(rows), strict=True):
            place = number(row["pair_id"])
            image = image_for(row, self.image_size)
            made.append(read | {"image": image, "file": place % self.files, "place": place // self.files})
        return made


def write_file(rows: pa.Table, *, folder: str) -> pa.Table:
    """Write one file of a copy of the rows dealt to it; its name, and how many they are."""
    name = f"rows-{rows['file'][0].as_py():06d}.parquet"
    ordered = rows.sort_by([("place", "ascending"), ("pair_id", "ascending")]).select(arrow_schema(Fed).names)
    (Place.at(folder) / name).write_bytes(written(ordered))
    return pa.table({"name": [name], "rows": [len(ordered)]})


def kept_copy(folder: str) -> Permuted | None:
    """The copy in a folder, if there is a whole one."""
    index = Place.at(folder) / INDEX
    if not index.exists():
        return None
    told = index.read_json()
    return Permuted(folder, tuple(told["names"]), tuple(told["rows"]))


def complete(folder: str, told: Sequence[dict[str, Any]]) -> Permuted:
    """Make a copy whole, of whose files names and rows are told."""
    ordered = sorted(told, key=lambda each: str(each["name"]))
    names, rows = [each["name"] for each in ordered], [each["rows"] for each in ordered]
    (Place.at(folder) / INDEX).write_json({"names": names, "rows": rows})
    return Permuted(folder, tuple(names), tuple(rows))


@dataclass(frozen=True)
class Order:
    """Which rows each batch of one worker has: all workers' are different, and so are those of an epoch."""

    sizes: tuple[int, ...]  # rows of the files
    seed: int
    worker: int
    workers: int
    batch: int  # rows of this worker's
    steps: int  # batches of an epoch

    @cached_property
    def lanes(self) -> int:
        return min(LANES, self.steps)

    def lane(self, index: int) -> int:
        """The lane of an epoch's batch: those that follow each other are of different lanes."""
        return index % self.lanes

    def rows(self, epoch: int, index: int) -> list[tuple[int, int]]:
        """File and row of each row of a batch; files are in another order in each epoch, and so are rows near others.

        Raises IndexError beyond the epoch's batches.
        """
        if not 0 <= index < self.steps:
            raise IndexError(f"batch {index} of an epoch of {self.steps}")
        order, starts = _files_of(self.sizes, self.seed, epoch)
        lane = self.lane(index)
        longer = self.steps % self.lanes
        before = lane * (self.steps // self.lanes) + min(lane, longer)  # batches of the lanes before
        first = sum(self.sizes) * self.worker // self.workers + before * self.batch
        length = (self.steps // self.lanes + (lane < longer)) * self.batch
        inside = self._permuted(epoch, first, length, index // self.lanes * self.batch)
        places = np.searchsorted(starts, first + inside, side="right") - 1
        return list(zip(order[places].tolist(), (first + inside - starts[places]).tolist(), strict=True))

    def _permuted(self, epoch: int, first: int, length: int, at: int) -> Ints:
        """The rows of a lane, counted from its first, that a batch at `at` has."""
        found = []
        for window in range(at // WINDOW, (at + self.batch - 1) // WINDOW + 1):
            start = window * WINDOW
            chance = np.random.default_rng([self.seed, epoch, first + start])
            rows = start + chance.permutation(min(WINDOW, length - start))
            found.append(rows[max(0, at - start) : at + self.batch - start])
        return np.concatenate(found)


@lru_cache(maxsize=2)
def _files_of(sizes: tuple[int, ...], seed: int, epoch: int) -> tuple[Ints, Ints]:
    """The files in an epoch's order, and where each begins among all rows."""
    order = np.random.default_rng([seed, epoch]).permutation(len(sizes))
    return order, np.cumsum([0, *np.array(sizes)[order][:-1]])


class BatchMaker:
    """Makes any batch of a worker, and holds the files that it read last."""

    def __init__(self, copy: Permuted, order: Order, collate: Collate, *, lanes: int) -> None:
        """lanes: of how many it will be asked."""
        self.copy, self.order, self.collate, self.most = copy, order, collate, HELD * lanes
        self.held: OrderedDict[int, list[dict[str, Any]]] = OrderedDict()

    def __call__(self, epoch: int, index: int) -> Batch:
        rows = [self._file(file)[row] for file, row in self.order.rows(epoch, index)]
        images = [letterboxed(row["image"], self.collate.image_size, pair_id=row["pair_id"]) for row in rows]
        return self.collate.stacked(rows, self.collate.pixels(images))

    def _file(self, number: int) -> list[dict[str, Any]]:
        if number in self.held:
            self.held.move_to_end(number)
        else:
            self.held[number] = self.copy.read(number)
            if len(self.held) > self.most:
                self.held.popitem(last=False)
        return self.held[number]


def as_arrays(batch: Batch) -> dict[str, Any]:
    """A batch as arrays, which processes hand over without a copy; images (N, H, W, 3)."""
    told = {name: value.numpy() if hasattr(value, "numpy") else value for name, value in vars(batch).items()}
    return told | {"images": batch.images.permute(0, 2, 3, 1).numpy()}
