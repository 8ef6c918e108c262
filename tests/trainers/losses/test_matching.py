"""Hard negatives and the matching loss."""

import math

import pytest
import torch

from trainers.losses.matching import draw_matches, hard_negatives, matching_loss, may_be_negative


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
    truth = (torch.arange(30) < 10).long()
    assert matching_loss(logits, truth).item() / 30 == pytest.approx(0.6365, abs=1e-4)


def test_each_chosen_pair_is_judged_with_a_wrong_text_and_a_wrong_image() -> None:
    torch.manual_seed(0)
    text, figure = torch.tensor([0, 1, 0, 2, 3]), torch.tensor([0, 1, 2, 3, 3])
    allowed = may_be_negative(text, figure)
    drawn = draw_matches(torch.randn(5, 5), allowed, torch.tensor([1, 4]))
    pairs = list(zip(drawn.image.tolist(), drawn.text.tolist(), drawn.truth.tolist(), strict=True))
    assert pairs[:2] == [(1, 1, 1), (4, 4, 1)]
    assert [image for image, _, _ in pairs[2:4]] == [1, 4] and [t for _, t, _ in pairs[4:]] == [1, 4]
    assert all(truth == 0 and allowed[image, t] for image, t, truth in pairs[2:])


def test_where_all_texts_are_one_only_the_true_pairs_remain() -> None:
    allowed = may_be_negative(torch.zeros(3), torch.arange(3))
    drawn = draw_matches(torch.zeros(3, 3), allowed, torch.arange(3))
    assert drawn.image.tolist() == drawn.text.tolist() == [0, 1, 2] and drawn.truth.tolist() == [1, 1, 1]
