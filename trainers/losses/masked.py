"""Masked language modelling (MLM; BERT section 3.1, as in ALBEF): 15 % of the word pieces, of them 80 % masked."""

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


def mask_tokens(tokens: Tensor, masking: Masking) -> tuple[Tensor, Tensor]:
    """The tokens with some hidden, and which, (N, T) each: 80 % become [MASK], 10 % any piece, 10 % stay."""
    special = torch.isin(tokens, torch.tensor(masking.special_ids, device=tokens.device))
    draw = torch.rand(tokens.shape, device=tokens.device)
    chosen = (draw < masking.probability) & ~special  # (N, T)
    fate = torch.rand(tokens.shape, device=tokens.device)
    anything = torch.randint(masking.vocabulary, tokens.shape, device=tokens.device)
    hidden = torch.where(chosen & (fate < 0.8), masking.mask_id, tokens)
    hidden = torch.where(chosen & (fate >= 0.8) & (fate < 0.9), anything, hidden)
    return hidden, chosen


def masked_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Mean cross-entropy over the chosen positions; 0 where none was chosen. logits: (K, V). truth: (K,)."""
    if not len(truth):
        return logits.sum() * 0
    return cross_entropy(logits.float(), truth)
