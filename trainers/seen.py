"""What a model has seen, as a file beside it: ids of articles or patients, and marks of images; asked of in pieces.

A published model has the file itself; a checkpoint on the way has `seen.json`, which says where it is.
"""

import json
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.checksums import seal_more
from core.config import UserError
from core.places import Place
from core.records import arrow_schema
from core.tables import rows_of

Kind = Literal["article", "image"]
FILE, WHERE = "seen.parquet", "seen.json"
# Of models of before December 2026.
OLDER: Mapping[Kind, str] = {"article": "training_articles.json", "image": "training_images.json"}
PIECE = 65_536  # rows read at once


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """Something that a model was trained on, one row of `seen.parquet` beside it."""

    kind: Kind  # article: or patient
    name: str  # an id; of an image a mark, see trainers/training_set.py


def write_seen(folder: Place, pieces: Iterable[pa.Table]) -> None:
    """Write the file into a folder of its own, whole or not at all. pieces: of `seen_rows`."""
    with folder.written(last=FILE) as draft:
        write_seen_in(draft, pieces)


def write_seen_in(folder: Path, pieces: Iterable[pa.Table]) -> None:
    """The same into a folder that somebody else makes."""
    with pq.ParquetWriter(folder / FILE, arrow_schema(Seen), write_page_checksum=True) as writer:
        # Each write is a row group, whose description stays in memory: they must not be as many as the pieces.
        for large in _joined(pieces):
            writer.write_table(large)


def _joined(pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of small pieces in pieces of PIECE rows or more; the last may be smaller."""
    waiting: list[pa.Table] = []
    rows = 0
    for piece in pieces:
        waiting.append(piece)
        rows += len(piece)
        if rows >= PIECE:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def seen_rows(kind: Kind, names: pa.Array | Iterable[str]) -> pa.Table:
    """Rows of Seen, each name once."""
    names = pc.unique(names if isinstance(names, pa.Array | pa.ChunkedArray) else pa.array(names, pa.string()))
    names = names.drop_null()
    return pa.table([pa.array([kind] * len(names), pa.string()), names], schema=arrow_schema(Seen))


def point_to(folder: Path, seen: str) -> None:
    """Say in a checkpoint where the file is: a folder of write_seen, path or URI."""
    (folder / WHERE).write_text(json.dumps({"folder": seen}))


def carry(folder: Path) -> None:
    """Put the file that a checkpoint points to into it, and its checksum among the others."""
    told = json.loads((folder / WHERE).read_text())
    with (Place.at(told["folder"]) / FILE).near() as file:
        shutil.copy(file, folder / FILE)
    seal_more(folder, [FILE])


def pieces_of(folder: str | Path) -> Iterator[pa.Table]:
    """What the model of a folder has seen, rows of Seen, piece by piece; nothing where nobody knows.

    Raises UserError where a checkpoint points to a file that is gone.
    """
    place = Place.at(folder)
    if not (place / FILE).exists() and (place / WHERE).exists():
        told = Place.at((place / WHERE).read_json()["folder"])
        if not (told / FILE).exists():
            raise UserError(f"{place} says that what its model has seen is told in {told / FILE}, which is gone")
        place = told
    if (place / FILE).exists():
        for batch in rows_of([(place / FILE).uri], Seen).to_batches(batch_size=PIECE):
            yield pa.Table.from_batches([batch])
        return
    for kind, name in OLDER.items():
        if (place / name).exists():
            yield seen_rows(kind, (place / name).read_json())


def is_told(folder: str | Path) -> bool:
    """Whether the model of a folder says what it has seen: one of ours."""
    return any((Place.at(folder) / name).exists() for name in (FILE, WHERE, OLDER["article"]))


def seen_by(folder: str | Path, kind: Kind, among: Collection[str] | None = None) -> set[str]:
    """The ids or marks that the model of a folder has seen; among: of these alone, which is a join in pieces.

    Raises UserError where the folder does not say.
    """
    if not is_told(folder):
        raise UserError(f"{folder} does not say what its model was trained on: {FILE} is missing")
    asked = None if among is None else pa.array(sorted(set(among)), pa.string())
    found: set[str] = set()
    for piece in pieces_of(folder):
        names = piece["name"].filter(pc.equal(piece["kind"], kind))
        if asked is not None:
            names = names.filter(pc.is_in(names, asked))
        found.update(names.to_pylist())
    return found
