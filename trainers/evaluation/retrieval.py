"""Image-text retrieval (BLIP, train_retrieval.py; MedVL, Table 1): ITC ranks all, ITM scores the best again."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.config import UserError
from trainers.blip import Blip
from trainers.checkpoint import image_marks, load_blip, load_model, training_articles, training_images
from trainers.evaluation.bootstrap import bounds, resampled_means
from trainers.evaluation.pool import Pool, Reading, chosen_articles, embed, image_groups, read_batches, read_columns
from trainers.evaluation.predictions import Asked, answers, found_by, unknowing
from trainers.evaluation.ranking import SHOWN, Both, by_cosine, rank_all
from trainers.evaluation.recall import DIRECTIONS, median_ranks, per_query, recalls
from trainers.evaluation.rerank import Judged, Pairs, candidates_auc, chosen_weight, judged, match_pairs, wanted

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
    drawn_from: int  # pairs that there are: more than the pool where it was capped
    reranked: int  # candidates of each query that ITM scored
    note: str  # what is to be known of the numbers
    examples: list[Example]
    queries: list[str]  # pair ids
    articles: list[str]  # of the queries, what `bootstrap.difference` and `bootstrap.ratio` resample
    found: dict[str, list[float]]  # by metric, of each query the chance that it finds a right one
    weight: float | None = None  # of ITM's logit beside cosine / T, chosen on other pairs; None: BLIP's sum, or no ITM
    nearest: dict[str, float] = field(default_factory=dict)  # AUC of `cosine` and `itm` among an image's candidates


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a pool is evaluated."""

    batch_size: int  # images read and encoded at once
    rerank: int  # candidates that ITM scores again for each query, at most the pool; 0 leaves ITC alone
    resamples: int = 1000  # of the articles, for the intervals
    seed: int = 0  # of these, and of the articles that are drawn
    pool: int | None = None  # pairs at most, by whole articles; None: all


class Machine(Protocol):
    """What does the work of an evaluation: this process, or trainers.evaluation.on_ray's actors."""

    def embed(self, reading: Reading) -> Pool:
        """The pairs as the model sees them, in their order."""

    def rank(self, pool: Pool, groups: Tensor, *, nearest: int) -> Both:
        """All queries of a pool; groups: (G, N), equal numbers are right for each other."""

    def match(self, reading: Reading, pool: Pool, pairs: Pairs) -> Tensor:
        """(R,) ITM's logits of pairs of the pool."""


class Here:
    """This process."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def embed(self, reading: Reading) -> Pool:
        """See Machine; the states of all images are kept for match()."""
        model, tokenizer = load_model(reading.folder)
        return embed(model.to(self.device), read_batches(reading, model, tokenizer, device=self.device))

    def rank(self, pool: Pool, groups: Tensor, *, nearest: int) -> Both:
        """See Machine."""
        return rank_all(pool.image, pool.text, groups.to(pool.image.device), nearest=nearest)

    def match(self, reading: Reading, pool: Pool, pairs: Pairs) -> Tensor:
        """See Machine."""
        model, there = load_blip(reading.folder)[0].to(self.device), Pairs(*(each.to(self.device) for each in pairs))
        return match_pairs(model, [(0, pool.states)], pool.tokens, pool.mask, there).cpu()


class Seen(NamedTuple):
    """A pool as both judges see it."""

    pool: Pool
    rows: list[dict[str, Any]]  # what is known of its pairs
    both: Both
    judged: Judged | None  # None where ITM is not asked


class Result(NamedTuple):
    """The numbers of an evaluation, and the rows that they are made from."""

    told: Retrieval
    answers: pa.Table  # of predictions.Answer


def evaluate(
    folder: str | Path,
    files: Sequence[str],
    plan: Plan,
    *,
    machine: Machine | None = None,
    weigh_on: Sequence[str] | None = None,
) -> Result:
    """Retrieval by the model in a folder among the pairs of the files, read with the model's own tokenizer and size.

    machine: what does the work; None: this process, on its CPU. weigh_on: other pairs, on which ITM's weight beside
    cosine / T is chosen; None: BLIP's sum of cosine and logit. Raises LeakError, or UserError on a pool without pairs.
    """
    machine = machine or Here()
    model, _ = load_model(folder)
    matcher = model if isinstance(model, Blip) and model.matches else None
    k = plan.rerank if matcher else 0
    articles, count = chosen_articles(files, most=plan.pool, seed=plan.seed)
    seen = look(machine, _reading(folder, files, plan, articles), k=k)
    weight = None
    if seen.judged and matcher and weigh_on:
        of_weight, _ = chosen_articles(weigh_on, most=plan.pool, seed=plan.seed)
        other = look(machine, _reading(folder, weigh_on, plan, of_weight), k=k)
        weight = chosen_weight(other.judged, temperature=matcher.temperature.item()) if other.judged else None
    sums = {"cosine": 1.0, "logit": 1.0}
    if weight is not None and matcher:
        sums = {"cosine": 1 / matcher.temperature.item(), "logit": weight}
    rows = answered(seen, sums)
    notes = [model.note] if model.note else []
    notes += [UNTRAINED] if plan.rerank and not matcher else []
    if len(seen.rows) < count:
        notes.append(f"{len(seen.rows):,} of {count:,} pairs, whole articles drawn with seed {plan.seed}")
    told = tell(rows, plan, reranked=min(k, len(seen.rows)), drawn_from=count, note="; ".join(notes))
    return Result(replace(told, weight=weight, nearest=_nearest(seen.judged) if seen.judged else {}), rows)


def _reading(folder: str | Path, files: Sequence[str], plan: Plan, articles: frozenset[str] | None) -> Reading:
    return Reading(str(folder), tuple(files), plan.batch_size, articles)


def look(machine: Machine, reading: Reading, *, k: int) -> Seen:
    """A pool, and ITM's logits of the k nearest of each query; LeakError if the model has seen an article of it."""
    columns = ("article_id", "duplicate_group", "md5", "box", "modality")
    about = read_columns(reading.files, columns, articles=reading.articles)
    articles = {row["article_id"] for row in about.values()}
    refuse_leak(training_articles(reading.folder, articles), articles)
    marks = image_marks(reading.files, articles=reading.articles)
    refuse_same_images(training_images(reading.folder, marks), marks)
    pool = with_equal_texts(machine.embed(reading))
    rows = [about[pair_id] for pair_id in pool.pair_ids]
    groups = torch.stack([_renumbered(each) for each in (pool.text_group.cpu(), *image_groups(rows))])
    both = machine.rank(pool, groups, nearest=max(k, SHOWN))
    if not k:
        return Seen(pool, rows, both, None)
    k = min(k, len(rows))
    pairs = wanted(both, k=k)
    return Seen(pool, rows, both, judged(both, pairs, machine.match(reading, pool, pairs), k=k))


