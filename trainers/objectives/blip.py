"""BLIP (Li et al., 2022) with the masked language modelling that MedVL, section 3, trains: ITC + ITM + MLM."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from app.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Batch
from trainers.encoders import POOLS, FusionBert, WordHead, image_encoder, text_config
from trainers.losses.contrastive import image_text_contrast
from trainers.losses.masked import Masking, mask_tokens, masked_loss
from trainers.losses.matching import hard_negatives, matching_loss, may_be_negative

COLDEST, WARMEST = 0.001, 0.5  # the temperature stays between them (BLIP, models/blip_pretrain.py)


class Blip(nn.Module):
    """An image encoder, and a text encoder that is also the fusion encoder; a loss with weight 0 is not computed."""

    def __init__(self, model: ModelSettings, objective: ObjectiveSettings, *, masking: Masking) -> None:
        super().__init__()
        self.settings = model
        self.masking = masking
        self.pool = POOLS[model.pool]
        self.fusion_share = objective.fusion_share
        self.weights = {"itc": objective.itc, "itm": objective.itm, "mlm": objective.mlm}
        self.image_encoder = image_encoder(
            size=model.image_size,
            patch=model.patch,
            width=model.image_width,
            depth=model.image_depth,
            heads=model.image_heads,
        )
        config = text_config(
            vocabulary=masking.vocabulary,
            width=model.text_width,
            depth=model.text_depth,
            heads=model.text_heads,
            max_tokens=model.max_tokens,
            dropout=model.dropout,
        )
        self.text_encoder = FusionBert(config, image_width=model.image_width)
        self.image_head = nn.Linear(model.image_width, model.embedding)
        self.text_head = nn.Linear(model.text_width, model.embedding)
        self.match_head = nn.Linear(model.text_width, 2)
        self.word_head = WordHead(vocabulary=masking.vocabulary, width=model.text_width)
        self.log_temperature = nn.Parameter(torch.tensor(objective.temperature).log())

    @property
    def temperature(self) -> Tensor:
        """What similarities are divided by."""
        return self.log_temperature.exp()

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """The named losses of a batch, scalars, without their weights."""
        with torch.no_grad():  # the parameter itself, as BLIP does: clamped later, it would get no gradient back
            self.log_temperature.clamp_(math.log(COLDEST), math.log(WARMEST))
        image, states = self.embed_images(batch.images)
        text = self.embed_texts(batch.tokens, batch.mask)
        fused = max(1, round(self.fusion_share * len(batch)))  # batches are shuffled, so the first are any
        losses = {}
        if self.weights["itc"] > 0:
            with torch.autocast(image.device.type, enabled=False):
                losses["itc"] = image_text_contrast(image, text, batch.text_group, self.temperature)
        if self.weights["itm"] > 0:
            losses["itm"] = self._matching(batch, states, (image @ text.T).detach(), first=fused)
        if self.weights["mlm"] > 0:
            losses["mlm"] = self._masked(batch.tokens[:fused], batch.mask[:fused], states[:fused])
        return losses

    def embed_images(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """images: (N, 3, H, W). Returns embeddings (N, E) of unit length and, for matching, states (N, P, width)."""
        states = self.image_encoder(images)
        patches = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
        patches[:, 0] = False  # the first state is the whole image's
        return self._embed(self.image_head, self.pool(states, patches)), states

    def embed_texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Returns embeddings (N, E) of unit length."""
        return self._embed(self.text_head, self.pool(self.text_encoder(tokens, mask), mask))

    def match_scores(self, states: Tensor, tokens: Tensor, mask: Tensor) -> Tensor:
        """(N,) logits that text i belongs to image i. states: (N, P, image_width). tokens, mask: (N, T)."""
        fused = self.text_encoder.fuse(tokens, mask, states)
        return self.match_head(self.pool(fused, mask))[:, 1].float()

    def _embed(self, head: nn.Linear, pooled: Tensor) -> Tensor:
        return normalize(head(pooled).float(), dim=-1)

    def _matching(self, batch: Batch, states: Tensor, similarity: Tensor, *, first: int) -> Tensor:
        """Of the first F pairs; their negatives are drawn from all N."""
        scores = similarity / self.temperature.detach()  # (N, N)
        allowed = may_be_negative(batch.text_group, batch.figure_group)
        own = torch.arange(first, device=states.device)
        images, wrong_texts = hard_negatives(scores[:first], allowed[:first])
        texts, wrong_images = hard_negatives(scores.T[:first], allowed.T[:first])
        image = torch.cat([own, images, wrong_images])  # (3F,) where every pair has a negative
        text = torch.cat([own, wrong_texts, texts])
        fused = self.text_encoder.fuse(batch.tokens[text], batch.mask[text], states[image])
        return matching_loss(self.match_head(self.pool(fused, batch.mask[text])), first)

    def _masked(self, tokens: Tensor, mask: Tensor, states: Tensor) -> Tensor:
        hidden, chosen = mask_tokens(tokens, self.masking)
        fused = self.text_encoder.fuse(hidden, mask, states)[chosen]  # (K, W)
        words = self.text_encoder.bert.embeddings.word_embeddings.weight
        return masked_loss(self.word_head(fused, words), tokens[chosen])
