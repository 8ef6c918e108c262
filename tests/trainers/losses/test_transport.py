"""The transport plan beside the exact one of POT's linear programme, and beside the published iteration."""

from collections.abc import Callable

import numpy as np
import ot
import ot.batch
import pytest
import torch
from torch import Tensor

from trainers.losses.transport import (
    SOLVERS,
    cosine_cost,
    free_costs,
    ipot,
    log_sinkhorn,
    paired_cosine_cost,
    sentence_means,
    sentence_shares,
    transport_costs,
)

N, L, S, D = 8, 98, 8, 64  # pairs; patches that are seen at ratio 0.5; sentences; width
ALL = torch.ones(N, S, dtype=torch.bool)


def unrelated(seed: int = 0) -> Tensor:
    """Costs between patches and sentences that know nothing of each other."""
    generator = torch.Generator().manual_seed(seed)
    return cosine_cost(torch.randn(N, L, 768, generator=generator), torch.randn(N, S, 768, generator=generator))


def related(seed: int = 0) -> Tensor:
    """Costs where each patch belongs to one sentence: its state under noise 1.6 times as strong."""
    generator = torch.Generator().manual_seed(seed)
    sentences = torch.randn(N, S, 768, generator=generator)
    owner = torch.stack([torch.randperm(L, generator=generator) % S for _ in range(N)])  # (N, L)
    noise = 1.6 * torch.randn(N, L, 768, generator=generator)
    return cosine_cost(torch.stack([s[o] for s, o in zip(sentences, owner, strict=True)]) + noise, sentences)


def exact(cost: Tensor, present: Tensor) -> Tensor:
    """(N,) the least transport cost of each pair's present sentences, by linear programming."""
    found = []
    for pair, there in zip(cost.double().numpy(), present.numpy(), strict=True):
        taken = np.full(there.sum(), 1 / there.sum())
        found.append(ot.emd2(np.full(L, 1 / L), taken, np.ascontiguousarray(pair[:, there])))
    return torch.tensor(found)


def published_ipot(cost: Tensor, *, beta: float, steps: int) -> Tensor:
    """UNITER's iteration on one pair, patch by patch and sentence by sentence, in double precision."""
    cost = cost.double()
    patches, sentences = cost.shape
    plan, sigma = torch.ones_like(cost), torch.full((sentences,), 1 / sentences, dtype=torch.float64)
    for _ in range(steps):
        kept = torch.exp(-cost / beta) * plan
        delta = torch.stack([1 / (patches * (row @ sigma)) for row in kept])
        sigma = torch.stack([1 / (sentences * (column @ delta)) for column in kept.T])
        plan = delta[:, None] * kept * sigma[None, :]
    return plan


def test_sentence_means_are_those_of_a_loop_and_leave_out_tokens_of_no_sentence() -> None:
    states = torch.randn(3, 9, 4, generator=torch.Generator().manual_seed(0))
    sentence_of = torch.tensor([[-1, 0, 0, 1, 1, 1, 2, -1, -1], [-1, 0, 0, 0, 0, 0, 0, 0, -1], [-1] * 9])
    means, present = sentence_means(states, sentence_of)
    assert present.tolist() == [[True, True, True], [True, False, False], [False, False, False]]
    for text, sentence in present.nonzero().tolist():
        torch.testing.assert_close(means[text, sentence], states[text, sentence_of[text] == sentence].mean(dim=0))
    assert (means[~present] == 0).all()


def test_a_batch_without_any_sentence_has_room_for_one_that_is_absent() -> None:
    means, present = sentence_means(torch.randn(2, 5, 4), torch.full((2, 5), -1))
    assert means.shape == (2, 1, 4) and not present.any()


def test_cost_is_one_less_the_cosine_whatever_the_lengths() -> None:
    patches, sentences = torch.tensor([[[3.0, 0.0], [0.0, 0.5]]]), torch.tensor([[[2.0, 0.0], [-1.0, 0.0], [5.0, 5.0]]])
    by_hand = [[[0.0, 2.0, 1 - 0.5**0.5], [1.0, 1.0, 1 - 0.5**0.5]]]
    torch.testing.assert_close(cosine_cost(patches, sentences), torch.tensor(by_hand))