def with_equal_texts(pool: Pool) -> Pool:
    """The pool with one embedding for equal texts: of other batches, they differ in the last digit and do not tie."""
    groups, of = pool.text_group.unique(return_inverse=True)
    numbers = torch.arange(len(of), device=of.device)
    first = torch.full_like(groups, len(of)).scatter_reduce(0, of, numbers, "amin")
    return replace(pool, text=pool.text[first[of]])


def _renumbered(group: Tensor) -> Tensor:
    """The same grouping by small numbers, which compare faster."""
    return group.unique(return_inverse=True)[1].int()


def answered(seen: Seen, sums: Mapping[str, float]) -> pa.Table:
    """The rows of all queries. sums: the weights of both judges, as of Judged."""
    itc = by_cosine(seen.both)
    final, shown = itc, [(at.nearest, at.cosines) for at in seen.both]
    if seen.judged:
        final, shown = seen.judged.standings(**sums), [seen.judged.shown(side, **sums) for side in (0, 1)]
    return answers(
        Asked(
            pair_ids=seen.pool.pair_ids,
            article_ids=seen.pool.article_ids,
            modalities=[row.get("modality") or "other" for row in seen.rows],
        ),
        final,
        itc,
        rights=[at.rights for at in seen.both],
        best=[(nearest[:, :SHOWN], scores[:, :SHOWN]) for nearest, scores in shown],
    )


def tell(rows: pa.Table, plan: Plan, *, reranked: int, drawn_from: int, note: str) -> Retrieval:
    """The numbers, from the rows of the queries alone. rows: of predictions.Answer."""
    found = found_by(rows)
    ranks = {name: each for name, each in found.items() if name.endswith("_rank")}
    by_judge = ({n: v for n, v in found.items() if n.startswith("itc_") is itc} for itc in (False, True))
    final, itc = by_judge
    itc = {name.removeprefix("itc_"): each for name, each in itc.items()}
    both = recalls(final) | {f"itc_{name}": each for name, each in recalls(itc).items()}
    recall = {name: each.numpy() for name, each in both.items()}
    images = rows.filter(pc.equal(rows["direction"], DIRECTIONS[0]))
    articles = images["article_id"].to_pylist()
    return Retrieval(
        metrics={name: float(each.mean()) for name, each in recall.items()},
        intervals=intervals(recall, articles, resamples=plan.resamples, seed=plan.seed),
        chance={name: each.mean().item() for name, each in recalls(per_query(unknowing(rows))).items()},
        median_rank=median_ranks(ranks),
        by_modality=by_modality(recall, images["modality"].to_pylist()),
        pool=images.num_rows,
        drawn_from=drawn_from,
        reranked=reranked,
        note=note,
        examples=examples(rows),
        queries=images["pair_id"].to_pylist(),
        articles=articles,
        found={name: recall[name].round(4).tolist() for name in KEPT},
    )


def _nearest(found: Judged) -> dict[str, float]:
    """How well each judge alone tells right candidates of images from wrong ones: AUC, nothing where undefined."""
    logits, at = found.logits[0], found.both.to_text
    k = logits.shape[1]
    scores = {"cosine": at.cosines[:, :k], "itm": logits}
    told = {name: candidates_auc(each, at.is_right[:, :k]) for name, each in scores.items()}
    return {name: auc for name, auc in told.items() if auc is not None}


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


def examples(rows: pa.Table) -> list[Example]:
    """Queries of both directions, evenly spread over the pool, with their best candidates; rows: as of answers()."""
    found = []
    for direction in DIRECTIONS:
        of = rows.filter(pc.equal(rows["direction"], direction))
        queries = sorted({round(q * (of.num_rows - 1) / max(1, EXAMPLES - 1)) for q in range(EXAMPLES)})
        for row in of.take(queries).to_pylist():
            best = list(zip(row["nearest"], row["scores"], strict=True))
            found.append(Example(direction=direction, query=row["pair_id"], found=best))
    return found


def lift(found: Mapping[str, float], at_chance: Mapping[str, float]) -> dict[str, float]:
    """How many times better than chance each metric is."""
    return {name: found[name] / at_chance[name] for name in at_chance}
