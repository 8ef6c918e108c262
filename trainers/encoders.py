"""The encoders: timm's ViT for images; a BERT that reads text alone, or text with an image (ALBEF, section 3.1)."""

from copy import deepcopy
from functools import partial

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertCrossAttention, BertSelfAttention

PARTS = 4  # into which a batch of texts is cut by length


def image_encoder(*, size: int, patch: int, width: int, depth: int, heads: int, eps: float = 1e-6) -> VisionTransformer:
    """A ViT from scratch: (N, 3, size, size) -> states (N, 1 + (size / patch)^2, width), the whole image first."""
    return VisionTransformer(
        img_size=size,
        patch_size=patch,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        num_classes=0,
        global_pool="",
        norm_layer=partial(nn.LayerNorm, eps=eps),
    )


def first_state(states: Tensor, mask: Tensor) -> Tensor:
    """(N, W): the state of the first token. states: (N, L, W). mask: (N, L), not looked at."""
    return states[:, 0]


def mean_state(states: Tensor, mask: Tensor) -> Tensor:
    """(N, W): the mean of the states that the mask admits. states: (N, L, W). mask: (N, L) bool."""
    return (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


POOLS = {"first": first_state, "mean": mean_state}


class FusionBert(nn.Module):
    """BERT with scaled-dot-product attention; with an image's states its cross-attention layers take part."""

    def __init__(self, config: BertConfig, *, image_width: int, causal: bool = False) -> None:
        """config: is_decoder and add_cross_attention set, as `text_config` does. causal: no piece sees a later one."""
        super().__init__()
        self.bert = BertModel(deepcopy(config), add_pooling_layer=False)
        # transformers builds cross-attention in decoders only; an encoder reads in both directions.
        self.bert.config.is_decoder = causal
        for module in self.bert.modules():
            if isinstance(module, BertSelfAttention):
                module.is_causal = causal
        if image_width != config.hidden_size:
            for attention in self.cross_attentions():
                attention.key = nn.Linear(image_width, config.hidden_size)
                attention.value = nn.Linear(image_width, config.hidden_size)

    def cross_attentions(self) -> list[BertCrossAttention]:
        """The cross-attention of each layer."""
        return [module for module in self.bert.modules() if isinstance(module, BertCrossAttention)]

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Text alone. tokens, mask: (N, T). Returns states (N, T, W)."""
        return self._by_length(tokens, mask, None, None)

    def fuse(self, tokens: Tensor, mask: Tensor, image: Tensor, image_mask: Tensor | None = None) -> Tensor:
        """Text that looks at an image. image: (N, P, image_width). image_mask: (N, P) bool, of the states to look at.

        Returns states (N, T, W).
        """
        return self._by_length(tokens, mask, image, image_mask)

    def _by_length(self, tokens: Tensor, mask: Tensor, image: Tensor | None, image_mask: Tensor | None) -> Tensor:
        """Long and short texts apart: most of a batch of captions is padding, up to the one long caption in it."""
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        longest = [int(each) for each in lengths[order[_last_of_parts(len(order))]].tolist()]
        parts = []
        for rows, length in zip(order.chunk(PARTS), longest, strict=True):
            states = self.bert(
                input_ids=tokens[rows, :length],
                attention_mask=mask[rows, :length],
                encoder_hidden_states=None if image is None else image[rows],
                encoder_attention_mask=None if image_mask is None else image_mask[rows],
                use_cache=False,
            ).last_hidden_state
            parts.append(pad(states, (0, 0, 0, tokens.shape[1] - length)))
        return torch.cat(parts)[order.argsort()]


def _last_of_parts(rows: int) -> list[int]:
    """The last row of each part that torch.chunk makes."""
    size = -(-rows // PARTS)
    return [min(first + size, rows) - 1 for first in range(0, rows, size)]


def tied_decoder(encoder: FusionBert, config: BertConfig, *, image_width: int) -> FusionBert:
    """A decoder that shares all with an encoder but its self-attention, which sees no later piece (BLIP, 3.1)."""
    decoder = FusionBert(config, image_width=image_width, causal=True)
    decoder.bert.embeddings = encoder.bert.embeddings
    for own, shared in zip(decoder.bert.encoder.layer, encoder.bert.encoder.layer, strict=True):
        own.crossattention, own.intermediate, own.output = shared.crossattention, shared.intermediate, shared.output
    return decoder


def text_config(*, vocabulary: int, width: int, depth: int, heads: int, max_tokens: int, dropout: float) -> BertConfig:
    """A BERT with cross-attention, four times wider inside its layers, as published."""
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=max_tokens,
        type_vocab_size=1,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        is_decoder=True,
        add_cross_attention=True,
    )
    config._attn_implementation = "sdpa"
    return config


class WordHead(nn.Module):
    """BERT's head over the vocabulary; its last weights are the word embeddings, handed in."""

    def __init__(self, *, vocabulary: int, width: int) -> None:
        super().__init__()
        self.dense = nn.Linear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)  # BERT
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """states: (K, W), of the positions to predict only. words: (V, W). Returns logits (K, V)."""
        return self.norm(gelu(self.dense(states))) @ words.T + self.bias
