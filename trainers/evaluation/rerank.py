"""The best by similarity once more by ITM (BLIP, train_retrieval.py), each image's keys and values computed once."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple, cast

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers.models.bert.modeling_bert import (
    BertAttention,
    BertCrossAttention,
    BertLayer,
    BertSelfAttention,
)

from trainers.blip import Blip
from trainers.evaluation.pool import by_length
from trainers.evaluation.ranking import Both, named, reordered
from trainers.evaluation.recall import Standing, per_query, recalls

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # of ITM's logit beside cosine / T
BELOW = 100.0  # taken from the similarity of candidates that ITM did not score, so that they follow those it did
ON_CPU, ON_GPU = 16, 256  # texts in a batch; on a CPU their states are to stay in its cache, which halves the time
TILE = 16  # texts of one image that look at it side by side
IMAGES = 16  # of which keys and values are in memory at once


class Seen(NamedTuple):
    """What the texts' queries meet in one layer when they look at I images; (I, heads, P, width / heads) each."""

    keys: Tensor
    values: Tensor


class Pairs(NamedTuple):
    """Images and texts that are to be matched, by their numbers in the pool, image by image; (R,) each."""

    image: Tensor
    text: Tensor


class Judged(NamedTuple):
    """What both judges say of the k nearest candidates of every query."""

    both: Both  # by cosine
    logits: tuple[Tensor, Tensor]  # (N, k) of ITM, image to text and text to image

    def totals(self, side: int, *, cosine: float, logit: float) -> Tensor:
        """(N, k) weighted sums of one direction's candidates."""
        logits = self.logits[side]
        return cosine * self.both[side].cosines[:, : logits.shape[1]] + logit * logits

    def standings(self, *, cosine: float = 1.0, logit: float = 1.0) -> dict[str, Standing]:
        """As recall.per_query() takes them: candidates by a weighted sum, above the rest by cosine."""
        totals = [self.totals(side, cosine=cosine, logit=logit) for side in (0, 1)]
        return named(lambda side, strict: reordered(self.both[side], totals[side], strict=strict))

    def shown(self, side: int, *, cosine: float = 1.0, logit: float = 1.0) -> tuple[Tensor, Tensor]:
        """(N, n) candidates of one direction that are kept, and their scores, best first."""
        at, totals = self.both[side], self.totals(side, cosine=cosine, logit=logit)
        rest = cosine * at.cosines[:, totals.shape[1] :] - BELOW * max(1.0, cosine, logit)
        scores, order = torch.cat([totals, rest], dim=1).sort(dim=1, descending=True, stable=True)
        return at.nearest.gather(1, order), scores


