"""The images of a pairs table as vectors, kept file by file beside a model: a question encodes nothing again.

In: files of a pairs table, a model, a vector to look for. Out: the pairs whose images are nearest. Vectors are read a
file at a time, or held where questions come one after the other; of the pairs only the nearest are read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from safetensors.torch import load, save
from torch import Tensor

from core.places import Place
from core.records import Pair
from core.tables import rows_of

SHOWN = ("pair_id", "article_id", "image", "text", "modality", "licence", "attribution", "media_url")
Encode = Callable[[Sequence[str]], Iterator[Tensor]]  # files -> (N, E) of the images of each, in their order


@dataclass(frozen=True)
class Hit:
    """A pair that was found."""

    score: float  # cosine of its image and of what was asked, -1 to 1
    row: dict[str, Any]  # the columns SHOWN


@dataclass(frozen=True)
class Index:
    """Files of a pairs table, and for each the place of its vectors."""

    files: tuple[str, ...]
    vectors: tuple[Place, ...]
    held: tuple[Tensor, ...] = ()  # the vectors themselves, (N, E) of each file, where they are held

    def holding(self) -> "Index":
        """The same with all vectors in memory: 4 bytes a number, 1 GB for a million pairs of 256."""
        return Index(self.files, self.vectors, tuple(read(place) for place in self.vectors))

    def __iter__(self) -> Iterator[Tensor]:
        yield from self.held or (read(place) for place in self.vectors)


def made(files: Sequence[tuple[str, str]], keep: Place, encode: Encode) -> Index:
    """The index of files; those that are not encoded yet are, one after the other. files: each with its checksum."""
    places = [keep / f"{checksum[:20]}.safetensors" for _, checksum in files]
    missing = [(file, place) for (file, _), place in zip(files, places, strict=True) if not place.exists()]
    for (_, place), vectors in zip(missing, encode([file for file, _ in missing]), strict=True):
        place.write_bytes(save({"image": vectors.contiguous()}))
    return Index(tuple(file for file, _ in files), tuple(places))


def read(place: Place) -> Tensor:
    """(N, E)."""
    return load(place.read_bytes())["image"]


def nearest(index: Index, queries: Tensor, *, top: int) -> list[list[Hit]]:
    """Of each query (Q, E) the pairs whose images are nearest, the nearest first; of equal ones the first."""
    best = torch.zeros(len(queries), 0)
    where = torch.zeros(len(queries), 0, 2, dtype=torch.long)  # number of the file, row in it
    for number, vectors in enumerate(index):
        scores = torch.cat([best, queries @ vectors.T], dim=1)
        rows = torch.arange(len(vectors))
        here = torch.stack([torch.full_like(rows, number), rows], dim=1).expand(len(queries), -1, -1)
        where = torch.cat([where, here], dim=1)
        # A stable sort: what came first stays before what is equal.
        order = scores.argsort(dim=1, descending=True, stable=True)[:, :top]
        best = scores.gather(1, order)
        where = where.gather(1, order[..., None].expand(-1, -1, 2))
    rows_at = _rows(index.files, {(int(f), int(r)) for f, r in where.flatten(0, 1).tolist()})
    return [
        [Hit(round(score, 4), rows_at[f, r]) for score, (f, r) in zip(scores, places, strict=True)]
        for scores, places in zip(best.tolist(), where.tolist(), strict=True)
    ]


def _rows(files: Sequence[str], wanted: set[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Any]]:
    """Rows by number of file and row."""
    found: dict[tuple[int, int], dict[str, Any]] = {}
    for number in sorted({number for number, _ in wanted}):
        table = rows_of([files[number]], Pair)
        numbers = sorted(row for at, row in wanted if at == number)
        columns = [name for name in SHOWN if name in table.schema.names]
        taken = table.take(numbers, columns=columns).to_pylist()
        found |= {(number, row): each for row, each in zip(numbers, taken, strict=True)}
    return found
