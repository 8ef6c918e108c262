"""What an image tells a model of hidden or following words: their loss with the right image and with another's."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from core.config import UserError
from core.settings import ObjectiveSettings
from trainers.batch import Batch, Collate, prepare, read_pairs
from trainers.blip import Blip
from trainers.checkpoint import load_blip, masking, training_articles
from trainers.evaluation.bootstrap import bounds, resampled_means
from trainers.evaluation.retrieval import refuse_leak
from trainers.losses.masked import Masking, mask_tokens


@dataclass(frozen=True)
class ImageGain:
    """Nats that a word piece costs more with the image of another article; 0 if the image is not looked at."""

    value: float
    low: float  # 95 %, by resampling articles
    high: float
    right: float  # nats a piece with its own image
    words: int  # pieces that were asked for


class _Costs(NamedTuple):
    """Of N pairs, (N,) each: nats with the right image, nats with another's, pieces."""

    right: Tensor
    other: Tensor
    pieces: Tensor


def image_gain(
    folder: str | Path, files: Sequence[str], *, batch_size: int, resamples: int = 1000, seed: int = 0
) -> ImageGain:
    """The gain of the model in a folder on the pairs of the files, each beside one of another article and text.

    The same seed hides the same pieces and shuffles the same way. Raises UserError if nothing can be asked, LeakError
    if the model was trained on the articles.
    """
    model, tokenizer = load_blip(folder)
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    hides = masking(ObjectiveSettings(), tokenizer)
    costs, articles = [], list[str]()
    for number, batch in enumerate(_shuffled(files, collate, batch_size=batch_size, seed=seed)):
        refuse_leak(training_articles(folder, batch.article_ids), batch.article_ids)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + number)
        costs.append(_cost(model, batch, hides, generator))
        articles += batch.article_ids
    if not costs:
        raise UserError("there are no pairs to ask for words")
    right, other, pieces = (torch.cat(each).numpy() for each in zip(*costs, strict=True))
    if not pieces.any():
        raise UserError("no pair stands beside one of another article, or none has words to ask for")
    # Sums of each article resampled: a ratio of two means over the same draws is nats a piece.
    means = resampled_means(np.column_stack([other - right, pieces]), articles, resamples=resamples, seed=seed)
    total = pieces.sum()
    low, high = bounds(means[:, 0] / means[:, 1])
    return ImageGain(float((other - right).sum() / total), low, high, float(right.sum() / total), int(total))


def _shuffled(files: Sequence[str], collate: Collate, *, batch_size: int, seed: int) -> Iterator[Batch]:
    """The pairs in batches, neighbours in the table far apart; a last one alone is left out."""
    rows = [row for part in read_pairs(files, batch_size=batch_size) for row in part]
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed)).split(batch_size)
    for places in order:
        if len(places) > 1:
            yield collate([prepare(rows[place], collate.image_size) for place in places.tolist()])


@torch.no_grad()
def _cost(model: Blip, batch: Batch, hides: Masking, generator: torch.Generator) -> _Costs:
    """The costs of a batch, each pair's neighbour its other one; nothing is asked of pairs that have none."""
    beside = torch.arange(len(batch)).roll(1)
    articles = zip(batch.article_ids, (batch.article_ids[place] for place in beside.tolist()), strict=True)
    foreign = torch.tensor([own != other for own, other in articles])
    foreign &= batch.text_group != batch.text_group[beside]
    hidden, chosen = mask_tokens(batch.tokens, hides, generator)
    asked = chosen if model.decoder is None else batch.mask[:, 1:]  # each piece after the first follows another one
    states = model.embed_images(batch.images)[1]
    right, other = (_nats(model, batch, each, hidden, chosen) for each in (states, states[beside]))
    return _Costs(*((each * foreign).double() for each in (right, other, asked.sum(dim=1))))


def _nats(model: Blip, batch: Batch, states: Tensor, hidden: Tensor, chosen: Tensor) -> Tensor:
    """(N,): the summed loss of each pair's asked pieces, beside an image. states: (N, P, image_width)."""
    if model.decoder is None:
        logits, truth, asked = model.masked_words(states, hidden, batch.mask, chosen), batch.tokens, chosen
    else:
        logits, truth, asked = (
            model.next_words(states, batch.tokens, batch.mask),
            batch.tokens[:, 1:],
            batch.mask[:, 1:],
        )
    loss = cross_entropy(logits.float(), truth[asked], reduction="none")
    return torch.zeros(len(batch)).index_add(0, asked.nonzero()[:, 0], loss)
