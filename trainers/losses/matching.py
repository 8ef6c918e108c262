"""Image-text matching (ITM; ALBEF and BLIP, section 3.2): is this the text of this image, against hard negatives."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def hard_negatives(scores: Tensor, allowed: Tensor) -> tuple[Tensor, Tensor]:
    """For each row one allowed column, drawn in proportion to softmax(scores).

    scores: (N, M), similarity over temperature. allowed: (N, M) bool.
    Returns the rows that have an allowed column, (R,), and the column drawn for each, (R,).
    """
    rows = allowed.any(dim=1).nonzero().squeeze(1)  # (R,)
    if not len(rows):
        return rows, rows
    kept = scores[rows].float().masked_fill(~allowed[rows], float("-inf"))
    # Where the model has gone astray any column will do: the loss will be NaN, and the loop says for which pairs.
    return rows, torch.multinomial(kept.softmax(dim=1).nan_to_num(nan=1.0), 1).squeeze(1)


def may_be_negative(text_group: Tensor, figure_group: Tensor) -> Tensor:
    """(N, N) bool: false for pairs with equal texts or of one figure, themselves included."""
    same_text = text_group[:, None] == text_group[None, :]
    same_figure = figure_group[:, None] == figure_group[None, :]
    return ~(same_text | same_figure)


def matching_loss(logits: Tensor, n_positive: int) -> Tensor:
    """Cross-entropy of match (1) against no match (0). logits: (P, 2), the first n_positive of them true pairs."""
    target = torch.zeros(len(logits), dtype=torch.int64, device=logits.device)
    target[:n_positive] = 1
    return cross_entropy(logits.float(), target)
