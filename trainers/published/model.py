"""Published: two encoders of another library, as figray asks its own models."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from core.settings import ModelSettings
from trainers.towers import UNKNOWN, Towers


class Texts:
    """A library's tokenizer as trainers.texts.TextReader asks for one; where a piece stands in its text is not told."""

    def __init__(self, pieces: Callable[[list[str], int], list[list[int]]], *, pad: int) -> None:
        """pieces: of texts, each with at most so many. pad: the number that fills up."""
        self.pieces, self.pad_token_id, self.sep_token_id = pieces, pad, pad

    def __call__(self, texts: list[str], *, max_length: int, **_: Any) -> dict[str, Any]:
        """The numbers of the pieces of each text."""
        found = self.pieces(texts, max_length)
        return {"input_ids": found, "offset_mapping": [[(0, 0)] * len(each) for each in found]}


class Published(Towers):
    """Images, letterboxed as figray's are and then of the mean and deviation that the model learnt with, and texts.

    Its patches stand in no shared space, so that it has no maps; few labels are learnt on its image embedding.
    """

    note = UNKNOWN
    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        settings: ModelSettings,
        inner: nn.Module,
        *,
        images: Callable[[Tensor], Tensor],
        texts: Callable[[Tensor, Tensor], Tensor],
        mean: Sequence[float],
        deviation: Sequence[float],
        pad: int | None,
    ) -> None:
        """images: (N, 3, H, W) -> (N, E); texts: tokens and mask (N, T) -> (N, E). Both of any length.

        mean, deviation: of the three colours, 0 to 1. pad: what fills texts up to max_tokens, without a mask, as SigLIP
        reads them; None: texts are as long as the batch's longest.
        """
        nn.Module.__init__(self)
        self.settings, self.kept, self.pad = settings, {}, pad
        self.inner, self.images, self.texts = inner, images, texts
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor(deviation).view(3, 1, 1), persistent=False)

    def embed_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images: (N, 3, H, W), -1 to 1. Embeddings (N, E) of unit length; (N, 2, E), twice what they were before."""
        features = self.images(((images + 1) / 2 - self.mean) / self.deviation).float()
        return normalize(features, dim=-1), features[:, None].expand(-1, 2, -1)

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Embeddings (N, E) of unit length."""
        if self.pad is not None:
            room = self.settings.max_tokens - tokens.shape[1]
            tokens = nn.functional.pad(tokens.masked_fill(~mask, self.pad), (0, room), value=self.pad)
            mask = torch.ones_like(tokens, dtype=torch.bool)
        return normalize(self.texts(tokens, mask).float(), dim=-1)


def settings_for(*, size: int, tokens: int, width: int) -> ModelSettings:
    """What figray has to know of such a model: pixels of an image, pieces of a text, the width of the shared space."""
    sides = dict.fromkeys(("image_width", "text_width", "embedding"), width)
    return ModelSettings(image_size=size, patch=size, max_tokens=tokens, image_heads=1, text_heads=1, **sides)
