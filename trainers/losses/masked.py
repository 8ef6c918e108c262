"""Words: masked (MLM; BERT section 3.1, as in ALBEF), or the next one (LM; BLIP, section 3.2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True)
class Masking:
    """How word pieces are hidden."""

    probability: float  # of a piece to be predicted
    mask_id: int
    special_ids: Sequence[int]  # never hidden
    vocabulary: int


def mask_tokens(tokens: Tensor, masking: Masking, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """The tokens with some hidden, and which, (N, T) each: 80 % become [MASK], 10 % any piece, 10 % stay."""
    special = torch.isin(tokens, torch.tensor(masking.special_ids, device=tokens.device))
    draw, fate = torch.rand((2, *tokens.shape), generator=generator, device=tokens.device)
    anything = torch.randint(masking.vocabulary, tokens.shape, generator=generator, device=tokens.device)
    chosen = (draw < masking.probability) & ~special  # (N, T)
    hidden = torch.where(chosen & (fate < 0.8), masking.mask_id, tokens)
    hidden = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), anything, hidden)
    return hidden, chosen


def word_loss(logits: Tensor, truth: Tensor, *, smoothing: float = 0.0) -> Tensor:
    """Summed cross-entropy over K pieces; 0 where there is none. logits: (K, V). truth: (K,)."""
    return cross_entropy(logits.float(), truth, reduction="sum", label_smoothing=smoothing)


def distilled_word_loss(logits: Tensor, truth: Tensor, theirs: Tensor, alpha: float) -> Tensor:
    """Summed cross-entropy over K pieces, against 1 - alpha of the true piece and alpha of the momentum model's belief.

    ALBEF, eq. 7; the divergence printed there is less by the entropy of that belief, which has no gradient.
    logits, theirs: (K, V). truth: (K,).
    """
    believed = cross_entropy(logits.float(), theirs.float().softmax(dim=-1), reduction="sum")
    return (1 - alpha) * word_loss(logits, truth) + alpha * believed
