"""A trained model asked: images and words into one space, and where in an image it sees words.

In: the folder of a model, images and words. Out: vectors of unit length, whose products are cosines, and maps.
index.py finds the images of a table that are nearest.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from core.images import encode_png
from core.records import Pair
from core.tables import rows_of
from trainers.batch import SMALL, Collate, prepare
from trainers.checkpoint import load_model
from trainers.evaluation.text_maps import how_mapped, text_maps


class Asked:
    """A model and how it reads."""

    def __init__(self, folder: str | Path, *, device: str = "cpu") -> None:
        self.model, self.tokenizer = load_model(folder)
        self.model.to(device)
        settings = self.model.settings
        self.device = device
        self.collate = Collate(self.tokenizer, settings.image_size, settings.max_tokens)

    @torch.inference_mode()
    def texts(self, texts: Sequence[str]) -> Tensor:
        """(N, E) of texts, unit length."""
        tokens, mask = self.collate.tokenize(texts)
        return self.model.embed_texts(tokens.to(self.device), mask.to(self.device)).cpu()

    @torch.inference_mode()
    def images(self, rows: Sequence[dict[str, Any]]) -> Tensor:
        """(N, E) of rows with an image as a file's bytes, unit length."""
        return self.model.embed_images(self._pixels(rows))[0].cpu()

    def image(self, image: Image.Image) -> Tensor:
        """(1, E) of one RGB image."""
        return self.images([{"image": encode_png(image)}])

    def maps(self, image: Image.Image, texts: Sequence[str]) -> list[Tensor] | None:
        """Of each text (h, w), 0 to 1: where in the image the model sees it; None of a model that has no such maps."""
        return text_maps(self.model, self.tokenizer, self._pixels([{"image": encode_png(image)}]), texts)

    @property
    def how_mapped(self) -> str:
        """What the colours of its maps mean; "" of one that has none."""
        return how_mapped(self.model)

    def file(self, file: str, *, batch_size: int) -> Tensor:
        """(N, E) of the images of one file of a pairs table, in its order."""
        table = rows_of([file], Pair)
        columns = [name for name in ("pair_id", "image", SMALL) if name in table.schema.names]
        parts = [
            self.images(batch.to_pylist())
            for batch in table.to_batches(columns=columns, batch_size=batch_size)
            if batch.num_rows
        ]
        return torch.cat(parts)

    def files(self, files: Sequence[str], *, batch_size: int) -> Iterator[Tensor]:
        """The same of files, one after the other."""
        yield from (self.file(file, batch_size=batch_size) for file in files)

    def _pixels(self, rows: Sequence[dict[str, Any]]) -> Tensor:
        """(N, 3, H, W), -1 to 1."""
        prepared = [prepare(_row(**row), self.collate.image_size) for row in rows]
        return self.collate(prepared).images.to(self.device)


def _row(image: bytes, pair_id: str = "", small: bytes | None = None, **_: Any) -> dict[str, Any]:
    """What a batch is made of, without a text."""
    blank = {"text": "", "article_id": "", "figure_id": ""}
    return {"image": image, SMALL: small, "pair_id": pair_id, **blank}
