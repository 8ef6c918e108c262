"""Recall and ranks against every order of what ties."""

from itertools import pairwise, permutations

import pytest
import torch
from torch import Tensor

from trainers.evaluation.recall import (
    alike,
    found_within,
    median_ranks,
    metrics,
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
    found = per_query(torch.ones(51, 51), torch.ones(51, 51), same=alike(torch.arange(51)))
    means = {name: each.mean().item() for name, each in recalls(found).items()}
    assert means["i2t@1"] == pytest.approx(1 / 51) and means["strict_t2i@10"] == pytest.approx(10 / 51)
    assert means["mean"] == pytest.approx((1 + 5 + 10) / 3 / 51)
    assert set(median_ranks(found).values()) == {26.0}


def test_another_pair_with_the_same_text_or_image_counts_unless_strict() -> None:
    texts, images = torch.tensor([0, 0, 1, 2]), torch.tensor([5, 6, 7, 7])
    assert alike(texts, images).long().tolist() == [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]]
    swapped = torch.eye(4)[[1, 0, 3, 2]]
    found = {
        name: each.mean().item() for name, each in per_query(swapped, swapped.T, same=alike(texts, images)).items()
    }
    assert (found["i2t@1"], found["t2i@1"], found["strict_i2t@1"], found["strict_t2i@1"]) == (1, 1, 0, 0)
    assert metrics(swapped, swapped.T, text_group=texts)["i2t@1"] == 0.5


def test_scores_of_each_direction_are_read_along_their_own_rows() -> None:
    to_text: Tensor = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    found = metrics(to_text, to_text.T, text_group=torch.arange(2))
    assert (found["i2t@1"], found["t2i@1"]) == (0.5, 1.0)
