"""Image-text retrieval (BLIP, train_retrieval.py; MedVL, Table 1): ITC ranks all, ITM scores the best again."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.sentences import SentenceSplitter, splitter, with_sentences
from trainers.batch import Batch, Collate, prepare, read_pairs
from trainers.blip import Blip
from trainers.checkpoint import image_marks, load_model, training_articles, training_images
from trainers.evaluation.bootstrap import bounds, resampled_means
from trainers.evaluation.pool import Pool, embed, image_groups, read_columns
from trainers.evaluation.recall import alike, median_ranks, per_query, recalls
from trainers.evaluation.rerank import Judged, candidates_auc, chosen_weight, judged
from trainers.mlip import Mlip
from trainers.towers import Towers

KEPT = ("i2t@1", "i2t@10", "t2i@1", "t2i@10")  # MedVL, table 1: kept by query, and told by modality
EXAMPLES = 4  # queries in each direction
FEWEST = 10  # queries of a modality from which its recall is told
UNTRAINED = "the model was not trained to match images and texts: ITC alone"


class LeakError(UserError):
    """The model was trained on articles or images of the pool it is to be evaluated on."""


@dataclass(frozen=True)
class Example:
    """A query and its best candidates, for people to look at."""

    direction: str  # "i2t" or "t2i"
    query: str  # pair id
    found: list[tuple[str, float]]  # pair ids with scores, best first


@dataclass(frozen=True)
class Retrieval:
    """How well a model finds texts for images and images for texts.

    Right is a pair with the same text or a copy of the same image; by the names that begin with `strict_`, the query's
    own pair only. By those that begin with `itc_`, before re-ranking. `mean` is BLIP's r_mean.
    """

    metrics: dict[str, float]  # recall, 0 to 1, ties broken at random in expectation
    intervals: dict[str, tuple[float, float]]  # 95 %, of the same, by resampling articles; empty without resamples
    chance: dict[str, float]  # the recall of a model that knows nothing
    median_rank: dict[str, float]  # of the best right candidate, from 1, mid-ranks for ties
    by_modality: dict[str, dict[str, float]]  # modality -> `queries` and recalls against the whole pool
    pool: int  # pairs
    reranked: int  # candidates of each query that ITM scored
    note: str  # why none, where some were asked for
    examples: list[Example]
    queries: list[str]  # pair ids
    articles: list[str]  # of the queries, what `bootstrap.difference` and `bootstrap.ratio` resample
    found: dict[str, list[float]]  # by metric, of each query the chance that it finds a right one
    weight: float | None = None  # of ITM's logit beside cosine / T, chosen on other pairs; None: BLIP's sum, or no ITM
    nearest: dict[str, float] = field(default_factory=dict)  # AUC of `cosine` and `itm` among an image's candidates


def evaluate(
    folder: str | Path,
    files: Sequence[str],
    *,
    batch_size: int,
    rerank: int,
    resamples: int = 1000,
    seed: int = 0,
    device: str = "cpu",
    weigh_on: Sequence[str] | None = None,
) -> Retrieval:
    """Retrieval by the model in a folder among all pairs of the files, read with the model's own tokenizer and size.

    batch_size: images read and encoded at once. rerank: candidates that ITM scores again for each query, at most the
    pool; 0 leaves ITC alone. resamples, seed: of the intervals. weigh_on: other pairs, on which ITM's weight beside
    cosine / T is chosen; None: BLIP's sum of cosine and logit. Raises LeakError, or UserError on a pool without pairs.
    """
    model, tokenizer = load_model(folder)
    model = model.to(device)

    def read(files: Sequence[str]) -> tuple[Pool, list[dict[str, Any]], Tensor]:
        return _read(folder, files, model, tokenizer, batch_size=batch_size)

    pool, rows, same = read(files)
    similarity = pool.image @ pool.text.T  # (N, N)
    matcher = model if isinstance(model, Blip) and model.matches else None
    k = min(rerank, len(rows)) if matcher else 0
    both = judged(matcher, pool, similarity, k=k) if matcher and k else None
    weight = _weight(matcher, *read(weigh_on), k=k) if both and matcher and weigh_on else None
    to_text, to_image = similarity, similarity.T
    if both and matcher:
        by_cosine = 1.0 if weight is None else 1 / matcher.temperature.item()
        to_text, to_image = both.scores(cosine=by_cosine, logit=1.0 if weight is None else weight)
    final, by_itc = per_query(to_text, to_image, same=same), per_query(similarity, similarity.T, same=same)
    recall = {name: each.numpy() for name, each in (recalls(final) | _itc(recalls(by_itc))).items()}
    return Retrieval(
        metrics={name: float(each.mean()) for name, each in recall.items()},
        intervals=intervals(recall, pool.article_ids, resamples=resamples, seed=seed),
        chance=chance(same),
        median_rank=median_ranks(final | _itc(by_itc)),
        by_modality=by_modality(recall, [row.get("modality") or "other" for row in rows]),
        pool=len(rows),
        reranked=k,
        note=UNTRAINED if rerank and not matcher else "",
        examples=examples(to_text, pool, "i2t", n=EXAMPLES) + examples(to_image, pool, "t2i", n=EXAMPLES),
        queries=list(pool.pair_ids),
        articles=list(pool.article_ids),
        found={name: recall[name].round(4).tolist() for name in KEPT},
        weight=weight,
        nearest=_nearest(both, same) if both else {},
    )


def _read(
    folder: str | Path, files: Sequence[str], model: Towers, tokenizer: PreTrainedTokenizerFast, *, batch_size: int
) -> tuple[Pool, list[dict[str, Any]], Tensor]:
    """The pool of some files, what is known of its pairs, and which are right for each other; LeakError if seen."""
    about = read_columns(files, ("article_id", "duplicate_group", "md5", "box", "modality"))
    refuse_leak(training_articles(folder), (row["article_id"] for row in about.values()))
    refuse_same_images(training_images(folder), image_marks(files))
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    cut = splitter(model.sentence_weights) if isinstance(model, Mlip) and model.reads_sentences else None
    device = str(next(model.parameters()).device)
    pool = embed(model, _batches(files, collate, cut, batch_size=batch_size, device=device))
    rows = [about[pair_id] for pair_id in pool.pair_ids]
    return pool, rows, alike(pool.text_group, *(group.to(device) for group in image_groups(rows)))


def _weight(matcher: Blip, pool: Pool, rows: Sequence[Any], same: Tensor, *, k: int) -> float:
    """Of ITM's logit beside cosine / T, as it does best in a pool that is not the one evaluated."""
    found = judged(matcher, pool, pool.image @ pool.text.T, k=min(k, len(rows)))
    return chosen_weight(found, same, temperature=matcher.temperature.item())


