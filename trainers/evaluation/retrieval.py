"""Image-text retrieval (BLIP, train_retrieval.py; MedVL, Table 1): ITC ranks all, ITM scores the best again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import pad

from app.config import UserError
from trainers.batch import Batch, Collate, prepare, read_pairs
from trainers.checkpoint import image_marks, load_model, training_articles, training_images
from trainers.objectives.blip import Blip

BELOW = 100.0  # taken from the similarity of candidates that ITM did not score, so that they follow those it did
DEPTHS = (1, 10)  # MedVL reports recall at these


class LeakError(UserError):
    """The model was trained on articles or images of the pool it is to be evaluated on."""


@dataclass(frozen=True)
class Pool:
    """N pairs as a model sees them, each image and each text a query for the other side."""

    pair_ids: tuple[str, ...]
    image: Tensor  # (N, E), unit length
    text: Tensor  # (N, E), unit length
    states: Tensor  # (N, P, image_width), for matching
    tokens: Tensor  # (N, T)
    mask: Tensor  # (N, T)
    text_group: Tensor  # (N,)


@dataclass(frozen=True)
class Example:
    """A query and its best candidates, for people to look at."""

    direction: str  # "i2t" or "t2i"
    query: str  # pair id
    found: list[tuple[str, float]]  # pair ids with scores, best first


@dataclass(frozen=True)
class Retrieval:
    """How well a model finds texts for images and images for texts."""

    metrics: dict[str, float]  # recall, 0 to 1, ties broken at random in expectation; `itc_` before re-ranking
    chance: dict[str, float]  # the same of a model that knows nothing
    pool: int  # pairs
    examples: list[Example]


def evaluate(
    folder: str | Path, files: Sequence[str], *, batch_size: int, rerank: int, n_examples: int = 4, device: str = "cpu"
) -> Retrieval:
    """Retrieval by the model in a folder among all pairs of the files, read with the model's own tokenizer and size.

    rerank: candidates that ITM scores again for each query; 0 leaves ITC alone. Raises LeakError, or UserError on a
    pool without pairs.
    """
    model, tokenizer = load_model(folder)
    model.to(device)
    size = model.settings.image_size
    collate = Collate(tokenizer, size, model.settings.max_tokens)
    batches = [collate([prepare(row, size) for row in rows]) for rows in read_pairs(files, batch_size=batch_size)]
    refuse_leak(training_articles(folder), (article for batch in batches for article in batch.article_ids))
    refuse_same_images(training_images(folder), image_marks(files))
    pool = embed(model, (batch.to(device) for batch in batches))
    similarity = pool.image @ pool.text.T  # (N, N)
    itc = metrics(similarity, similarity.T, text_group=pool.text_group)
    to_text, to_image = similarity, similarity.T
    if rerank and model.weights["itm"] > 0:
        to_text, to_image = match_again(model, pool, similarity, k=rerank, batch_size=batch_size)
    return Retrieval(
        metrics=metrics(to_text, to_image, text_group=pool.text_group) | {f"itc_{k}": v for k, v in itc.items()},
        chance=chance(pool.text_group),
        pool=len(pool.pair_ids),
        examples=examples(to_text, pool, "i2t", n=n_examples) + examples(to_image, pool, "t2i", n=n_examples),
    )


def refuse_leak(trained_on: set[str], pool: Iterable[str]) -> None:
    """Raise LeakError if the model has seen an article of the pool."""
    seen = sorted(trained_on & set(pool))
    if seen:
        raise LeakError(
            f"the model was trained on {len(seen)} articles of this pool, {', '.join(seen[:3])} among them; "
            "evaluate it on a split that shares no article with its training pairs"
        )


def refuse_same_images(trained_on: set[str], pool: Mapping[str, str]) -> None:
    """Raise LeakError if the model has seen an image of the pool, in whichever article; pool: mark -> article."""
    seen = sorted({article for mark, article in pool.items() if mark in trained_on})
    if seen:
        raise LeakError(
            f"the model was trained on images that {len(seen)} articles of this pool show, {', '.join(seen[:3])} among "
            "them; evaluate it on a split of the table that it was trained on"
        )


@torch.no_grad()
def embed(model: Blip, batches: Iterable[Batch]) -> Pool:
    """The pairs of the batches as one pool. The states of N images stay in memory, as re-ranking needs each k times."""
    model.eval()
    ids: list[str] = []
    parts: dict[str, list[Tensor]] = {name: [] for name in ("image", "text", "states", "tokens", "mask", "text_group")}
    for batch in batches:
        image, states = model.embed_images(batch.images)
        text = model.embed_texts(batch.tokens, batch.mask)
        found = (image, text, states, batch.tokens, batch.mask, batch.text_group)
        for part, value in zip(parts.values(), found, strict=True):
            part.append(value)
        ids += batch.pair_ids
    if not ids:
        raise UserError("there are no pairs to retrieve from")
    longest = max(tokens.shape[1] for tokens in parts["tokens"])
    for name in ("tokens", "mask"):
        parts[name] = [pad(value, (0, longest - value.shape[1])) for value in parts[name]]
    return Pool(pair_ids=tuple(ids), **{name: torch.cat(part) for name, part in parts.items()})


@torch.no_grad()
def match_again(model: Blip, pool: Pool, similarity: Tensor, *, k: int, batch_size: int) -> tuple[Tensor, Tensor]:
    """Scores image to text and text to image, (N, N) each, a row's k best by ITM's logit + similarity (BLIP)."""
    k = min(k, len(similarity))
    best_texts, best_images = similarity.topk(k, dim=1).indices, similarity.T.topk(k, dim=1).indices  # (N, k)
    query = torch.arange(len(similarity), device=similarity.device).repeat_interleave(k)  # (N * k,)
    to_text, to_image = similarity - BELOW, similarity.T - BELOW
    for scores, candidate, image, text in (
        (to_text, best_texts.flatten(), query, best_texts.flatten()),
        (to_image, best_images.flatten(), best_images.flatten(), query),
    ):
        logits = _match(model, pool, image, text, batch_size=batch_size)
        scores[query, candidate] += BELOW + logits
    return to_text, to_image


def _match(model: Blip, pool: Pool, image: Tensor, text: Tensor, *, batch_size: int) -> Tensor:
    """(Q,) logits that text[q] belongs to image[q], both indices into the pool."""
    logits = []
    for i, t in zip(image.split(batch_size), text.split(batch_size), strict=True):
        length = int(pool.mask[t].sum(dim=1).max())
        logits.append(model.match_scores(pool.states[i], pool.tokens[t, :length], pool.mask[t, :length]))
    return torch.cat(logits)


def metrics(to_text: Tensor, to_image: Tensor, *, text_group: Tensor) -> dict[str, float]:
    """Recall at 1 and 10 in both directions: any pair with the query's text is right; `strict_`, its own pair only.

    to_text: (N, N), row i the scores of all texts for image i. to_image: (N, N), row i those of all images for text i.
    """
    own = torch.eye(len(to_text), dtype=torch.bool, device=to_text.device)
    same = text_group[:, None] == text_group[None, :]
    found = {}
    for prefix, correct in (("", same), ("strict_", own)):
        for direction, scores in (("i2t", to_text), ("t2i", to_image)):
            for k in DEPTHS:
                found[f"{prefix}{direction}@{k}"] = recall_at(scores, correct, k=k)
    return found


def recall_at(scores: Tensor, correct: Tensor, *, k: int) -> float:
    """The share of queries with a correct candidate among their k best, if equal scores are put in a random order.

    scores: (Q, C). correct: (Q, C) bool, at least one in a row. A constant score gives k / C, however the rows lie.
    """
    best = scores.masked_fill(~correct, float("-inf")).amax(dim=1, keepdim=True)  # (Q, 1)
    above = (scores > best).sum(dim=1)  # (Q,), all of them wrong
    tied = (scores == best) & ~correct
    wrong, right = tied.sum(dim=1).double(), ((scores == best) & correct).sum(dim=1).double()
    free = (k - above).clamp(min=0)  # places left for those that tie with the best correct one
    missed = torch.ones_like(wrong)
    for place in range(k):
        chance_of_wrong = (wrong - place).clamp(min=0) / (wrong + right - place).clamp(min=1)
        missed = torch.where(place < free, missed * chance_of_wrong, missed)
    return (1 - missed).mean().item()


def chance(text_group: Tensor) -> dict[str, float]:
    """The recall of a model that scores every candidate alike."""
    nothing = torch.zeros(len(text_group), len(text_group))
    return metrics(nothing, nothing, text_group=text_group.cpu())


def examples(scores: Tensor, pool: Pool, direction: str, *, n: int) -> list[Example]:
    """n queries, evenly spread over the pool, with their five best candidates."""
    count = len(scores)
    queries = sorted({round(q * (count - 1) / max(1, n - 1)) for q in range(n)})
    best = scores.topk(min(5, count), dim=1)
    return [
        Example(
            direction=direction,
            query=pool.pair_ids[q],
            found=[
                (pool.pair_ids[c], round(s, 4))
                for c, s in zip(best.indices[q].tolist(), best.values[q].tolist(), strict=True)
            ],
        )
        for q in queries
    ]


def lift(found: Mapping[str, float], at_chance: Mapping[str, float]) -> dict[str, float]:
    """How many times better than chance each metric is."""
    return {name: found[name] / at_chance[name] for name in at_chance}
