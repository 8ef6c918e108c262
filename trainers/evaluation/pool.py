"""The pairs that are retrieved from, as a model sees them, and which of them show or say the same."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc
import torch
from torch import Tensor
from torch.nn.functional import pad
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Pair
from core.sentences import splitter, with_sentences
from core.tables import rows_of
from trainers.batch import Batch, Collate, prepare, read_pairs
from trainers.mlip import Mlip
from trainers.texts import number
from trainers.towers import Towers

TEXTS = 64  # in a batch


@dataclass(frozen=True)
class Pool:
    """N pairs, each image and each text a query for the other side."""

    pair_ids: tuple[str, ...]
    article_ids: tuple[str, ...]
    image: Tensor  # (N, E), unit length
    text: Tensor  # (N, E), unit length
    states: Tensor  # (N, P, image_width), for matching; P is 0 where they are made again when they are asked for
    tokens: Tensor  # (N, T)
    mask: Tensor  # (N, T)
    text_group: Tensor  # (N,)


@dataclass(frozen=True)
class Reading:
    """Which pairs a pool is of, and the model that reads them."""

    folder: str  # of the model
    files: tuple[str, ...]  # of a pairs table
    batch_size: int  # images read and encoded at once
    articles: frozenset[str] | None = None  # of these alone; None: of all


@torch.no_grad()
def embed(model: Towers, batches: Iterable[Batch], *, keeps_states: bool = True) -> Pool:
    """The pairs of the batches as one pool; raises UserError if there are none.

    keeps_states: of all images, as float32: 1.7 GB for 2,850 images of 224 pixels in a ViT-B/16.
    """
    model.eval()
    ids: list[str] = []
    articles: list[str] = []
    parts: dict[str, list[Tensor]] = {name: [] for name in ("image", "states", "tokens", "mask", "text_group")}
    for batch in batches:
        image, states = model.embed_images(batch.images)  # (B, E), (B, P, W)
        kept = states if keeps_states else states[:, :0]
        found = (image, kept, batch.tokens, batch.mask, batch.text_group)
        for part, value in zip(parts.values(), found, strict=True):
            part.append(value)
        ids += batch.pair_ids
        articles += batch.article_ids
    if not ids:
        raise UserError("there are no pairs to retrieve from")
    whole = {
        name: torch.cat(_of_one_length(part) if name in ("tokens", "mask") else part) for name, part in parts.items()
    }
    text = _embed_texts(model, whole["tokens"], whole["mask"])
    return Pool(pair_ids=tuple(ids), article_ids=tuple(articles), text=text, **whole)


def joined(pools: Sequence[Pool]) -> Pool:
    """Pools one after the other as one."""
    whole = {
        name: torch.cat(_of_one_length([getattr(pool, name) for pool in pools]))
        for name in ("image", "text", "states", "tokens", "mask", "text_group")
    }
    ids, articles = ([each for pool in pools for each in getattr(pool, name)] for name in ("pair_ids", "article_ids"))
    return Pool(pair_ids=tuple(ids), article_ids=tuple(articles), **whole)


def _of_one_length(parts: Sequence[Tensor]) -> list[Tensor]:
    """Tokens or masks, (n, T) each, filled up to the longest; anything else as it is."""
    if parts[0].dim() != 2 or parts[0].is_floating_point():
        return list(parts)
    longest = max(part.shape[1] for part in parts)
    return [pad(part, (0, longest - part.shape[1])) for part in parts]


def _embed_texts(model: Towers, tokens: Tensor, mask: Tensor) -> Tensor:
    """(N, E) of unit length."""
    parts = [(rows, model.embed_texts(tokens[rows, :length], mask[rows, :length])) for rows, length in by_length(mask)]
    return torch.cat([text for _, text in parts])[torch.cat([rows for rows, _ in parts]).argsort()]


def by_length(mask: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Texts in batches, short and long ones apart: the rows of each and the length of its longest. mask: (N, T)."""
    lengths = mask.sum(dim=1)
    for rows in lengths.argsort(stable=True).split(TEXTS):
        yield rows, int(lengths[rows[-1]])


def read_batches(
    reading: Reading, model: Towers, tokenizer: PreTrainedTokenizerFast, *, device: str
) -> Iterator[Batch]:
    """The pairs in the order of the files, as the model read those that it learnt from."""
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    cut = splitter(model.sentence_weights) if isinstance(model, Mlip) and model.reads_sentences else None
    for rows in read_pairs(reading.files, batch_size=reading.batch_size, articles=reading.articles):
        read = with_sentences(rows, cut) if cut else rows
        yield collate([prepare(row, collate.image_size) for row in read]).to(device)


def chosen_articles(files: Sequence[str], *, most: int | None, seed: int) -> tuple[frozenset[str] | None, int]:
    """Whole articles with at most so many pairs, drawn by a seed, or None for all; and how many pairs there are.

    Raises UserError where the first that is drawn has more pairs than that.
    """
    pairs = Counter[str]()
    for part in rows_of(files, Pair).to_batches(columns=["article_id"]):
        pairs.update(part["article_id"].to_pylist())
    if most is None or pairs.total() <= most:
        return None, pairs.total()
    chosen, room = set(), most
    for article in sorted(pairs, key=lambda article: (number(f"{seed}:{article}"), article)):
        room -= pairs[article]
        if room < 0:
            break
        chosen.add(article)
    if not chosen:
        raise UserError(f"evaluate.pool: the first article drawn has more than {most} pairs; raise it, or take null")
    return frozenset(chosen), pairs.total()


def read_columns(
    files: Sequence[str], wanted: Sequence[str], *, articles: Collection[str] | None = None
) -> dict[str, dict[str, Any]]:
    """Columns of pairs tables by pair, in the order of the files; one that the files lack is left out."""
    table = rows_of(files, Pair)
    there = [name for name in wanted if name in table.schema.names]
    where = None if articles is None else pc.field("article_id").isin(sorted(articles))
    rows = table.to_table(columns=["pair_id", *there], filter=where).to_pylist()
    return {row.pop("pair_id"): row for row in rows}


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
