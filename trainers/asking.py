"""A trained model asked: which images of a table are nearest to words or to an image, and which words fit an image.

In: the folder of a model, files of a pairs table or an image, and words. Out: cosines of the shared space, the highest
first. Rows are read file by file, and only the nearest are held.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from core.images import encode_png
from core.records import Pair
from core.tables import rows_of
from trainers.batch import Collate, prepare
from trainers.checkpoint import load_model

SHOWN = ("pair_id", "article_id", "image", "text", "modality", "licence", "attribution", "media_url")


@dataclass(frozen=True)
class Hit:
    """A pair that was found."""

    score: float  # cosine of its image and of what was asked, -1 to 1
    row: dict[str, Any]  # the columns SHOWN


class Asked:
    """A model and how it reads."""

    def __init__(self, folder: str | Path) -> None:
        self.model, tokenizer = load_model(folder)
        settings = self.model.settings
        self.collate = Collate(tokenizer, settings.image_size, settings.max_tokens)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """(N, E) of texts, unit length."""
        return self.model.embed_texts(*self.collate.tokenize(texts))

    @torch.inference_mode()
    def images(self, rows: Sequence[dict[str, Any]]) -> Tensor:
        """(N, E) of rows with an image as a file's bytes, unit length."""
        size = self.collate.image_size
        prepared = [prepare(_row(row["image"], str(row.get("pair_id", ""))), size) for row in rows]
        return self.model.embed_images(self.collate(prepared).images)[0]

    def image(self, image: Image.Image) -> Tensor:
        """(1, E) of one RGB image."""
        return self.images([_row(encode_png(image))])


def nearest(asked: Asked, query: Tensor, files: Sequence[str], *, top: int, batch_size: int) -> list[Hit]:
    """The pairs whose images are nearest to a query (1, E), the nearest first; of equal ones the first id."""
    held: list[tuple[float, str, dict[str, Any]]] = []
    for rows in _rows(files, batch_size):
        scores = (asked.images(rows) @ query[0]).tolist()
        for score, row in zip(scores, rows, strict=True):
            entry = (score, _last(row["pair_id"]), row)
            if len(held) < top:
                heapq.heappush(held, entry)
            elif entry[:2] > held[0][:2]:
                heapq.heapreplace(held, entry)
    return [Hit(round(score, 4), row) for score, _, row in sorted(held, key=lambda each: each[:2], reverse=True)]


def _last(name: str) -> str:
    """A key that sorts ids backwards, so that of equal scores the first id is the nearer."""
    return "".join(chr(0x10FFFF - ord(sign)) for sign in name)


def _rows(files: Sequence[str], size: int) -> Iterator[list[dict[str, Any]]]:
    for file in files:
        table = rows_of([file], Pair)
        columns = [name for name in SHOWN if name in table.schema.names]
        for batch in table.to_batches(columns=columns, batch_size=size):
            if batch.num_rows:
                yield batch.to_pylist()


def _row(image: bytes, name: str = "") -> dict[str, Any]:
    """What a batch is made of, without a text."""
    return {"image": image, "text": "", "pair_id": name, "article_id": "", "figure_id": ""}
