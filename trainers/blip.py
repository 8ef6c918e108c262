"""BLIP's model (Li et al., 2022, section 3.1): two encoders with a shared space, a fusion encoder, and their heads."""

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from app.settings import ModelSettings, ObjectiveSettings
from trainers.encoders import POOLS, FusionBert, WordHead, image_encoder, text_config, tied_decoder

COLDEST, WARMEST = 0.001, 0.5  # the temperature stays between them (BLIP, models/blip_pretrain.py)


class Towers(nn.Module):
    """Images and texts, each alone, into one space."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        self.pool = POOLS[settings.pool]
        self.image_encoder = image_encoder(
            size=settings.image_size,
            patch=settings.patch,
            width=settings.image_width,
            depth=settings.image_depth,
            heads=settings.image_heads,
            eps=settings.image_eps,
        )
        self.text_config = text_config(
            vocabulary=settings.vocabulary,
            width=settings.text_width,
            depth=settings.text_depth,
            heads=settings.text_heads,
            max_tokens=settings.max_tokens,
            dropout=settings.dropout,
        )
        self.text_encoder = FusionBert(self.text_config, image_width=settings.image_width)
        self.image_head = nn.Linear(settings.image_width, settings.embedding)
        self.text_head = nn.Linear(settings.text_width, settings.embedding)

    def embed_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images: (N, 3, H, W). Returns embeddings (N, E) of unit length and, for matching, states (N, P, width)."""
        states = self.image_encoder(images)
        patches = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        patches[:, 0] = False  # the first state is the whole image's
        return self._embed(self.image_head, self.pool(states, patches)), states

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Returns embeddings (N, E) of unit length."""
        return self._embed(self.text_head, self.pool(self.text_encoder(tokens, mask), mask))

    def _embed(self, head: nn.Linear, pooled: Tensor) -> Tensor:
        return normalize(head(pooled).float(), dim=-1)


class Blip(Towers):
    """The towers; the text encoder that looks at an image, with a head that matches and one that knows words."""

    def __init__(self, settings: ModelSettings, objective: ObjectiveSettings) -> None:
        super().__init__(settings)
        self.matches = objective.itm > 0  # whether the match head was trained
        self.match_head = nn.Linear(settings.text_width, 2)
        self.word_head = WordHead(vocabulary=settings.vocabulary, width=settings.text_width)
        self.decoder = None
        if objective.text_objective == "lm":
            self.decoder = tied_decoder(self.text_encoder, self.text_config, image_width=settings.image_width)
        self.log_temperature = nn.Parameter(torch.tensor(objective.temperature).log())

    @property
    def temperature(self) -> Tensor:
        """By which similarities are divided."""
        return self.log_temperature.exp()

    def match_logits(self, states: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(N, 2) logits that text i does not belong to image i, and that it does.

        states: (N, P, image_width). tokens, mask: (N, T).
        """
        return self.match_head(self.pool(self.text_encoder.fuse(tokens, mask, states), mask)).float()

    def match_scores(self, states: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(N,) logits that text i belongs to image i; arguments as of match_logits()."""
        return self.match_logits(states, tokens, mask)[:, 1]

    def masked_words(self, states: Tensor, hidden: Tensor, mask: Tensor, chosen: Tensor) -> Tensor:
        """(K, V) logits of the pieces at the chosen places, seen from both sides and with the image.

        hidden: (N, T) tokens with some masked. chosen: (N, T) bool, K of them true.
        """
        return self._words(self.text_encoder.fuse(hidden, mask, states)[chosen])

    def next_words(self, states: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(K, V) logits of the K pieces that follow another one, each seen from those before it and with the image."""
        assert self.decoder is not None  # there with text_objective=lm
        return self._words(self.decoder.fuse(tokens, mask, states)[:, :-1][mask[:, 1:]])

    def _words(self, states: Tensor) -> Tensor:
        return self.word_head(states, self.text_encoder.bert.embeddings.word_embeddings.weight)
