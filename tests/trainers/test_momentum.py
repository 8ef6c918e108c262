"""Momentum encoders follow, and the queue holds the last keys."""

import pytest
import torch
from torch.nn.functional import normalize

from core.settings import ObjectiveSettings
from trainers.blip import Blip
from trainers.losses.contrastive import Keys, image_text_contrast
from trainers.momentum import KeyQueue, Momentum


def test_they_begin_as_copies_and_after_a_step_are_995_parts_old_and_5_parts_new(small_blip: Blip) -> None:
    momentum = Momentum(small_blip)
    old = {name: value.clone() for name, value in momentum.towers.state_dict().items()}
    assert all(torch.equal(value, small_blip.state_dict()[name]) for name, value in old.items())
    online = dict(small_blip.named_parameters())
    for name, own in momentum.towers.named_parameters():
        assert own.data_ptr() != online[name].data_ptr() and not own.requires_grad
    with torch.no_grad():
        for weight in small_blip.parameters():
            weight.add_(torch.randn_like(weight))
    momentum.follow(small_blip, 0.995)
    for name, value in momentum.towers.state_dict().items():
        expected = 0.995 * old[name] + 0.005 * small_blip.state_dict()[name]
        assert torch.allclose(value, expected, atol=1e-6), name


def test_heads_follow_where_words_are_told_by_them_and_else_there_are_none(small_blip: Blip) -> None:
    towers, words = Momentum(small_blip), Momentum(small_blip, words=ObjectiveSettings())
    assert not any(name.startswith("towers.word_head") for name in towers.state_dict())
    assert words.towers.state_dict().keys() == small_blip.state_dict().keys()
    old = words.towers.get_parameter("word_head.dense.weight").clone()
    with torch.no_grad():
        small_blip.word_head.dense.weight.add_(1.0)
    words.follow(small_blip, 0.9)
    assert torch.allclose(words.towers.get_parameter("word_head.dense.weight"), old + 0.1, atol=1e-6)
    states, tokens = torch.randn(2, 17, 32), torch.tensor([[2, 7, 4, 3], [2, 4, 9, 3]])
    mask = torch.ones(2, 4, dtype=torch.bool)
    fresh = Momentum(small_blip, words=ObjectiveSettings())
    assert torch.equal(
        fresh.masked_words(states, tokens, mask, tokens == 4),
        small_blip.eval().masked_words(states, tokens, mask, tokens == 4),
    )


def test_they_stay_in_evaluation_whatever_their_owner_does(small_blip: Blip) -> None:
    owner = torch.nn.ModuleList([Momentum(small_blip)]).train()
    assert not any(module.training for module in owner[0].modules())


def keys(numbers: list[int]) -> Keys:
    value = torch.tensor(numbers)
    return Keys(value[:, None].float(), -value[:, None].float(), value, fresh=len(numbers))


@pytest.mark.parametrize("batches", [[[1, 2, 3, 4], [5, 6, 7]], [[1], [2, 3, 4, 5, 6, 7]], [[1, 2, 3, 4, 5, 6, 7]]])
def test_the_queue_takes_batches_of_any_length_and_forgets_the_oldest(batches: list[list[int]]) -> None:
    queue = KeyQueue(5, width=1)
    assert len(queue.keys().text_group) == 0
    for batch in batches:
        queue.push(keys(batch))
    held = queue.keys()
    assert sorted(held.text_group.tolist()) == [3, 4, 5, 6, 7]
    assert torch.equal(held.image[:, 0], held.text_group.float()) and torch.equal(held.text, -held.image)


def test_what_is_not_filled_does_not_count_and_a_queue_of_none_stays_empty() -> None:
    queue, none = KeyQueue(5, width=1), KeyQueue(0, width=1)
    for each in (queue, none):
        each.push(keys([8, 9]))
    assert queue.keys().text_group.tolist() == [8, 9] and none.keys().text_group.tolist() == []


def test_it_comes_back_from_its_state() -> None:
    queue, again = KeyQueue(4, width=1), KeyQueue(4, width=1)
    queue.push(keys([1, 2, 3]))
    again.load_state_dict(queue.state_dict())
    for each in (queue, again):
        each.push(keys([4, 5]))
    assert torch.equal(queue.image, again.image) and torch.equal(queue.text_group, again.text_group)


def test_with_a_queue_larger_than_the_data_an_aligned_encoder_reaches_the_floor() -> None:
    image = text = normalize(torch.eye(12), dim=1)
    groups = torch.arange(12)
    queue = KeyQueue(40, width=12)
    for rows in torch.arange(48).remainder(12).split(5):  # four rounds over the data in ragged batches
        fresh = Keys(image[rows], text[rows], groups[rows], fresh=len(rows))
        loss = image_text_contrast(
            image[rows], text[rows], fresh + queue.keys(), text_group=groups[rows], temperature=torch.tensor(0.02)
        )
        queue.push(fresh)
        assert loss.item() < 1e-6
    rows = torch.arange(5)
    blind = Keys(
        queue.image, queue.text, torch.full((40,), 99), fresh=0
    )  # a queue that does not know whose keys it holds
    fresh = Keys(image[rows], text[rows], groups[rows], fresh=5)
    poisoned = image_text_contrast(
        image[rows], text[rows], fresh + blind, text_group=groups[rows], temperature=torch.tensor(0.02)
    )
    assert poisoned.item() > 1
