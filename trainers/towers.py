"""Two encoders with a shared space: what every model of figray is evaluated by."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from core.settings import ModelSettings
from trainers.encoders import POOLS, TextBert, image_encoder, visible_states

COLDEST, WARMEST = 0.001, 0.5  # a learnable temperature stays between them (BLIP, models/blip_pretrain.py)


class Towers(nn.Module):
    """Images and texts, each alone, into one space."""

    matches = False  # whether there is a head, trained, that says whether a text belongs to an image
    text_encoder: TextBert

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.pool_image = POOLS[settings.pool]
        self.image_encoder = image_encoder(
            size=settings.image_size,
            patch=settings.patch,
            width=settings.image_width,
            depth=settings.image_depth,
            heads=settings.image_heads,
            eps=settings.image_eps,
        )
        self.text_encoder = self.make_text_encoder()
        width = settings.embedding
        self.image_head = nn.Linear(settings.image_width, width) if width else nn.Identity()
        self.text_head = nn.Linear(settings.text_width, width) if width else nn.Identity()

    def make_text_encoder(self) -> TextBert:
        """The text encoder, from scratch."""
        raise NotImplementedError

    def image_states(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        """images: (N, 3, H, W). kept: (N, K) int64, the patches to see; None: all P. (N, 1 + K, image_width)."""
        if kept is None:
            states: Tensor = self.image_encoder(images)
            return states
        return visible_states(self.image_encoder, images, kept)

    def image_vectors(self, states: Tensor) -> Tensor:
        """(N, E) of states (N, 1 + K, image_width), of any length."""
        patches = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        patches[:, 0] = False  # the first state is the whole image's
        vectors: Tensor = self.image_head(self.pool_image(states, patches))
        return vectors.float()

    def text_vectors(self, states: Tensor, mask: Tensor) -> Tensor:
        """(N, E) of states (N, T, text_width), of any length. mask: (N, T)."""
        vectors: Tensor = self.text_head(self.pool_text(states, mask))
        return vectors.float()

    def pool_text(self, states: Tensor, mask: Tensor) -> Tensor:
        """(N, text_width)."""
        how = self.settings.text_pool or self.settings.pool
        return self.text_encoder.pooler(states) if how == "pooler" else POOLS[how](states, mask)

    def embed_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images: (N, 3, H, W). Returns embeddings (N, E) of unit length and the states (N, 1 + P, image_width)."""
        states = self.image_states(images)
        return normalize(self.image_vectors(states), dim=-1), states

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Returns embeddings (N, E) of unit length."""
        return normalize(self.text_vectors(self.text_encoder(tokens, mask), mask), dim=-1)
