"""The best by similarity once more by ITM (BLIP, train_retrieval.py), each image's keys and values computed once."""

from dataclasses import dataclass
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
from trainers.evaluation.pool import Pool, by_length
from trainers.evaluation.recall import per_query, recalls

WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)  # of ITM's logit beside cosine / T
BELOW = 100.0  # taken from the similarity of candidates that ITM did not score, so that they follow those it did
ON_CPU, ON_GPU = 16, 256  # texts in a batch; on a CPU their states are to stay in its cache, which halves the time


class Seen(NamedTuple):
    """What the texts' queries meet in one layer when they look at one image; (1, heads, P, width / heads) each."""

    keys: Tensor
    values: Tensor


@dataclass(frozen=True)
class Judged:
    """What both judges say of the candidates of every query."""

    similarity: Tensor  # (N, N) cosines, images by texts
    logits: Tensor  # (N, N) of ITM, 0 where it was not asked
    for_image: Tensor  # (N, N) bool, an image's candidates
    for_text: Tensor  # (N, N) bool, a text's, texts by images

    def scores(self, *, cosine: float = 1.0, logit: float = 1.0) -> tuple[Tensor, Tensor]:
        """Image to text and text to image, (N, N) each: candidates by a weighted sum, above the rest by cosine."""
        most = BELOW * max(1.0, cosine, logit)
        total = cosine * self.similarity + logit * self.logits
        rest = cosine * self.similarity - most
        return torch.where(self.for_image, total, rest), torch.where(self.for_text, total.T, rest.T)


@torch.inference_mode()
def judged(model: Blip, pool: Pool, similarity: Tensor, *, k: int) -> Judged:
    """ITM's logits of the k best of each row and of each column. similarity: (N, N), images by texts.

    k may be more than N. A pair among the best both ways is scored once. Beside the pool one state for each piece of
    every text is kept, (N, T, text_width).
    """
    for_image, for_text = best(similarity, k), best(similarity.T, k)  # (N, N) bool, rows are queries
    return Judged(similarity, match_logits(model, pool, for_image | for_text.T), for_image, for_text)


@torch.inference_mode()
def match_again(
    model: Blip, pool: Pool, similarity: Tensor, *, k: int, cosine: float = 1.0, logit: float = 1.0
) -> tuple[Tensor, Tensor]:
    """Scores image to text and text to image, (N, N) each: a row's k best by a sum of both judges, above the rest.

    cosine, logit: their weights; 1 and 1 is BLIP's sum, 1 / T and a weight chosen on validation is ours.
    """
    return judged(model, pool, similarity, k=k).scores(cosine=cosine, logit=logit)


def chosen_weight(found: Judged, same: Tensor, *, temperature: float) -> float:
    """Of `WEIGHTS` the one with the best mean recall @1 and @10, both ways; 0, ITC alone, where none is better.

    found: of validation pairs. same: (N, N) bool, which pairs are right.
    """

    def worth(weight: float) -> float:
        scores = found.scores(cosine=1 / temperature, logit=weight)
        return float(recalls(per_query(*scores, same=same))["mean"].mean())

    return max(WEIGHTS, key=worth)  # the first, which is the smallest, among equals


def candidates_auc(scores: Tensor, chosen: Tensor, same: Tensor) -> float | None:
    """How often a right candidate of a query stands above a wrong one of it; equal ones count half. None without both.

    scores, chosen, same: (N, N), queries by candidates: any scores, which were candidates, which are right.
    """
    wins, pairs = 0.0, 0
    for row, there, right in zip(scores, chosen, same, strict=True):
        good, bad = row[there & right], row[there & ~right]
        gap = good[:, None] - bad[None, :]
        wins += float((gap > 0).sum()) + 0.5 * float((gap == 0).sum())
        pairs += gap.numel()
    return wins / pairs if pairs else None


def best(scores: Tensor, k: int) -> Tensor:
    """(Q, C) bool: the k best of each row, all where there are no more."""
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    return chosen.scatter(1, scores.topk(min(k, scores.shape[1]), dim=1).indices, True)


@torch.inference_mode()
def match_logits(model: Blip, pool: Pool, wanted: Tensor) -> Tensor:
    """(N, N) logits that text j belongs to image i where wanted, else 0; equal to Blip.match_scores().

    wanted: (N, N) bool. Image by image: all its texts look at the same keys and values, short and long texts apart.
    """
    order, at_once = pool.mask.sum(dim=1).argsort(stable=True), ON_CPU if wanted.device.type == "cpu" else ON_GPU
    begun = _begin_texts(model, pool)
    logits = torch.zeros(wanted.shape, device=wanted.device)
    asked = wanted[:, order].cpu()
    lengths = pool.mask.sum(dim=1).tolist()
    for image in asked.any(dim=1).nonzero().flatten().tolist():
        seen = look_at(model, pool.states[image : image + 1])
        for texts in order[asked[image].to(order.device)].split(at_once):
            length = lengths[int(texts[-1])]
            logits[image, texts] = _read_on(model, begun[texts, :length], pool.mask[texts, :length], seen)
    return logits


def look_at(model: Blip, states: Tensor) -> list[Seen]:
    """What each layer of the fusion encoder sees of one image. states: (1, P, image_width)."""
    attentions = model.text_encoder.cross_attentions()
    return [Seen(_by_head(each.key(states), each), _by_head(each.value(states), each)) for each in attentions]


def _layers(model: Blip) -> list[BertLayer]:
    return cast(list[BertLayer], list(model.text_encoder.bert.encoder.layer))


def _begin_texts(model: Blip, pool: Pool) -> Tensor:
    """(N, T, W): the texts up to where the first layer looks at an image, which is the same for every image."""
    bert = model.text_encoder.bert
    begun = torch.zeros(*pool.tokens.shape, bert.config.hidden_size, device=pool.tokens.device)
    for rows, length in by_length(pool.mask):
        words = bert.embeddings(input_ids=pool.tokens[rows, :length])
        begun[rows, :length] = _read_text(_layers(model)[0], words, pool.mask[rows, :length])
    return begun


def _read_on(model: Blip, begun: Tensor, mask: Tensor, seen: list[Seen]) -> Tensor:
    """(n,) logits that texts belong to an image. begun: (n, T, W). mask: (n, T)."""
    states = begun
    for place, (layer, image) in enumerate(zip(_layers(model), seen, strict=True)):
        if place:
            states = _read_text(layer, states, mask)
        states = layer.feed_forward_chunk(_ask(layer.crossattention, states, image))
    return model.match_head(model.pool_text(states, mask)).float()[:, 1]


def _read_text(layer: BertLayer, states: Tensor, mask: Tensor) -> Tensor:
    """A layer's self-attention. states: (n, T, W)."""
    seen: Tensor = layer.attention(states, mask[:, None, None, :])[0]
    return seen


def _ask(attention: BertAttention, states: Tensor, image: Seen) -> Tensor:
    """A layer's cross-attention of n texts to one image, all their pieces as one row of queries. states: (n, T, W)."""
    queries = _by_head(attention.self.query(states).flatten(0, 1)[None], attention.self)  # (1, heads, n * T, d)
    answer = scaled_dot_product_attention(queries, image.keys, image.values)
    found: Tensor = attention.output(answer.transpose(1, 2).reshape(states.shape), states)
    return found


def _by_head(rows: Tensor, attention: BertCrossAttention | BertSelfAttention) -> Tensor:
    """(1, L, W) as (1, heads, L, W / heads)."""
    return rows.unflatten(-1, (attention.num_attention_heads, attention.attention_head_size)).transpose(1, 2)