def wanted(both: Both, *, k: int) -> Pairs:
    """The k nearest of every query, each pair once, though it may be asked for from both sides; sorted by image."""
    count = len(both.to_text.query)
    keys = torch.cat([key.flatten() for key in _keys(both, k=k)]).unique()
    return Pairs(keys // count, keys % count)


def _keys(both: Both, *, k: int) -> tuple[Tensor, Tensor]:
    """(N, k) each: a number for the pair of each query and candidate, the same from both sides."""
    count = len(both.to_text.query)
    of_image = both.to_text.query[:, None] * count + both.to_text.nearest[:, :k]
    return of_image, both.to_image.nearest[:, :k] * count + both.to_image.query[:, None]


def judged(both: Both, pairs: Pairs, logits: Tensor, *, k: int) -> Judged:
    """The logits of wanted() pairs, (R,), beside the candidates they are of."""
    keys = pairs.image * len(both.to_text.query) + pairs.text
    to_text, to_image = (logits[torch.searchsorted(keys, place)] for place in _keys(both, k=k))
    return Judged(both, (to_text, to_image))


def chosen_weight(found: Judged, *, temperature: float) -> float:
    """Of `WEIGHTS` the one with the best mean recall @1 and @10, both ways; 0, ITC alone, where none is better.

    found: of validation pairs.
    """

    def worth(weight: float) -> float:
        at = found.standings(cosine=1 / temperature, logit=weight)
        return float(recalls(per_query(at))["mean"].mean())

    return max(WEIGHTS, key=worth)  # the first, which is the smallest, among equals


def candidates_auc(scores: Tensor, is_right: Tensor) -> float | None:
    """How often a right candidate of a query stands above a wrong one of it; equal ones count half. None without both.

    scores, is_right: (N, k), of each query's candidates.
    """
    wins, pairs = 0.0, 0
    for row, right in zip(scores, is_right, strict=True):
        gap = row[right][:, None] - row[~right][None, :]
        wins += float((gap > 0).sum()) + 0.5 * float((gap == 0).sum())
        pairs += gap.numel()
    return wins / pairs if pairs else None


@torch.inference_mode()
def match_pairs(
    model: Blip, states: Iterable[tuple[int, Tensor]], tokens: Tensor, mask: Tensor, pairs: Pairs
) -> Tensor:
    """(R,) logits that texts belong to images, equal to Blip.match_scores(); 0 of images that do not come.

    states: of images in turn, the number of the first and their states (I, P, image_width). tokens, mask: (N, T) of
    all texts. An image is looked at once, whatever the number of its texts.
    """
    logits = torch.zeros(len(pairs.image), device=tokens.device)
    for first, some in states:
        for start in range(0, len(some), IMAGES):
            images = some[start : start + IMAGES]
            ends = torch.tensor([first + start, first + start + len(images)], device=pairs.image.device)
            begin, end = torch.searchsorted(pairs.image, ends).tolist()
            if begin < end:
                part = Pairs(pairs.image[begin:end] - (first + start), pairs.text[begin:end])
                logits[begin:end] = _match(model, images, tokens, mask, part)
    return logits


def _match(model: Blip, states: Tensor, tokens: Tensor, mask: Tensor, pairs: Pairs) -> Tensor:
    """(R,) logits. states: (I, P, image_width), which `pairs` number from 0."""
    texts, of_text = pairs.text.unique(return_inverse=True)
    tokens, mask = tokens[texts], mask[texts]  # (U, T), of these pairs alone
    begun, seen = _begin_texts(model, tokens, mask), look_at(model, states)
    logits = torch.zeros(len(of_text), device=tokens.device)
    lengths, at_once = mask.sum(dim=1)[of_text].cpu(), ON_CPU if tokens.device.type == "cpu" else ON_GPU
    for places in batched(pairs.image.cpu(), lengths, at_once=at_once):
        length, tiles = int(lengths[places].max()), places.to(tokens.device)
        rows = of_text[tiles]  # (B, M)
        images = pairs.image[tiles[:, 0]]
        there = [Seen(each.keys[images], each.values[images]) for each in seen]
        logits[tiles] = _read_on(model, begun[rows][:, :, :length], mask[rows][:, :, :length], there)
    return logits


def batched(image: Tensor, lengths: Tensor, *, at_once: int) -> Iterator[Tensor]:
    """(B, M) places of pairs: B tiles of M texts that look at one image, some B x M at once; a last one may come twice.

    image, lengths: (R,), sorted by image; the length of each pair's text. Tiles hold texts of about one length, and
    stand beside tiles of about as many.
    """
    order = lengths.argsort(stable=True)
    order = order[image[order].argsort(stable=True)]  # by image, then by length
    counts = image.bincount()
    tiles = [part for texts in order.split(counts[counts > 0].tolist()) for part in texts.split(TILE)]
    tiles.sort(key=lambda tile: (len(tile), int(lengths[tile[-1]])))
    start = 0
    while start < len(tiles):
        end = start + 1
        while end < len(tiles) and len(tiles[end]) * (end + 1 - start) <= at_once:
            end += 1
        most = len(tiles[end - 1])
        yield torch.stack([torch.cat([tile, tile[-1:].expand(most - len(tile))]) for tile in tiles[start:end]])
        start = end


def look_at(model: Blip, states: Tensor) -> list[Seen]:
    """What each layer of the fusion encoder sees of images. states: (I, P, image_width)."""
    attentions = model.text_encoder.cross_attentions()
    return [Seen(_by_head(each.key(states), each), _by_head(each.value(states), each)) for each in attentions]


def _layers(model: Blip) -> list[BertLayer]:
    return cast(list[BertLayer], list(model.text_encoder.bert.encoder.layer))


def _begin_texts(model: Blip, tokens: Tensor, mask: Tensor) -> Tensor:
    """(U, T, W): the texts up to where the first layer looks at an image, which is the same for every image."""
    bert = model.text_encoder.bert
    begun = torch.zeros(*tokens.shape, bert.config.hidden_size, device=tokens.device)
    for rows, length in by_length(mask):
        words = bert.embeddings(input_ids=tokens[rows, :length])
        begun[rows, :length] = _read_text(_layers(model)[0], words, mask[rows, :length])
    return begun


def _read_on(model: Blip, begun: Tensor, mask: Tensor, seen: list[Seen]) -> Tensor:
    """(B, M) logits that texts belong to their tile's image. begun: (B, M, T, W). mask: (B, M, T)."""
    tiles, texts = begun.shape[:2]
    states, mask = begun.flatten(0, 1), mask.flatten(0, 1)  # (B * M, T, W)
    for place, (layer, image) in enumerate(zip(_layers(model), seen, strict=True)):
        if place:
            states = _read_text(layer, states, mask)
        states = layer.feed_forward_chunk(_ask(layer.crossattention, states, image, tiles=tiles))
    return model.match_head(model.pool_text(states, mask)).float()[:, 1].view(tiles, texts)


def _read_text(layer: BertLayer, states: Tensor, mask: Tensor) -> Tensor:
    """A layer's self-attention. states: (n, T, W)."""
    seen: Tensor = layer.attention(states, mask[:, None, None, :])[0]
    return seen


def _ask(attention: BertAttention, states: Tensor, image: Seen, *, tiles: int) -> Tensor:
    """A layer's cross-attention: the pieces of a tile's texts are one row of queries. states: (B * M, T, W)."""
    rows = attention.self.query(states).view(tiles, -1, attention.self.all_head_size)  # (B, M * T, W)
    answer = scaled_dot_product_attention(_by_head(rows, attention.self), image.keys, image.values)
    found: Tensor = attention.output(answer.transpose(1, 2).reshape(states.shape), states)
    return found


def _by_head(rows: Tensor, attention: BertCrossAttention | BertSelfAttention) -> Tensor:
    """(I, L, W) as (I, heads, L, W / heads)."""
    return rows.unflatten(-1, (attention.num_attention_heads, attention.attention_head_size)).transpose(1, 2)
