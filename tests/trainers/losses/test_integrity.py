"""Weights and contrast beside sums worked by hand and loops; phi finds the patches that matter."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize

from trainers.losses.integrity import (
    WEIGHTS,
    integrity_scores,
    relative_weights,
    weight_entropy,
    weighted_contrast,
)


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def draw_kept(images: int, patches: int, kept: int, seed: int = 0) -> Tensor:
    """(images, kept) patches that are seen."""
    return torch.rand(images, patches, generator=torch.Generator().manual_seed(seed)).topk(kept).indices


def loop(queries: Tensor, keys: Tensor, own: list[int], weight: list[list[float]], *, temperature: float) -> float:
    """Eq. 5, key by key. weight: (N, M)."""
    total = 0.0
    for i, mine in enumerate(own):
        exps = [math.exp(weight[i][j] * float(queries[i] @ key) / temperature) for j, key in enumerate(keys)]
        total -= math.log(exps[mine] / sum(exps))
    return total / len(own)


def test_scores_are_the_sum_of_phi_over_the_patches_that_are_seen() -> None:
    phi, kept = draw(10), draw_kept(4, 10, 5)
    visible = torch.zeros(4, 10).scatter(1, kept, 1)  # M
    torch.testing.assert_close(integrity_scores(phi, kept), visible @ phi)


def test_weights_are_equation_4_worked_by_hand() -> None:
    scores = torch.tensor([0.0, math.log(2), math.log(5)])  # softmax: 1/8, 2/8, 5/8
    by_hand = [math.exp(1 / 8), math.exp(2 / 8), math.exp(5 / 8)]
    torch.testing.assert_close(relative_weights(scores, "exp_softmax"), torch.tensor(by_hand))
    torch.testing.assert_close(relative_weights(scores, "softmax_n"), torch.tensor([3 / 8, 6 / 8, 15 / 8]))
    assert relative_weights(scores, "off").tolist() == [1, 1, 1]


def test_where_phi_says_nothing_all_256_weigh_the_published_1_0039() -> None:
    told = relative_weights(integrity_scores(torch.zeros(196), draw_kept(256, 196, 98)), "exp_softmax")
    torch.testing.assert_close(told, torch.full((256,), 1.0039), atol=5e-5, rtol=0)


def test_entropy_is_one_where_all_are_alike_and_nothing_where_one_has_all() -> None:
    assert weight_entropy(torch.full((7,), 3.0)).item() == pytest.approx(1)
    assert weight_entropy(torch.tensor([0.0, 200.0, 0.0])).item() == pytest.approx(0, abs=1e-6)
    by_hand = -(1 / 4 * math.log(1 / 4) + 3 / 4 * math.log(3 / 4)) / math.log(2)
    assert weight_entropy(torch.tensor([0.0, math.log(3)])).item() == pytest.approx(by_hand)
    assert weight_entropy(torch.tensor([5.0])) == 1


@pytest.mark.parametrize("kind", WEIGHTS)
def test_only_differences_in_phi_count_and_its_sign_goes_with_the_masks(kind: str) -> None:
    phi, kept = draw(12), draw_kept(6, 12, 6)
    hidden = torch.ones(6, 12).scatter(1, kept, 0).topk(6).indices
    weights = [
        relative_weights(integrity_scores(values, patches), kind)  # type: ignore[arg-type]
        for values, patches in ((phi, kept), (phi + 3.5, kept), (-phi, hidden))
    ]
    torch.testing.assert_close(weights[0], weights[1])
    torch.testing.assert_close(weights[0], weights[2])


@pytest.mark.parametrize("shape", [(4, 1), (1, 6), (4, 6)])
def test_contrast_is_that_of_a_loop_over_queries_and_keys(shape: tuple[int, int]) -> None:
    queries, keys, own = normalize(draw(4, 8), dim=1), normalize(draw(6, 8, seed=1), dim=1), [2, 0, 5, 3]
    weight = draw(*shape, seed=2).exp()
    slow = loop(queries, keys, own, weight.expand(4, 6).tolist(), temperature=0.4)
    told = weighted_contrast(queries, keys, torch.tensor(own), weight, temperature=0.4)
    assert told.item() == pytest.approx(slow, abs=1e-5)


def test_with_weights_of_one_it_is_equation_2() -> None:
    image, text, own = draw(5, 8), draw(5, 8, seed=1), torch.arange(5)
    told = weighted_contrast(image, text, own, torch.ones(5, 1), temperature=torch.tensor(0.4))
    torch.testing.assert_close(told, cross_entropy(image @ text.T / 0.4, own))


@pytest.mark.parametrize(("weight", "floor"), [(1.0, 3.079), (math.e, 0.245)])
def test_at_temperature_0_4_256_pairs_cost_at_least_the_published_floor(weight: float, floor: float) -> None:
    apart = normalize(torch.eye(256) - 1 / 256, dim=1)  # a simplex: no 256 directions are farther apart
    told = weighted_contrast(apart, apart, torch.arange(256), torch.full((256, 1), weight), temperature=0.4)
    assert told.item() == pytest.approx(floor, abs=5e-4)


def test_keys_left_out_count_neither_way_and_a_querys_own_always_counts() -> None:
    query, keys, own = draw(1, 8), draw(5, 8, seed=1).requires_grad_(), torch.tensor([1])
    same = torch.tensor([[False, True, False, True, False]])  # its own, and a copy
    told = weighted_contrast(query, keys, own, torch.ones(1, 1), temperature=0.4, left_out=same)
    without = weighted_contrast(query, keys[[0, 1, 2, 4]], own, torch.ones(1, 1), temperature=0.4)
    torch.testing.assert_close(told, without)
    (gradient,) = torch.autograd.grad(told, keys)
    assert (gradient[3] == 0).all() and (gradient[[0, 1, 2, 4]].abs().sum(dim=1) > 0).all()
    copied = weighted_contrast(query, keys[[0, 1, 2, 1, 4]], own, torch.ones(1, 1), temperature=0.4)
    assert copied > math.log(2)  # as published: a copy is a negative, and nobody tells it from the query's own


def test_states_of_half_precision_are_contrasted_in_single() -> None:
    image, own = normalize(draw(16, 32), dim=1).bfloat16(), torch.arange(16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = weighted_contrast(image, image, own, torch.ones(16, 1), temperature=0.07)
    expected = weighted_contrast(image.float(), image.float(), own, torch.ones(16, 1), temperature=0.07)
    assert told.dtype == torch.float32 and told == expected


def drawn_pairs(
    pairs: int, informative: Tensor, generator: torch.Generator, *, signal: float, patches: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Texts' vectors, (N, 16), images' vectors, the mean of the patches that are seen, and these patches, half of all.

    Every patch is noise; the informative ones, (P,) bool, have the text's vector in them, `signal` times.
    """
    text = torch.randn(pairs, 16, generator=generator)
    kept = torch.rand(pairs, patches, generator=generator).topk(patches // 2).indices
    image = torch.randn(pairs, patches, 16, generator=generator) + signal * informative[:, None] * text[:, None]
    return text, image.gather(1, kept[:, :, None].expand(-1, -1, 16)).mean(dim=1), kept


def trained_phi(kind: str, informative: Tensor, *, lr: float = 1e-3, steps: int = 150, signal: float = 0.3) -> Tensor:
    """phi, (P,), and two small linear maps trained by eq. 5 and 6 on 64 pairs a step."""
    generator = torch.Generator().manual_seed(0)
    phi, to_image, to_text = torch.zeros(len(informative)), torch.eye(16), torch.eye(16)
    optimizer = torch.optim.AdamW([phi.requires_grad_(), to_image.requires_grad_(), to_text.requires_grad_()], lr=lr)
    own = torch.arange(64)
    for _ in range(steps):
        text, image, kept = drawn_pairs(64, informative, generator, signal=signal, patches=len(informative))
        v, t = normalize(image @ to_image, dim=1), normalize(text @ to_text, dim=1)
        weight = relative_weights(integrity_scores(phi, kept), kind)[:, None]  # type: ignore[arg-type]
        loss = weighted_contrast(v, t, own, weight, temperature=0.4)
        loss = loss + weighted_contrast(t, v, own, weight, temperature=0.4)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return phi.detach()


def ranked(phi: Tensor, informative: Tensor) -> float:
    """AUC: how often an informative patch has the larger phi of two."""
    return (phi[informative][:, None] > phi[~informative][None, :]).float().mean().item()


TWENTY = torch.zeros(196, dtype=torch.bool).scatter(0, torch.arange(3, 196, 10), True)


@pytest.mark.parametrize("kind", ["exp_softmax", "softmax_n"])
def test_phi_ranks_the_twenty_patches_that_carry_the_text_above_the_others(kind: str) -> None:
    assert TWENTY.sum() == 20
    assert ranked(trained_phi(kind, TWENTY), TWENTY) > 0.95


@pytest.mark.parametrize("kind", ["exp_softmax", "softmax_n"])
def test_where_no_patch_carries_the_text_phi_ranks_nothing(kind: str) -> None:
    assert ranked(trained_phi(kind, TWENTY, signal=0.0), TWENTY) == pytest.approx(0.5, abs=0.15)


def test_without_weights_phi_stays_as_it_was() -> None:
    assert (trained_phi("off", TWENTY, steps=3) == 0).all()


def test_phi_learns_from_the_first_step_though_all_weigh_alike() -> None:
    phi, kept = torch.zeros(196, requires_grad=True), draw_kept(256, 196, 98)
    image, text = normalize(draw(256, 16), dim=1), normalize(draw(256, 16, seed=1), dim=1)
    weight = relative_weights(integrity_scores(phi, kept), "exp_softmax")[:, None]
    weighted_contrast(image, text, torch.arange(256), weight, temperature=0.4).backward()
    assert phi.grad is not None and 1e-5 < phi.grad.norm() < 1e-1
