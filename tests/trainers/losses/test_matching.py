"""Hard negatives and the matching loss."""

import math

import pytest
import torch

from trainers.losses.matching import hard_negatives, matching_loss, may_be_negative


def test_a_negative_never_has_the_text_or_the_figure_of_its_pair_in_ten_thousand_draws() -> None:
    torch.manual_seed(0)
    text, figure = torch.tensor([0, 1, 0, 2, 3, 3, 4, 5]), torch.tensor([0, 0, 1, 2, 3, 4, 4, 5])
    allowed = may_be_negative(text, figure)
    # The forbidden ones are by far the most similar.
    scores = torch.where(allowed, torch.randn(8, 8), 50.0)
    for _ in range(10_000 // 8):
        rows, columns = hard_negatives(scores, allowed)
        assert rows.tolist() == list(range(8))
        assert not (text[rows] == text[columns]).any() and not (figure[rows] == figure[columns]).any()


def test_a_pair_without_a_possible_negative_gets_none() -> None:
    text = torch.tensor([0, 0, 1])
    rows, columns = hard_negatives(torch.zeros(3, 3), may_be_negative(text, torch.tensor([0, 1, 0])))
    assert rows.tolist() == [1, 2] and columns.tolist() == [2, 1]
    rows, columns = hard_negatives(torch.zeros(2, 2), may_be_negative(torch.zeros(2), torch.arange(2)))
    assert rows.tolist() == columns.tolist() == []


def test_negatives_are_drawn_in_proportion_to_the_softmax() -> None:
    torch.manual_seed(0)
    scores = torch.tensor([[9.0, 0.0, math.log(3.0)]]).repeat(20_000, 1)
    allowed = torch.tensor([[False, True, True]]).repeat(20_000, 1)
    _, columns = hard_negatives(scores, allowed)
    assert (columns == 2).float().mean().item() == pytest.approx(0.75, abs=0.01)


def test_a_constant_that_knows_one_pair_in_three_is_true_pays_0_6365() -> None:
    logits = torch.tensor([math.log(2 / 3), math.log(1 / 3)]).repeat(30, 1)
    assert matching_loss(logits, 10).item() == pytest.approx(0.6365, abs=1e-4)
