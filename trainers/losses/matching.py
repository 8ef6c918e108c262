"""Image-text matching (ITM; ALBEF and BLIP, section 3.2): is this the text of this image, against hard negatives."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


@dataclass(frozen=True)
class Matches:
    """P pairs to be judged, as rows of a batch: true ones, images with a wrong text, texts with a wrong image."""

    image: Tensor  # (P,)
    text: Tensor  # (P,)
    truth: Tensor  # (P,) int64, 1: they belong together

    def at(self, rows: Tensor) -> "Matches":
        """Some of them."""
        return Matches(self.image[rows], self.text[rows], self.truth[rows])


def draw_matches(scores: Tensor, allowed: Tensor, rows: Tensor, generator: torch.Generator | None = None) -> Matches:
    """The true pairs of the given rows and, where there is one, a hard negative for each image and for each text.

    scores: (N, N), image to text, similarity over temperature. allowed: (N, N) bool, symmetric, pairs that may stand as
    negatives. rows: (F,).
    """
    images, wrong_texts = hard_negatives(scores[rows], allowed[rows], generator)
    texts, wrong_images = hard_negatives(scores.T[rows], allowed[rows], generator)
    truth = torch.zeros(len(rows) + len(images) + len(texts), dtype=torch.int64, device=rows.device)
    truth[: len(rows)] = 1
    return Matches(
        image=torch.cat([rows, rows[images], wrong_images]),
        text=torch.cat([rows, wrong_texts, rows[texts]]),
        truth=truth,
    )


def hard_negatives(scores: Tensor, allowed: Tensor, generator: torch.Generator | None = None) -> tuple[Tensor, Tensor]:
    """For each row one allowed column, drawn in proportion to softmax(scores).

    scores: (N, M), similarity over temperature. allowed: (N, M) bool.
    Returns the rows that have an allowed column, (R,), and the column drawn for each, (R,).
    """
    rows = allowed.any(dim=1).nonzero().squeeze(1)  # (R,)
    if not len(rows):
        return rows, rows
    kept = scores[rows].float().masked_fill(~allowed[rows], float("-inf"))
    # Where the model has gone astray any column will do: the loss will be NaN, and the loop says for which pairs.
    weights = kept.softmax(dim=1).nan_to_num(nan=1.0)
    return rows, torch.multinomial(weights, 1, generator=generator).squeeze(1)


def may_be_negative(text_group: Tensor, figure_group: Tensor) -> Tensor:
    """(N, N) bool: false for pairs with equal texts or of one figure, themselves included."""
    same_text = text_group[:, None] == text_group[None, :]
    same_figure = figure_group[:, None] == figure_group[None, :]
    return ~(same_text | same_figure)


def matching_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Summed cross-entropy of match (1) against no match (0). logits: (P, 2). truth: (P,)."""
    return cross_entropy(logits.float(), truth, reduction="sum")
