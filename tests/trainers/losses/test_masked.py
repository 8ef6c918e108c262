"""Which word pieces are hidden, and how; what a guess costs."""

import math

import pytest
import torch

from trainers.losses.masked import Masking, distilled_word_loss, mask_tokens, word_loss

MASKING = Masking(probability=0.15, mask_id=4, special_ids=(0, 1, 2, 3, 4), vocabulary=1000)


def test_fifteen_percent_are_predicted_of_which_80_are_masked_10_random_and_10_kept() -> None:
    torch.manual_seed(0)
    tokens = torch.randint(5, 1000, (1000, 200))
    hidden, chosen = mask_tokens(tokens, MASKING)
    assert chosen.float().mean().item() == pytest.approx(0.15, abs=0.005)
    assert (hidden[chosen] == 4).float().mean().item() == pytest.approx(0.8, abs=0.01)
    assert (hidden[chosen] == tokens[chosen]).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert torch.equal(hidden[~chosen], tokens[~chosen])


def test_special_pieces_and_padding_are_never_chosen() -> None:
    torch.manual_seed(0)
    tokens = torch.tensor([[2, 7, 8, 3, 0, 0]]).repeat(5000, 1)
    hidden, chosen = mask_tokens(tokens, MASKING)
    assert not chosen[:, [0, 3, 4, 5]].any() and chosen[:, 1:3].any()
    assert torch.equal(hidden[:, [0, 3, 4, 5]], tokens[:, [0, 3, 4, 5]])


def test_a_batch_in_which_nothing_was_hidden_costs_nothing() -> None:
    loss = word_loss(torch.zeros(0, 1000, requires_grad=True), torch.zeros(0, dtype=torch.int64))
    assert loss.item() == 0 and loss.requires_grad
    none = torch.zeros(0, 1000, requires_grad=True)
    assert distilled_word_loss(none, torch.zeros(0, dtype=torch.int64), none.detach(), 0.4).item() == 0


def test_the_same_generator_hides_the_same_pieces() -> None:
    tokens = torch.randint(5, 1000, (4, 30))
    first, second = (mask_tokens(tokens, MASKING, torch.Generator().manual_seed(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_smoothing_takes_a_share_of_the_target_for_all_words() -> None:
    logits, truth = torch.tensor([[2.0, 0.0]]), torch.tensor([0])
    sure, other = -math.log(1 / (1 + math.exp(-2))), 2 - math.log(1 / (1 + math.exp(-2)))
    assert word_loss(logits, truth).item() == pytest.approx(sure, abs=1e-6)
    assert word_loss(logits, truth, smoothing=0.1).item() == pytest.approx(0.95 * sure + 0.05 * other, abs=1e-6)
