"""What the copies of a part's pictures are recognised by, kept beside the part by the station that reads the pictures.

A part `part-00003` has `signatures/part-00003-SHA.parquet`, SHA of its files: what is of another part is never read.
A table that is older than these files has them made from its rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.copies.dedupe import AT_ONCE, FLAT, SIDE, VARIANTS, Grey, Seen, hashes_of
from core.places import Place
from core.records import Signature, arrow_schema
from core.runs import Part, Table
from core.tables import parsed, written

PICTURE, OWNER = 22, 20  # bits of a picture's number below its part: which of its pictures, which of its owners
PARTS = 2**20  # of a search

Ids = NDArray[np.int64]


@dataclass(frozen=True)
class Asked:
    """How copies are sought."""

    min_similarity: float  # of two thumbnails laid on each other
    exact_below: int = 20_000  # pictures up to which all are compared with all, in this process
    nearest: int = 16  # of those with near hashes, that each picture is compared with beyond
    cpus: float = 0.25  # logical CPUs of a task


@dataclass(frozen=True)
class Signed:
    """The pictures of one part."""

    part: int  # its number in the search
    rows: pa.Table  # of Signature

    def __len__(self) -> int:
        return self.rows.num_rows

    @cached_property
    def ids(self) -> Ids:
        """A number for each, (n,): part, owner, picture. Pictures of one owner agree above PICTURE bits."""
        numbers = self.rows["owner"].combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
        if len(self) >= 2**PICTURE or self.part >= PARTS or (len(self) and numbers.max() >= 2**OWNER):
            raise ValueError(f"part {self.part} has {len(self):,} pictures: cut the table into more parts")
        return (np.int64(self.part) << (PICTURE + OWNER)) | (numbers.astype(np.int64) << PICTURE) | np.arange(len(self))

    @cached_property
    def shown(self) -> NDArray[np.bool_]:
        """Which of them show something, (n,): flat ones have no copies."""
        return np.array([bool(each) for each in self.rows["hashes"].to_pylist()], bool)

    @cached_property
    def hashes(self) -> NDArray[np.uint64]:
        """Of each as it is and trimmed, (n, VARIANTS, 2); zeros of flat ones."""
        empty = bytes(16 * VARIANTS)
        data = b"".join(each or empty for each in self.rows["hashes"].to_pylist())
        return np.frombuffer(data, "<u8").reshape(-1, VARIANTS, 2)

    @cached_property
    def grey(self) -> Grey:
        """Their thumbnails, (n, SIDE, SIDE)."""
        data = b"".join(self.rows["thumbnail"].to_pylist())
        return np.frombuffer(data, np.uint8).reshape(-1, SIDE, SIDE).astype(np.float32)


@dataclass(frozen=True)
class Pictures:
    """The pictures of a table, by part."""

    table: Table
    seen_in: Callable[[Table, Part], Sequence[Seen]]  # how a part of a table older than signatures is read

    def signed(self, part: Part, number: int) -> Signed:
        """The signatures of a part, made and kept if there are none; number: of the part in a search."""
        file = _file(self.table, part)
        if not file.exists():
            keep(self.table, part, self.seen_in(self.table, part))
        return Signed(number, parsed(file.read_bytes(), Signature, file.uri))


def keep(table: Table, part: Part, seen: Sequence[Seen]) -> None:
    """Write the signatures of a part's pictures beside it."""
    _file(table, part).write_bytes(written(signatures(seen)))


def signatures(seen: Sequence[Seen]) -> pa.Table:
    """Rows of Signature, one for each picture in their order."""
    thumbnails = [each.thumbnail for each in seen]
    grey = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, SIDE, SIDE).astype(np.float32)
    hashes = []
    for start in range(0, len(grey), AT_ONCE):
        part = grey[start : start + AT_ONCE]
        shown = part.std(axis=(1, 2)) >= FLAT
        rows = iter(hashes_of(part[shown]).astype("<u8"))
        hashes += [next(rows).tobytes() if each else b"" for each in shown]
    columns = {
        "item_id": [each.item_id for each in seen],
        "owner": [each.article_id for each in seen],
        "pixels_md5": [each.pixels_md5 for each in seen],
        "thumbnail": thumbnails,
        "hashes": hashes,
    }
    return pa.table(columns, schema=arrow_schema(Signature))


def part_in(ids: Ids) -> Ids:
    """The part that each picture is of, by its number in the search."""
    return ids >> (PICTURE + OWNER)


def place_of(ids: Ids) -> Ids:
    """The place of each picture in its part."""
    return ids & ((1 << PICTURE) - 1)


def owner_in(ids: Ids) -> Ids:
    """What pictures of one owner have in common, and no others."""
    return ids >> PICTURE


def _file(table: Table, part: Part) -> Place:
    return table.place / "signatures" / f"part-{part.part:05d}-{part.digest[:12]}.parquet"
