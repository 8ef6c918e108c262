"""Recall and ranks against every order of what ties."""

from itertools import pairwise, permutations

import pytest
import torch

from trainers.evaluation.recall import (
    alike,
    found_within,
    median_ranks,
    mid_rank,
    per_query,
    recalls,
    standing,
)


def orders(scores: list[float]) -> list[tuple[int, ...]]:
    """All orders of the candidates that agree with the scores."""
    every = permutations(range(len(scores)))
    return [order for order in every if all(scores[a] >= scores[b] for a, b in pairwise(order))]


def by_every_order(scores: list[float], correct: list[bool], k: int) -> float:
    """The share of the orders in which a correct candidate is among the first k."""
    allowed = orders(scores)
    return sum(any(correct[c] for c in order[:k]) for order in allowed) / len(allowed)


def first_by_every_order(scores: list[float], correct: list[bool]) -> float:
    """The mean place of the first correct candidate over the orders."""
    allowed = orders(scores)
    return sum(1 + [correct[c] for c in order].index(True) for order in allowed) / len(allowed)


def test_recall_and_rank_are_the_means_over_the_orders_of_ties() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        scores = torch.randint(3, (3, 5), generator=generator).float()
        correct = torch.rand(3, 5, generator=generator) < 0.4
        correct[:, 0] = True
        at = standing(scores, correct)
        rows = [(s.tolist(), c.tolist()) for s, c in zip(scores, correct, strict=True)]
        for k in (1, 2, 4, 9):
            assert found_within(at, k=k).tolist() == pytest.approx([by_every_order(*row, k) for row in rows])
        assert mid_rank(at).tolist() == pytest.approx([first_by_every_order(*row) for row in rows])


def test_a_constant_score_finds_k_of_n_and_ranks_in_the_middle() -> None:
    at = standing(torch.ones(51, 51), torch.eye(51, dtype=torch.bool))
    found = per_query({f"{kind}{way}": at for kind in ("", "strict_") for way in ("i2t", "t2i")})
    means = {name: each.mean().item() for name, each in recalls(found).items()}
    assert means["i2t@1"] == pytest.approx(1 / 51) and means["strict_t2i@10"] == pytest.approx(10 / 51)
    assert means["mean"] == pytest.approx((1 + 5 + 10) / 3 / 51)
    assert set(median_ranks(found).values()) == {26.0}


def test_pairs_that_share_a_number_in_any_numbering_are_alike() -> None:
    groups = torch.tensor([[0, 0, 1, 2], [5, 6, 7, 7]])
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    assert alike(groups, groups).long().tolist() == expected
    assert alike(groups[:, 1:3], groups).long().tolist() == expected[1:3]
