"""The losses beside their published formulas, worked in numpy on fixed numbers (ALBEF, BLIP, MAE)."""

import numpy as np
import ot
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trainers.losses.contrastive import Keys, Teacher, image_text_contrast
from trainers.losses.masked import distilled_word_loss, word_loss
from trainers.losses.matching import matching_loss
from trainers.losses.reconstruction import masked_patch_loss
from trainers.losses.transport import transport_costs
from trainers.momentum import KeyQueue

Floats = NDArray[np.float64]
N, QUEUE, WIDTH, T, ALPHA = 3, 4, 5, 0.07, 0.14
RNG = np.random.default_rng(18)


def unit(*shape: int) -> Floats:
    rows = RNG.standard_normal(shape)
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def softmax(scores: Floats) -> Floats:
    grown = np.exp(scores - scores.max(axis=1, keepdims=True))
    return grown / grown.sum(axis=1, keepdims=True)


def as_tensor(values: Floats) -> Tensor:
    return torch.from_numpy(values).float()


IMAGE, TEXT, IMAGE_M, TEXT_M = (unit(N, WIDTH) for _ in range(4))
IMAGE_QUEUE, TEXT_QUEUE = unit(QUEUE, WIDTH), unit(QUEUE, WIDTH)


def albef_itc() -> float:
    """ALBEF, eq. 6, as blip_pretrain.py has it: targets of momentum and of the diagonal over batch and queue."""
    losses = []
    for online, momentum, keys in (
        (IMAGE, IMAGE_M, np.concatenate([TEXT_M, TEXT_QUEUE])),
        (TEXT, TEXT_M, np.concatenate([IMAGE_M, IMAGE_QUEUE])),
    ):
        targets = ALPHA * softmax(momentum @ keys.T / T) + (1 - ALPHA) * np.eye(N, N + QUEUE)
        losses.append(-(np.log(softmax(online @ keys.T / T)) * targets).sum(axis=1).mean())
    return sum(losses) / 2


def test_itc_with_queue_and_soft_targets() -> None:
    keys = Keys(
        as_tensor(np.concatenate([IMAGE_M, IMAGE_QUEUE])), as_tensor(np.concatenate([TEXT_M, TEXT_QUEUE])),
        torch.arange(N + QUEUE), fresh=N,
    )  # fmt: skip
    found = image_text_contrast(
        as_tensor(IMAGE), as_tensor(TEXT), keys, text_group=torch.arange(N), temperature=torch.tensor(T),
        teacher=Teacher(as_tensor(IMAGE_M), as_tensor(TEXT_M), ALPHA),
    )  # fmt: skip
    assert found.item() == pytest.approx(albef_itc(), abs=1e-5)


def test_the_queue_forgets_the_oldest_first() -> None:
    queue = KeyQueue(4, 1)
    for step in range(3):
        rows = torch.tensor([[2.0 * step], [2.0 * step + 1]])
        queue.push(Keys(rows, -rows, rows[:, 0].long(), fresh=2))
    kept = queue.keys()
    assert sorted(kept.image[:, 0].tolist()) == [2.0, 3.0, 4.0, 5.0] and torch.equal(kept.text, -kept.image)
    assert torch.equal(kept.text_group, kept.image[:, 0].long())


def test_itm_is_the_cross_entropy_of_two_classes() -> None:
    logits, truth = RNG.standard_normal((9, 2)), np.array([1, 1, 1, 0, 0, 0, 0, 0, 0])
    by_hand = -np.log(softmax(logits)[np.arange(9), truth]).sum()
    found = matching_loss(as_tensor(logits), torch.from_numpy(truth))
    assert found.item() == pytest.approx(by_hand, abs=1e-4)  # a sum: the objective divides by all workers'


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_words_are_predicted_with_smoothed_labels(smoothing: float) -> None:
    logits, wanted = RNG.standard_normal((6, 11)), RNG.integers(0, 11, 6)
    targets = np.full((6, 11), smoothing / 11) + (1 - smoothing) * np.eye(11)[wanted]
    by_hand = -(targets * np.log(softmax(logits))).sum()
    found = word_loss(as_tensor(logits), torch.from_numpy(wanted), smoothing=smoothing)
    assert found.item() == pytest.approx(by_hand, abs=1e-4)  # a sum: the objective divides by all workers'


@pytest.mark.parametrize("alpha", [0.0, ALPHA, 0.4, 1.0])
def test_masked_words_are_learnt_from_the_momentum_model_too(alpha: float) -> None:
    """ALBEF, eq. 7: what is minimised less the entropy of the belief is the mix of loss and divergence as printed."""
    logits, theirs, wanted = RNG.standard_normal((6, 11)), 3 * RNG.standard_normal((6, 11)), RNG.integers(0, 11, 6)
    belief, own = softmax(theirs), softmax(logits)
    plain = -np.log(own[np.arange(6), wanted]).sum()
    divergence, entropy = (belief * np.log(belief / own)).sum(), -(belief * np.log(belief)).sum()
    leaf = as_tensor(logits).requires_grad_()
    found = distilled_word_loss(leaf, torch.from_numpy(wanted), as_tensor(theirs), alpha)
    assert found.item() - alpha * entropy == pytest.approx((1 - alpha) * plain + alpha * divergence, abs=1e-4)
    found.backward()  # of softmax: what is predicted less what is wanted
    target = (1 - alpha) * np.eye(11)[wanted] + alpha * belief
    assert leaf.grad is not None and np.allclose(leaf.grad.numpy(), own - target, atol=1e-5)


@pytest.mark.parametrize("norm_pix", [False, True])
def test_maes_loss_is_of_hidden_patches_alone(norm_pix: bool) -> None:
    """models_mae.py: patches as h, w, c; a mean over pixels, then over hidden patches. Its variance is unbiased."""
    images, predicted = RNG.uniform(-1, 1, (2, 3, 8, 8)), RNG.standard_normal((2, 4, 48))
    kept = np.array([[0, 3], [1, 2]])
    errors = []
    for image in range(2):
        for patch in set(range(4)) - set(kept[image].tolist()):
            y, x = 4 * (patch // 2), 4 * (patch % 2)
            target = images[image, :, y : y + 4, x : x + 4].transpose(1, 2, 0).reshape(-1)
            if norm_pix:
                target = (target - target.mean()) / np.sqrt(target.var(ddof=1) + 1e-6)
            errors.append(((predicted[image, patch] - target) ** 2).mean())
    found = masked_patch_loss(
        as_tensor(predicted), as_tensor(images), torch.from_numpy(kept), patch=4, norm_pix=norm_pix
    )
    assert found.item() == pytest.approx(float(np.mean(errors)), abs=1e-5)


def test_transport_costs_what_the_linear_programme_costs() -> None:
    cost = 1 - unit(24, 16) @ unit(3, 16).T
    exact = ot.emd2(np.full(24, 1 / 24), np.full(3, 1 / 3), cost)
    found = transport_costs(
        as_tensor(cost)[None], torch.ones(1, 3, dtype=torch.bool), solver="ipot", beta=0.5, steps=500
    )
    assert found.item() == pytest.approx(exact, rel=2e-3)
