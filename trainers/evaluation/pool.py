"""The pairs that are retrieved from, as a model sees them, and which of them show or say the same."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from core.config import UserError
from core.records import Pair
from core.tables import rows_of
from trainers.batch import Batch, number
from trainers.towers import Towers

TEXTS = 64  # in a batch


@dataclass(frozen=True)
class Pool:
    """N pairs, each image and each text a query for the other side."""

    pair_ids: tuple[str, ...]
    article_ids: tuple[str, ...]
    image: Tensor  # (N, E), unit length
    text: Tensor  # (N, E), unit length
    states: Tensor  # (N, P, image_width), for matching
    tokens: Tensor  # (N, T)
    mask: Tensor  # (N, T)
    text_group: Tensor  # (N,)


@torch.no_grad()
def embed(model: Towers, batches: Iterable[Batch]) -> Pool:
    """The pairs of the batches as one pool; raises UserError if there are none.

    The states of all images stay in memory as float32: 1.7 GB for 2,850 images of 224 pixels in a ViT-B/16. A pool of N
    pairs also needs some matrices of N x N, 100 MB each for 5,000.
    """
    model.eval()
    ids: list[str] = []
    articles: list[str] = []
    parts: dict[str, list[Tensor]] = {name: [] for name in ("image", "states", "tokens", "mask", "text_group")}
    for batch in batches:
        found = (*model.embed_images(batch.images), batch.tokens, batch.mask, batch.text_group)
        for part, value in zip(parts.values(), found, strict=True):
            part.append(value)
        ids += batch.pair_ids
        articles += batch.article_ids
    if not ids:
        raise UserError("there are no pairs to retrieve from")
    longest = max(tokens.shape[1] for tokens in parts["tokens"])
    for name in ("tokens", "mask"):
        parts[name] = [pad(value, (0, longest - value.shape[1])) for value in parts[name]]
    whole = {name: torch.cat(part) for name, part in parts.items()}
    text = _embed_texts(model, whole["tokens"], whole["mask"])
    return Pool(pair_ids=tuple(ids), article_ids=tuple(articles), text=text, **whole)


def _embed_texts(model: Towers, tokens: Tensor, mask: Tensor) -> Tensor:
    """(N, E) of unit length."""
    parts = [(rows, model.embed_texts(tokens[rows, :length], mask[rows, :length])) for rows, length in by_length(mask)]
    return torch.cat([text for _, text in parts])[torch.cat([rows for rows, _ in parts]).argsort()]


def by_length(mask: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Texts in batches, short and long ones apart: the rows of each and the length of its longest. mask: (N, T)."""
    lengths = mask.sum(dim=1)
    for rows in lengths.argsort(stable=True).split(TEXTS):
        yield rows, int(lengths[rows[-1]])


def read_columns(files: Sequence[str], wanted: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Columns of pairs tables by pair; one that the files lack is left out."""
    table = rows_of(files, Pair)
    there = [name for name in wanted if name in table.schema.names]
    return {row.pop("pair_id"): row for row in table.to_table(columns=["pair_id", *there]).to_pylist()}


def image_groups(rows: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
    """Two numberings of N images, (N,) each, in which equal numbers mean copies of one picture.

    By `duplicate_group`, and by `md5` and `box`: the same place of the same published file. What a row lacks makes it
    like no other.
    """
    by_group, by_place = [], []
    for row_number, row in enumerate(rows):
        group, md5 = row.get("duplicate_group"), row.get("md5")
        by_group.append(number(f"group {group}") if group is not None else -1 - row_number)
        by_place.append(number(f"{md5} {row.get('box')}") if md5 is not None else -1 - row_number)
    return torch.tensor(by_group), torch.tensor(by_place)
