"""A training step laid out as BLIP's published code lays it out, with figray's weights: the baseline of the benches.

Texts are padded to the longest that the model reads; attention keeps its matrix (eager); true pairs and negatives pass
the fusion encoder one after the other; negatives are drawn and put together pair by pair. The losses are figray's.
The word head reads the masked places alone, as figray's does, though the published one reads all.
"""

from copy import deepcopy
from dataclasses import replace

import torch
from timm.layers import Attention
from torch import Tensor, nn
from torch.nn.functional import pad

from trainers.batch import Batch
from trainers.blip import FusionTowers
from trainers.encoders import FusionBert
from trainers.losses.masked import mask_tokens
from trainers.losses.matching import Matches, matching_loss, may_be_negative
from trainers.objectives.blip import BlipObjective, Drawn, Encoded
from trainers.objectives.objective import Losses

LEAST = 1e-4  # is added to each weight of a draw, so that none is without weight (BLIP, models/blip_pretrain.py)


class PaddedBert(FusionBert):
    """A text encoder's own weights, with eager attention over every place of a padded batch."""

    def __init__(self, encoder: FusionBert) -> None:
        nn.Module.__init__(self)
        self.bert = encoder.bert
        self.bert.set_attn_implementation("eager")

    def _by_length(
        self, tokens: Tensor, mask: Tensor, image: Tensor | None = None, image_mask: Tensor | None = None
    ) -> Tensor:
        states = self.bert(
            input_ids=tokens,
            attention_mask=mask,
            encoder_hidden_states=image,
            encoder_attention_mask=image_mask,
            use_cache=False,
        )
        return states.last_hidden_state


class ReferenceBlip(nn.Module):
    """BlipObjective's losses in the published arrangement; weights, momentum encoders and queue are copies of its."""

    def __init__(self, objective: BlipObjective) -> None:
        super().__init__()
        self.objective = deepcopy(objective)
        self.model, self.weights = self.objective.model, self.objective.weights
        lay_out(self.model)
        if self.model.decoder is not None:
            self.model.decoder = PaddedBert(self.model.decoder)
        if self.objective.momentum is not None:
            lay_out(self.objective.momentum.towers)

    def forward(self, batch: Batch, step: int = 0) -> Losses:
        """The named losses of a batch, with draws of its own."""
        padded, encoded = self._begin(batch)
        return self._losses(padded, encoded, self._draw(padded, encoded, step), step)

    def repeat(self, batch: Batch, step: int = 0) -> Losses:
        """The named losses with the negatives and masks that BlipObjective draws at this step."""
        padded, encoded = self._begin(batch)
        return self._losses(padded, encoded, self.objective.draw(padded, encoded, step), step)

    def _begin(self, batch: Batch) -> tuple[Batch, Encoded]:
        room = (0, self.model.settings.max_tokens - batch.tokens.shape[1])
        padded = replace(batch, tokens=pad(batch.tokens, room), mask=pad(batch.mask, room))
        self.objective.begin_step()
        return padded, self.objective.encode(padded)

    def _losses(self, batch: Batch, encoded: Encoded, drawn: Drawn, step: int) -> Losses:
        rows = torch.arange(len(batch), device=batch.tokens.device)
        true, wrong = (drawn.matches.at((drawn.matches.truth == kind).nonzero().squeeze(1)) for kind in (1, 0))
        itm = self._match(batch, encoded, true) + self._match(batch, encoded, wrong)
        return {
            "itc": self.objective.contrast(batch, encoded, self.objective.see(batch, step)),
            "itm": itm / drawn.n_matches,
            self.objective.settings.text_objective: self.objective.read(batch, encoded, drawn, rows),
        }

    def _match(self, batch: Batch, encoded: Encoded, matches: Matches) -> Tensor:
        images, texts = matches.image.tolist(), matches.text.tolist()
        states = torch.stack([encoded.states[row] for row in images])
        tokens = torch.stack([batch.tokens[row] for row in texts])
        mask = torch.stack([batch.mask[row] for row in texts])
        return matching_loss(self.model.match_logits(states, tokens, mask), matches.truth)

    @torch.no_grad()
    def _draw(self, batch: Batch, encoded: Encoded, step: int) -> Drawn:
        generator = torch.Generator(batch.tokens.device).manual_seed(step)
        hidden, chosen = mask_tokens(batch.tokens, self.objective.masking, generator)
        allowed = may_be_negative(batch.text_group, batch.figure_group)
        scores = encoded.image @ encoded.text.T / self.model.temperature
        return Drawn(
            tokens=batch.tokens,
            mask=batch.mask,
            matches=draw_one_by_one(scores, allowed),
            n_matches=3 * len(batch),
            hidden=hidden,
            chosen=chosen,
            n_chosen=max(1, int(chosen.sum())),
            n_words=max(1, int(batch.mask[:, 1:].sum())),
        )


def lay_out(towers: FusionTowers) -> None:
    """Make both encoders those of the published arrangement."""
    towers.text_encoder = PaddedBert(towers.text_encoder)
    for module in towers.image_encoder.modules():
        if isinstance(module, Attention):
            module.fused_attn = False  # type: ignore[misc]


def draw_one_by_one(scores: Tensor, allowed: Tensor) -> Matches:
    """The true pairs, and for each image a wrong text and for each text a wrong image, one draw after the other.

    scores: (N, N), image to text, similarity over temperature. allowed: (N, N) bool; some in each row and column.
    """
    to_text = (scores.softmax(dim=1) + LEAST).masked_fill(~allowed, 0)
    to_image = (scores.T.softmax(dim=1) + LEAST).masked_fill(~allowed.T, 0)
    every = list(range(len(scores)))
    wrong_texts = [int(torch.multinomial(to_text[row], 1).item()) for row in every]
    wrong_images = [int(torch.multinomial(to_image[row], 1).item()) for row in every]
    here = scores.device
    return Matches(
        image=torch.tensor(every + every + wrong_images, device=here),
        text=torch.tensor(every + wrong_texts + every, device=here),
        truth=torch.tensor([1] * len(every) + [0] * 2 * len(every), device=here),
    )