def test_states_of_half_precision_are_compared_in_single() -> None:
    states = torch.randn(2, 6, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cost = cosine_cost(states, states)
        means, _ = sentence_means(states, torch.zeros(2, 6, dtype=torch.int64))
        plan = ipot(cost, torch.ones(2, 6, dtype=torch.bool), beta=0.5, steps=5)
    assert cost.dtype == means.dtype == plan.dtype == torch.float32
    assert cost.diagonal(dim1=1, dim2=2).abs().max() < 1e-5


@pytest.mark.parametrize(("costs", "mean"), [(unrelated, 0.01), (related, 0.005)])
def test_ipot_comes_within_a_hundredth_of_the_least_cost(costs: Callable[[], Tensor], mean: float) -> None:
    cost = costs()
    gap = transport_costs(cost, ALL, solver="ipot", beta=0.5, steps=50) / exact(cost, ALL) - 1
    assert gap.abs().max() < 0.01 and gap.mean().abs() < mean
    longer = transport_costs(cost, ALL, solver="ipot", beta=0.5, steps=500) / exact(cost, ALL) - 1
    assert longer.abs().max() < 0.0005


def test_it_is_the_published_iteration() -> None:
    cost = related()
    for beta, steps in ((0.5, 50), (0.1, 50), (0.05, 20)):
        torch.testing.assert_close(
            ipot(cost, ALL, beta=beta, steps=steps)[3],
            published_ipot(cost[3], beta=beta, steps=steps).float(), atol=1e-7, rtol=1e-3,
        )  # fmt: skip


@pytest.mark.parametrize("costs", [unrelated, related])
def test_every_patch_gives_alike_and_every_sentence_takes_alike(costs: Callable[[], Tensor]) -> None:
    plan = ipot(costs(), ALL, beta=0.5, steps=50)
    assert (plan >= 0).all()
    assert (plan.sum(dim=2) - 1 / L).abs().sum(dim=1).max() < 0.05
    torch.testing.assert_close(plan.sum(dim=1), torch.full((N, S), 1 / S), atol=1e-6, rtol=0)


@pytest.mark.parametrize("solver", [ipot, log_sinkhorn])
def test_absent_sentences_get_exactly_nothing_and_the_others_are_as_if_alone(solver: Callable[..., Tensor]) -> None:
    cost = related()
    present = torch.arange(S) < torch.tensor([1, 2, 3, 4, 5, 6, 7, 0])[:, None]
    plan = solver(cost, present, beta=0.5, steps=50)
    assert plan.isfinite().all()
    assert (plan.transpose(1, 2)[~present] == 0).all()
    for pair, there in enumerate(range(1, S)):
        alone = solver(cost[pair : pair + 1, :, :there], ALL[:1, :there], beta=0.5, steps=50)
        torch.testing.assert_close(plan[pair, :, :there], alone[0])
    scattered = torch.tensor([1, 0, 1, 0, 0, 1, 0, 1], dtype=torch.bool).expand(N, S)
    told = transport_costs(cost, scattered, solver="ipot", beta=0.5, steps=200)
    assert (told / exact(cost, scattered) - 1).abs().max() < 0.005


@pytest.mark.parametrize("solver", sorted(SOLVERS))
def test_pairs_without_sentences_cost_nothing_and_push_nothing(solver: str) -> None:
    patches = torch.randn(2, L, D, generator=torch.Generator().manual_seed(0)).requires_grad_()
    means, present = sentence_means(torch.randn(2, 6, D), torch.tensor([[0, 0, 0, 1, 1, 1], [-1] * 6]))
    told = transport_costs(cosine_cost(patches, means), present, solver=solver, beta=0.5, steps=50)  # type: ignore[arg-type]
    assert told[0] > 0 and told[1] == 0
    told.sum().backward()
    assert patches.grad is not None and patches.grad.isfinite().all()
    assert patches.grad[0].abs().max() > 0 and (patches.grad[1] == 0).all()


def test_the_gradient_of_the_cost_is_the_plan() -> None:
    cost = related().requires_grad_()
    transport_costs(cost, ALL, solver="ipot", beta=0.5, steps=50).sum().backward()
    assert cost.grad is not None
    torch.testing.assert_close(cost.grad, ipot(cost.detach(), ALL, beta=0.5, steps=50))


@pytest.mark.parametrize("solver", [ipot, log_sinkhorn])
def test_a_single_sentence_costs_the_mean(solver: Callable[..., Tensor]) -> None:
    cost = unrelated()[:, :, :1]
    plan = solver(cost, ALL[:, :1], beta=0.5, steps=50)
    torch.testing.assert_close((cost * plan).sum(dim=(1, 2)), cost.mean(dim=(1, 2)))


def test_the_order_of_patches_and_sentences_does_not_matter() -> None:
    cost, generator = related(), torch.Generator().manual_seed(1)
    rows, columns = torch.randperm(L, generator=generator), torch.randperm(S, generator=generator)
    shuffled = ipot(cost[:, rows][:, :, columns], ALL, beta=0.5, steps=50)
    torch.testing.assert_close(shuffled, ipot(cost, ALL, beta=0.5, steps=50)[:, rows][:, :, columns])


def test_related_patches_and_sentences_cost_far_less_than_independent_coupling() -> None:
    cost = related()
    for solver, beta in (("ipot", 0.5), ("log_sinkhorn", 0.05)):
        told = transport_costs(cost, ALL, solver=solver, beta=beta, steps=50)  # type: ignore[arg-type]
        assert (told < 0.6 * cost.mean(dim=(1, 2))).all()


@pytest.mark.parametrize("beta", [0.05, 0.01, 0.001])
def test_a_small_beta_leaves_the_plan_finite_whole_and_free_of_denormal_numbers(beta: float) -> None:
    for cost in (unrelated(), related(), torch.tensor([0.0, 2.0]).repeat(N, L, S // 2)):
        plan = ipot(cost, ALL, beta=beta, steps=50)
        assert plan.isfinite().all() and (plan >= torch.finfo(torch.float32).tiny).all()
        torch.testing.assert_close(plan.sum(dim=(1, 2)), torch.ones(N))


@pytest.mark.parametrize(
    ("costs", "beta", "steps", "least", "most"),
    [(unrelated, 0.05, 50, 0.0, 0.04), (related, 0.05, 300, 0.0, 0.02), (related, 0.01, 1000, 0.0, 0.01)],
)
def test_log_sinkhorn_is_above_the_least_cost_by_what_its_regularisation_costs(
    costs: Callable[[], Tensor], beta: float, steps: int, least: float, most: float
) -> None:
    cost = costs()
    gap = transport_costs(cost, ALL, solver="log_sinkhorn", beta=beta, steps=steps) / exact(cost, ALL) - 1
    assert gap.min() > least and gap.max() < most


def test_the_proximal_solver_of_pot_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*_: object, **__: object) -> None:
        raise AssertionError("it returns the independent coupling")

    monkeypatch.setattr(ot.batch._linear, "proximal_bregman_log_plan_batch", asked)
    with pytest.raises(AssertionError):
        ot.batch.solve_batch(related())
    for solver in SOLVERS.values():
        solver(related(), ALL, beta=0.05, steps=5)


def test_free_sums_take_each_sentence_from_the_patches_that_are_near() -> None:
    cost, shares = related(), torch.full((N, S), 1 / S)
    told = free_costs(cost, shares, temperature=0.1)
    by_hand = []
    for pair in cost.double():
        plan = np.exp(-pair.numpy() / 0.1)
        by_hand.append((pair.numpy() * plan / plan.sum(axis=0)).sum(axis=0).mean())
    np.testing.assert_allclose(told.numpy(), by_hand, rtol=1e-5)
    sharp = free_costs(cost, shares, temperature=1e-3)
    torch.testing.assert_close(sharp, cost.amin(dim=1).mean(dim=1), atol=1e-3, rtol=0)


def test_every_image_with_every_report_costs_what_pairs_cost() -> None:
    generator = torch.Generator().manual_seed(0)
    patches, sentences = torch.randn(3, 7, D, generator=generator), torch.randn(4, 5, D, generator=generator)
    table = paired_cosine_cost(patches, sentences)
    for image in range(3):
        torch.testing.assert_close(table[image], cosine_cost(patches[[image] * 4], sentences), atol=1e-5, rtol=1e-5)


def test_sentences_of_no_finding_take_less_of_the_plan() -> None:
    sentence_of = torch.tensor([[-1, 0, 1, 1, 2], [0, 0, 1, 1, -1], [-1] * 5])
    present = torch.tensor([[True, True, True], [True, True, False], [False] * 3])
    tells = torch.tensor([[False, False, True, True, False], [False] * 5, [False] * 5])
    shares = sentence_shares(sentence_of, present, tells, silent=0.25)
    expected = torch.tensor([[1 / 6, 4 / 6, 1 / 6], [0.5, 0.5, 0], [0, 0, 0]])
    torch.testing.assert_close(shares, expected)
    cost = related()[:3, :, :3]
    plan = ipot(cost, shares, beta=0.5, steps=200)
    torch.testing.assert_close(plan.sum(dim=1), expected, atol=1e-5, rtol=0)
    exact_cost = ot.emd2(np.full(L, 1 / L), expected[0].double().numpy(), cost[0].double().numpy())
    assert (cost[0] * plan[0]).sum().item() == pytest.approx(exact_cost, rel=0.01)
