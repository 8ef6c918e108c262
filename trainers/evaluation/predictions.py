"""What became of every query of a pool, a row each: from these rows alone recalls, medians and intervals are made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch import Tensor

from core.records import arrow_schema
from trainers.evaluation.recall import DIRECTIONS, Standing, mid_rank, per_query

JUDGES = ("", "itc_")  # after re-ranking, and before it


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One query: an image that looks for its text (i2t), or a text for its image (t2i).

    Right is a pair with the same text or a copy of the same image; by the names that begin with `strict_`, the query's
    own pair only; by those with `itc_`, before re-ranking. `above`: candidates with a better score than the best right
    one. `wrong`, `tied`: wrong and right ones with the same score as that. Ranks are from 1, mid-ranks for ties.
    """

    direction: str
    pair_id: str
    article_id: str
    modality: str
    candidates: int
    rights: int  # of them
    rank: float
    strict_rank: float
    itc_rank: float
    itc_strict_rank: float
    above: int
    wrong: int
    tied: int
    strict_above: int
    strict_wrong: int
    itc_above: int
    itc_wrong: int
    itc_tied: int
    itc_strict_above: int
    itc_strict_wrong: int
    nearest: list[str]  # pair ids of the best candidates, best first
    scores: list[float]  # of these


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The queries of a pool; N each."""

    pair_ids: Sequence[str]
    article_ids: Sequence[str]
    modalities: Sequence[str]


def answers(
    asked: Asked,
    final: Mapping[str, Standing],
    by_cosine: Mapping[str, Standing],
    *,
    rights: Sequence[Tensor],
    best: Sequence[tuple[Tensor, Tensor]],
) -> pa.Table:
    """The rows of both directions, images first. final, by_cosine: as recall.per_query() takes them.

    rights: (N,) by direction, right candidates of each query. best: candidates and their scores, (N, n) each.
    """
    ids, count = np.asarray(asked.pair_ids, dtype=object), len(asked.pair_ids)
    parts = []
    for side, direction in enumerate(DIRECTIONS):
        columns: dict[str, object] = {
            "direction": [direction] * count,
            "pair_id": list(asked.pair_ids),
            "article_id": list(asked.article_ids),
            "modality": list(asked.modalities),
            "candidates": [count] * count,
            "rights": rights[side].numpy(),
            "nearest": ids[best[side][0].numpy()].tolist(),
            "scores": best[side][1].double().numpy().round(4).tolist(),
        }
        for judge, found in zip(JUDGES, (final, by_cosine), strict=True):
            for kind in ("", "strict_"):
                at = found[f"{kind}{direction}"]
                columns[f"{judge}{kind}rank"] = mid_rank(at).numpy()
                columns |= {f"{judge}{kind}{name}": each.numpy() for name, each in zip(("above", "wrong"), at)}
            columns[f"{judge}tied"] = found[direction].right.numpy()
        parts.append(pa.table(columns).select(arrow_schema(Answer).names).cast(arrow_schema(Answer)))
    return pa.concat_tables(parts)


def standings(rows: pa.Table, judge: str = "") -> dict[str, Standing]:
    """What answers() was made from, by one of `JUDGES`."""
    found = {}
    for kind in ("", "strict_"):
        for direction in DIRECTIONS:
            of = rows.filter(pc.equal(rows["direction"], direction))
            above, wrong = (_tensor(of, f"{judge}{kind}{name}") for name in ("above", "wrong"))
            found[f"{kind}{direction}"] = Standing(
                above, wrong, torch.ones_like(above) if kind else _tensor(of, f"{judge}tied")
            )
    return found


def unknowing(rows: pa.Table) -> dict[str, Standing]:
    """The standings where every candidate has the same score."""
    found = {}
    for direction in DIRECTIONS:
        of = rows.filter(pc.equal(rows["direction"], direction))
        rights, candidates = _tensor(of, "rights"), _tensor(of, "candidates")
        none, one = torch.zeros_like(rights), torch.ones_like(rights)
        found[direction] = Standing(none, candidates - rights, rights)
        found[f"strict_{direction}"] = Standing(none, candidates - one, one)
    return found


def found_by(rows: pa.Table) -> dict[str, Tensor]:
    """What each query finds, as of recall.per_query(), by `JUDGES` too; (N,) each."""
    return per_query(standings(rows)) | {
        f"itc_{name}": each for name, each in per_query(standings(rows, "itc_")).items()
    }


def _tensor(rows: pa.Table, name: str) -> Tensor:
    return torch.from_numpy(rows[name].to_numpy().copy())