def _nearest(both: Judged, same: Tensor) -> dict[str, float]:
    """How well each judge alone tells right candidates of images from wrong ones: AUC, nothing where undefined."""
    scores = {"cosine": both.similarity, "itm": both.logits}
    found = {name: candidates_auc(each, both.for_image, same) for name, each in scores.items()}
    return {name: auc for name, auc in found.items() if auc is not None}


def refuse_leak(trained_on: set[str], pool: Iterable[str], *, of: str = "article") -> None:
    """Raise LeakError if the model has seen an article of the pool, or what else its ids are of."""
    seen = sorted(trained_on & set(pool))
    if seen:
        raise LeakError(
            f"the model was trained on {len(seen)} {of}s of this pool, {', '.join(seen[:3])} among them; "
            f"evaluate it on a split that shares no {of} with its training pairs"
        )


def refuse_same_images(trained_on: set[str], pool: Mapping[str, str], *, of: str = "article") -> None:
    """Raise LeakError if the model has seen an image of the pool, in whichever article; pool: mark -> article."""
    seen = sorted({article for mark, article in pool.items() if mark in trained_on})
    if seen:
        raise LeakError(
            f"the model was trained on images that {len(seen)} {of}s of this pool show, {', '.join(seen[:3])} among "
            "them; evaluate it on a split of the table that it was trained on"
        )


def _batches(
    files: Sequence[str], collate: Collate, cut: SentenceSplitter | None, *, batch_size: int, device: str
) -> Iterator[Batch]:
    """cut: into sentences, of a model that learnt from texts that end with whole ones."""
    for rows in read_pairs(files, batch_size=batch_size):
        read = with_sentences(rows, cut) if cut else rows
        yield collate([prepare(row, collate.image_size) for row in read]).to(device)


def _itc(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"itc_{name}": each for name, each in found.items()}


def intervals(
    recall: Mapping[str, NDArray[np.float64]], articles: Sequence[str], *, resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """The 95 % interval of the mean of each measure; recall: (N,) each, of N queries. {} unresampled."""
    if not resamples:
        return {}
    means = resampled_means(np.column_stack(list(recall.values())), articles, resamples=resamples, seed=seed)
    return {name: bounds(column) for name, column in zip(recall, means.T, strict=True)}


def by_modality(recall: Mapping[str, NDArray[np.float64]], modalities: Sequence[str]) -> dict[str, dict[str, float]]:
    """The recalls that are kept, of the queries of each modality with enough of them; the most frequent first."""
    of = np.asarray(modalities)
    counts = [(name, n) for name, n in Counter(modalities).most_common() if n >= FEWEST]
    return {
        name: {"queries": n} | {metric: float(recall[metric][of == name].mean()) for metric in KEPT}
        for name, n in counts
    }


def chance(same: Tensor) -> dict[str, float]:
    """The recall of a model that scores every candidate alike. same: (N, N) bool, which pairs are right."""
    nothing = torch.zeros(same.shape, device=same.device)
    return {name: each.mean().item() for name, each in recalls(per_query(nothing, nothing, same=same)).items()}


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
