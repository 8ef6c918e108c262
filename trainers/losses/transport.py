"""Sentence-patch matching by optimal transport (MLIP, section 2.2): what it costs to move patches onto sentences."""

from typing import Literal

import torch
from ot.batch import solve_batch
from torch import Tensor
from torch.nn.functional import normalize

# The least factor and the least plan of IPOT's iteration: their product is a normal float32, and nothing is lost for
# good that grew too small on the way. Without them the plan's tail is denormal, which CPUs multiply 20 times slower.
LEAST_FACTOR, LEAST_PLAN = 1e-17, 1e-20


def sentence_means(states: Tensor, sentence_of: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of each sentence's token states, (N, S, D) float32, and which sentences there are, (N, S) bool.

    states: (N, T, D). sentence_of: (N, T) int64, the number of a token's sentence in its text, -1 for none.
    S: the most sentences of a text, at least 1. Where there is none the mean is 0.
    """
    sentences = max(1, int(sentence_of.max()) + 1)
    belongs = sentence_of[:, None, :] == torch.arange(sentences, device=sentence_of.device)[:, None]  # (N, S, T)
    tokens = belongs.sum(dim=2)  # (N, S)
    with torch.autocast(states.device.type, enabled=False):
        sums = belongs.float() @ states.float()  # (N, S, D)
    return sums / tokens.clamp(min=1)[:, :, None], tokens > 0


def cosine_cost(patches: Tensor, sentences: Tensor) -> Tensor:
    """C of eq. 7, (N, L, S) float32: 1 less the cosine of patch and sentence. patches: (N, L, D). sentences: (N, S, D).

    The products are divided, not the states: the states of all patches are the largest tensor here.
    """
    with torch.autocast(patches.device.type, enabled=False):
        patches, sentences = patches.float(), sentences.float()
        lengths = (of.norm(dim=2).clamp(min=1e-12) for of in (patches, sentences))
        patch_length, sentence_length = lengths  # (N, L), (N, S)
        products = patches @ sentences.transpose(1, 2)  # (N, L, S)
        return 1 - products / patch_length[:, :, None] / sentence_length[:, None, :]


def paired_cosine_cost(patches: Tensor, sentences: Tensor) -> Tensor:
    """C of eq. 7 of every image with every report, (R, M, L, S) float32. patches: (R, L, D). sentences: (M, S, D)."""
    with torch.autocast(patches.device.type, enabled=False):
        patches, sentences = (normalize(each.float(), dim=2) for each in (patches, sentences))
        return 1 - torch.einsum("rld,msd->rmls", patches, sentences)


def sentence_shares(sentence_of: Tensor, present: Tensor, asserts: Tensor | None, *, silent: float) -> Tensor:
    """(N, S): the share of the plan that each present sentence takes; they sum to 1, or to 0 where there is none.

    sentence_of: (N, T) int64, see sentence_means(). present: (N, S) bool. asserts: (N, T) bool, of the tokens of
    sentences that say a finding is there; None: of all. silent: what a sentence of no finding weighs, where one of a
    finding weighs 1; of a report without any finding all weigh the same.
    """
    weights = present.float()
    if asserts is not None and silent != 1:
        of = torch.arange(present.shape[1], device=present.device)[:, None]
        telling = ((sentence_of[:, None, :] == of) & asserts[:, None, :]).any(dim=2)  # (N, S)
        lighter = torch.where(telling, 1.0, silent) * present
        weights = torch.where(telling.any(dim=1, keepdim=True), lighter, weights)
    return weights / weights.sum(dim=1, keepdim=True).clamp(min=1e-9)


def as_shares(present: Tensor) -> Tensor:
    """(N, S) float: equal shares of the sentences that are there, where (N, S) bool is given; else what is given."""
    if present.dtype is not torch.bool:
        return present.float()
    return present / present.sum(dim=1, keepdim=True).clamp(min=1)


@torch.no_grad()
def ipot(cost: Tensor, present: Tensor, *, beta: float, steps: int) -> Tensor:
    """The plan by inexact proximal points (Xie et al. 2020, algorithm 1, one inner step; as UNITER, model/ot.py).

    cost: (N, L, S). present: (N, S) bool, or the shares of sentence_shares(). Every patch gives 1/L, every present
    sentence of a pair takes as much as the others or its share, absent ones nothing; the plan, (N, L, S) float32, is 0
    where a pair has no sentence. beta: of the proximal
    step; the smaller, the sooner the cost is least and the later the patches' sums are right. 50 steps of 0.5 end up
    within 1 % of the least cost, but 3 % below it where patches lie much nearer to their own sentence than to others.
    """
    share = as_shares(present)[:, :, None]  # (N, S, 1)
    present = share[:, :, 0] > 0
    kernel = _kernel(cost.float(), present, beta)  # (N, S, L): A; long rows are summed faster
    plan, least = present[:, :, None].float().expand_as(kernel), LEAST_PLAN * present[:, :, None]
    sigma = share
    for _ in range(steps):
        kept = kernel * plan  # Q
        delta = 1 / (kept * sigma).sum(dim=1, keepdim=True).mul_(cost.shape[1]).clamp_(min=LEAST_PLAN)  # (N, 1, L)
        kept *= delta
        sigma = share / kept.sum(dim=2, keepdim=True).clamp_(min=LEAST_PLAN)
        plan = torch.maximum(kept.mul_(sigma), least)
    return plan.transpose(1, 2)


def _kernel(cost: Tensor, present: Tensor, beta: float) -> Tensor:
    """exp(-C / beta), (N, S, L), 0 for absent sentences; 1 for each patch's nearest one, which delta takes back."""
    cost = cost.transpose(1, 2).contiguous().masked_fill(~present[:, :, None], float("inf"))
    nearest = cost.amin(dim=1, keepdim=True).nan_to_num(posinf=0.0)  # (N, 1, L)
    return torch.exp((nearest - cost) / beta).clamp(min=LEAST_FACTOR) * present[:, :, None]


@torch.no_grad()
def log_sinkhorn(cost: Tensor, present: Tensor, *, beta: float, steps: int) -> Tensor:
    """The plan under entropic regularisation beta, by POT; otherwise as `ipot`.

    The cost is 2 % above the least one with beta 0.05 and 300 steps, and twice the least with 0.5. POT's own proximal
    solver is not used: until its pull request 843 it returns the independent coupling.
    """
    share = as_shares(present)
    some = (share > 0).any(dim=1, keepdim=True)  # (N, 1)
    taken = torch.where(some, share, 1.0)
    given = cost.new_full(cost.shape[:2], 1 / cost.shape[1], dtype=torch.float32)
    with torch.autocast(cost.device.type, enabled=False):
        solved = solve_batch(
            cost.float(), reg=beta, a=given, b=taken / taken.sum(dim=1, keepdim=True),
            max_iter=steps, method="log_sinkhorn", grad="detach",
        )  # fmt: skip
    return solved.plan * some[:, :, None]


SOLVERS = {"ipot": ipot, "log_sinkhorn": log_sinkhorn}


def transport_costs(
    cost: Tensor, present: Tensor, *, solver: Literal["ipot", "log_sinkhorn"], beta: float, steps: int
) -> Tensor:
    """Eq. 8 for each pair, (N,): the cost under the plan, which itself has no gradient; 0 where there is no sentence.

    cost: (N, L, S). present: (N, S) bool, or the shares of sentence_shares().
    """
    plan = SOLVERS[solver](cost.detach(), present, beta=beta, steps=steps)  # Gamma
    return (cost * plan).sum(dim=(1, 2))


def free_costs(cost: Tensor, shares: Tensor, *, temperature: float) -> Tensor:
    """Eq. 8 where patches give what is asked of them, (N,): each sentence takes its share from those that are near.

    cost: (N, L, S). shares: (N, S), of sentence_shares(). The plan is the shares times a softmax over patches of the
    cosines, 1 - C, over the temperature: entropic transport of which only the sentences' sums are bound. It has no
    gradient, as that of eq. 8. The paper does not state the sums.
    """
    plan = (-cost.detach() / temperature).softmax(dim=1) * shares[:, None, :]
    return (cost * plan).sum(dim=(1, 2))


def choice_loss(costs: Tensor, possible: Tensor, *, temperature: Tensor | float) -> Tensor:
    """Of each pair, (N,): the cross-entropy of choosing its own report among some by what they cost; 0 without its own.

    costs: (N, 1 + K), its own first. possible: (N, 1 + K) bool, which reports have sentences.
    """
    scores = (-costs / temperature).masked_fill(~possible, float("-inf"))
    chosen = scores.masked_fill(~possible[:, :1], 0.0).log_softmax(dim=1)[:, 0]
    return -chosen * possible[:, 0]
