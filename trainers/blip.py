"""BLIP's model (Li et al., 2022, section 3.1): two encoders with a shared space, a fusion encoder, and their heads."""

import torch
from torch import Tensor, nn

from core.settings import ModelSettings, ObjectiveSettings
from trainers.encoders import FusionBert, WordHead, text_config, tied_decoder
from trainers.towers import Towers


class FusionTowers(Towers):
    """Towers of which the text encoder can look at an image."""

    text_encoder: FusionBert
    image_head: nn.Linear
    text_head: nn.Linear

    def make_text_encoder(self) -> FusionBert:
        """A BERT with cross-attention to the image's states."""
        self.text_config = text_config(self.settings, fused=True)
        return FusionBert(self.text_config, image_width=self.settings.image_width)


class Blip(FusionTowers):
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
        logits: Tensor = self.match_head(self.pool_text(self.text_encoder.fuse(tokens, mask, states), mask))
        return logits.float()

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
