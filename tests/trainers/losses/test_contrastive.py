"""Image-text contrast against a loop; over two processes in tests/trainers/objectives/test_blip.py."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import normalize

from trainers.losses.contrastive import Keys, Teacher, gather, image_text_contrast


def one_way(
    queries: Tensor,
    keys: Tensor,
    group: Tensor,
    key_group: Tensor,
    *,
    fresh: int,
    teacher: Tensor | None = None,
    alpha: float = 0.0,
    temperature: float = 0.1,
) -> float:
    """ALBEF's eq. 6 in one direction, key by key; older keys with a query's text do not exist for it."""
    total = 0.0
    for i in range(len(queries)):
        there = [k for k in range(len(keys)) if k < fresh or key_group[k] != group[i]]
        exps = {k: math.exp(float(queries[i] @ keys[k]) / temperature) for k in there}
        right = [k for k in there if key_group[k] == group[i]]
        target = {k: (1 - alpha) / len(right) if k in right else 0.0 for k in there}
        if teacher is not None:
            beliefs = {k: math.exp(float(teacher[i] @ keys[k]) / temperature) for k in there}
            target = {k: target[k] + alpha * beliefs[k] / sum(beliefs.values()) for k in there}
        total -= sum(target[k] * math.log(exps[k] / sum(exps.values())) for k in there)
    return total / len(queries)


def embeddings(n: int, seed: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(normalize(torch.randn(n, 8, generator=generator), dim=1) for _ in range(2))  # type: ignore[return-value]


def loss_of(image: Tensor, text: Tensor, group: Tensor, temperature: float = 0.1) -> Tensor:
    """Of the batch of all workers contrasted with itself."""
    keys = Keys(gather(image), gather(text), gather(group), fresh=len(gather(group)))
    return image_text_contrast(image, text, keys, text_group=group, temperature=torch.tensor(temperature))


@pytest.mark.parametrize("group", [[0, 1, 2, 3, 4, 5], [0, 1, 0, 2, 0, 1]])
def test_contrast_is_the_papers_sum(group: list[int]) -> None:
    image, text = embeddings(6)
    groups = torch.tensor(group)
    slow = one_way(image, text, groups, groups, fresh=6) + one_way(text, image, groups, groups, fresh=6)
    assert loss_of(image, text, groups).item() == pytest.approx(slow / 2, abs=1e-5)


@pytest.mark.parametrize("alpha", [0.0, 0.4, 1.0])
def test_with_a_queue_and_soft_targets_it_is_the_papers_sum_over_the_keys_that_exist(alpha: float) -> None:
    (image, text), (old_image, old_text), (m_image, m_text) = embeddings(6), embeddings(5, 4), embeddings(6, 5)
    group = torch.tensor([0, 1, 0, 2, 3, 4])
    keys = Keys(m_image, m_text, group, fresh=6) + Keys(old_image, old_text, torch.tensor([7, 1, 8, 0, 9]), fresh=0)
    loss = image_text_contrast(
        image, text, keys, text_group=group, temperature=torch.tensor(0.1), teacher=Teacher(m_image, m_text, alpha)
    )
    slow = one_way(image, keys.text, group, keys.text_group, fresh=6, teacher=m_image, alpha=alpha)
    slow += one_way(text, keys.image, group, keys.text_group, fresh=6, teacher=m_text, alpha=alpha)
    assert loss.item() == pytest.approx(slow / 2, abs=1e-5)


def test_a_pairs_own_older_keys_cost_nothing_and_another_pairs_do() -> None:
    image = text = torch.eye(4)
    group = torch.arange(4)
    fresh = Keys(image, text, group, fresh=4)
    sharp = torch.tensor(0.02)
    own = image_text_contrast(
        image, text, fresh + Keys(image, text, group, fresh=0), text_group=group, temperature=sharp
    )
    others = Keys(image, text, group + 9, fresh=0)
    foreign = image_text_contrast(image, text, fresh + others, text_group=group, temperature=sharp)
    assert own.item() == pytest.approx(0, abs=1e-6)
    assert foreign.item() == pytest.approx(math.log(2), abs=1e-6)


def test_a_model_that_knows_nothing_pays_the_logarithm_of_the_batch() -> None:
    same = normalize(torch.ones(64, 8), dim=1)
    assert loss_of(same, same, torch.arange(64)).item() == pytest.approx(math.log(64), abs=1e-5)


def test_pairs_with_equal_texts_do_not_repel() -> None:
    image, text = embeddings(2)
    twin = text[:1].repeat(2, 1).requires_grad_()
    loss_of(image[:1].repeat(2, 1), twin, torch.tensor([5, 5])).backward()
    assert twin.grad is not None and twin.grad.abs().max() < 1e-6
