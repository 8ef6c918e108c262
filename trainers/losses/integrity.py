"""Contrast weighted by how much of an image's meaning its mask left over (MLIP, section 2.1, eq. 2 to 6)."""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def integrity_scores(phi: Tensor, kept: Tensor) -> Tensor:
    """<phi, M> of each image, (N,), M being 1 on the patches that it shows. phi: (P,). kept: (N, K) int64, these."""
    return phi[kept].sum(dim=1)


def exp_softmax(scores: Tensor) -> Tensor:
    """Eq. 4: between 1 and e, in the mean about 1 + 1/M."""
    return scores.softmax(dim=0).exp()


def softmax_n(scores: Tensor) -> Tensor:
    """M times the softmax: 1 in the mean."""
    return len(scores) * scores.softmax(dim=0)


WEIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "exp_softmax": exp_softmax,
    "softmax_n": softmax_n,
    "off": torch.ones_like,
}


def relative_weights(scores: Tensor, kind: Literal["exp_softmax", "softmax_n", "off"]) -> Tensor:
    """w, (M,). scores: (M,), of the batch of all workers."""
    return WEIGHTS[kind](scores)


def weight_entropy(scores: Tensor) -> Tensor:
    """The entropy of the softmax in eq. 4 over its largest, log M: 1 where all weigh the same. scores: (M,)."""
    if len(scores) == 1:
        return torch.ones_like(scores[0])
    logs = scores.log_softmax(dim=0)
    return -(logs.exp() * logs).sum() / math.log(len(scores))


def weighted_contrast(
    queries: Tensor,
    keys: Tensor,
    own: Tensor,
    weight: Tensor,
    *,
    temperature: Tensor | float,
    left_out: Tensor | None = None,
) -> Tensor:
    """Eq. 5 or, with texts as queries, eq. 6: mean over the queries; with weights 1, eq. 2 and 3.

    queries: (N, E). keys: (M, E). own: (N,) int64, the key of each query's pair. weight: (N, 1), of the queries' pairs,
    or (1, M), of the keys'. left_out: (N, M) bool, keys that are no negatives, such as those with the same text; a
    query's own always counts. None: every other key is a negative, as published.
    """
    with torch.autocast(queries.device.type, enabled=False):
        scores = weight * (queries.float() @ keys.float().T) / temperature  # (N, M)
    if left_out is not None:
        scores = scores.masked_fill(left_out.scatter(1, own[:, None], False), float("-inf"))
    return cross_entropy(scores, own)
