"""Recall and rank of what is retrieved (BLIP, train_retrieval.py), with equal scores in a random order."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

DEPTHS = (1, 5, 10)  # BLIP; MedVL reports 1 and 10
DIRECTIONS = ("i2t", "t2i")  # image to text, text to image


class Standing(NamedTuple):
    """Where the best correct candidate of each query stands; (Q,) each."""

    above: Tensor  # candidates with a better score, all of them wrong
    wrong: Tensor  # wrong ones with the same score
    right: Tensor  # correct ones with that score, itself among them


def standing(scores: Tensor, correct: Tensor) -> Standing:
    """scores: (Q, C). correct: (Q, C) bool, at least one in a row."""
    return standing_of(best_correct(scores, correct), scores, correct)


def best_correct(scores: Tensor, correct: Tensor) -> Tensor:
    """(Q, 1), the best score of a correct candidate; arguments as of standing()."""
    return scores.masked_fill(~correct, float("-inf")).amax(dim=1, keepdim=True)


def standing_of(best: Tensor, scores: Tensor, correct: Tensor) -> Standing:
    """The same where the best score of a correct candidate is known, (Q, 1)."""
    tied = scores == best
    right = counts(tied & correct)
    return Standing(counts(scores > best), counts(tied) - right, right)


def counts(mask: Tensor) -> Tensor:
    """(Q,) how many are true in each row. mask: (Q, C) bool; on a CPU by NumPy, ten times as fast as torch's sum."""
    if mask.device.type != "cpu":
        return mask.sum(dim=1)
    return torch.from_numpy(np.count_nonzero(mask.numpy(), axis=1))


def found_within(at: Standing, *, k: int) -> Tensor:
    """(Q,) chances, 0 to 1, that a correct candidate is among the k best if equal scores come in a random order.

    A constant score gives k / C to a query with one correct candidate, however the rows lie.
    """
    free = (k - at.above).clamp(min=0)  # places left for those that tie with the best correct one
    missed = torch.ones_like(at.wrong, dtype=torch.float64)
    for place in range(k):
        chance_of_wrong = (at.wrong - place).clamp(min=0) / (at.wrong + at.right - place).clamp(min=1).double()
        missed = torch.where(place < free, missed * chance_of_wrong, missed)
    return 1 - missed


def mid_rank(at: Standing) -> Tensor:
    """(Q,) ranks from 1 of the first correct candidate, the mean over the orders of equal scores."""
    return at.above + (at.wrong + at.right + 1).double() / (at.right + 1)


def alike(groups: Tensor, others: Tensor) -> Tensor:
    """(Q, C) bool: whether a query and a candidate share a number in any numbering. groups: (G, Q). others: (G, C)."""
    same = torch.zeros(groups.shape[1], others.shape[1], dtype=torch.bool, device=groups.device)
    for group, other in zip(groups, others, strict=True):
        same |= group[:, None] == other[None, :]
    return same


def per_query(at: Mapping[str, Standing]) -> dict[str, Tensor]:
    """What each query finds, (Q,): `i2t@1` a chance, `i2t_rank` a rank. at: by direction, `strict_` before some."""
    found: dict[str, Tensor] = {}
    for name, each in at.items():
        found |= {f"{name}@{k}": found_within(each, k=k) for k in DEPTHS}
        found[f"{name}_rank"] = mid_rank(each)
    return found


def recalls(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The recalls of per_query() with their mean over both directions and all depths, `mean`: BLIP's r_mean."""
    recall = {name: values for name, values in found.items() if "@" in name}
    for prefix in ("", "strict_"):
        parts = [recall[f"{prefix}{direction}@{k}"] for direction in DIRECTIONS for k in DEPTHS]
        recall[f"{prefix}mean"] = torch.stack(parts).mean(dim=0)
    return recall


def median_ranks(found: Mapping[str, Tensor]) -> dict[str, float]:
    """The median over the queries of each rank of per_query()."""
    return {name: values.quantile(0.5).item() for name, values in found.items() if name.endswith("_rank")}
