"""The encoders: timm's ViT for images; a BERT that reads text alone, or text with an image (ALBEF, section 3.1)."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from itertools import accumulate

import numpy as np
import torch
from timm.layers.pos_embed_sincos import build_sincos2d_pos_embed
from timm.models import checkpoint_seq
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertCrossAttention, BertSelfAttention

from core.settings import ModelSettings

CROSS = "crossattention"  # in the names of what looks at an image
PARTS = 6  # into which a batch of texts is cut by length


def image_encoder(
    *, size: int, patch: int, width: int, depth: int, heads: int, eps: float = 1e-6, layer_scale: bool = False
) -> VisionTransformer:
    """A ViT from scratch: (N, 3, size, size) -> states (N, 1 + (size / patch)^2, width), the whole image first.

    layer_scale: each block's output times a learnt factor for each width (CaiT; DINOv2), 1e-5 at the start.
    """
    return VisionTransformer(
        img_size=size,
        patch_size=patch,
        embed_dim=width,
        depth=depth,
        num_heads=heads,
        num_classes=0,
        global_pool="",
        init_values=1e-5 if layer_scale else None,
        norm_layer=partial(nn.LayerNorm, eps=eps),
    )


def begin_linear_as_mae(module: nn.Module) -> None:
    """Every linear layer by Xavier's rule, without bias at the start: MAE's encoder and its decoder."""
    for each in module.modules():
        if isinstance(each, nn.Linear):
            nn.init.xavier_uniform_(each.weight)
            nn.init.zeros_(each.bias)


@torch.no_grad()
def begin_as_mae(encoder: VisionTransformer) -> None:
    """Weights in proportion to their width, and places told by sines (MAE, models_mae.py); all of them are learnt.

    timm's own, 0.02 for each width, leave a narrow encoder nearly blind for its first thousand steps.
    """
    begin_linear_as_mae(encoder)
    nn.init.xavier_uniform_(encoder.patch_embed.proj.weight.flatten(1))
    assert encoder.pos_embed is not None
    encoder.pos_embed.copy_(sine_places(encoder.patch_embed.grid_size[0], encoder.embed_dim))


def sine_places(grid: int, width: int) -> Tensor:
    """(1, 1 + grid^2, width): where each patch is; 0 for the first state, which is the whole image's."""
    return pad(build_sincos2d_pos_embed([grid, grid], dim=width), (0, 0, 1, 0))[None]


def for_our_pixels(weight: Tensor, bias: Tensor, *, mean: Tensor, std: Tensor) -> tuple[Tensor, Tensor]:
    """The patch embedding that does to pixels from -1 to 1 what the given one does to normalised ones.

    weight: (W, 3, P, P). bias: (W,). mean, std: (3,), of pixels from 0 to 1. With x from -1 to 1,
    ((x + 1) / 2 - mean) / std is x / (2 std) + (1/2 - mean) / std.
    """
    shifted = torch.einsum("wcyx,c->w", weight.float(), (0.5 - mean) / std)
    return weight.float() / (2 * std)[None, :, None, None], bias.float() + shifted


def visible_states(encoder: VisionTransformer, images: Tensor, kept: Tensor) -> Tensor:
    """States of some patches alone: the others never enter a layer (MAE; FLIP; MLIP, section 2.1).

    images: (N, 3, H, W). kept: (N, K) int64, of P patches. Returns (N, 1 + K, W), in the order of `kept`.
    """
    every = encoder._pos_embed(encoder.patch_embed(images))  # (N, 1 + P, W): each knows its place before some go
    chosen = every[:, 1:].gather(1, kept[..., None].expand(-1, -1, every.shape[-1]))
    states = encoder.norm_pre(torch.cat([every[:, :1], chosen], dim=1))
    blocks = partial(checkpoint_seq, encoder.blocks) if encoder.grad_checkpointing else encoder.blocks
    return encoder.norm(blocks(states))


def first_state(states: Tensor, mask: Tensor) -> Tensor:
    """(N, W): the state of the first token. states: (N, L, W). mask: (N, L), not looked at."""
    return states[:, 0]


def mean_state(states: Tensor, mask: Tensor) -> Tensor:
    """(N, W): the mean of the states that the mask admits. states: (N, L, W). mask: (N, L) bool."""
    return (states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)


def mean_of_all(states: Tensor, mask: Tensor) -> Tensor:
    """(N, W): the mean of all states. states: (N, L, W). mask: (N, L), not looked at."""
    return states.mean(dim=1)


POOLS = {"first": first_state, "mean": mean_state, "all": mean_of_all}


class TextBert(nn.Module):
    """BERT with scaled-dot-product attention; short texts of a batch are not computed as far as its longest."""

    def __init__(self, config: BertConfig, *, pooler: bool = False) -> None:
        """config: as `text_config` makes it. pooler: BERT's dense layer with tanh on the first state, `bert.pooler`."""
        super().__init__()
        self.bert = BertModel(deepcopy(config), add_pooling_layer=pooler)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens, mask: (N, T). Returns states (N, T, W), 0 on padding beyond the longest text of a part."""
        return self._by_length(tokens, mask)

    def pooler(self, states: Tensor) -> Tensor:
        """(N, W) of states (N, T, W), where there is a pooler."""
        assert self.bert.pooler is not None
        pooled: Tensor = self.bert.pooler(states)
        return pooled

    def _by_length(
        self, tokens: Tensor, mask: Tensor, image: Tensor | None = None, image_mask: Tensor | None = None
    ) -> Tensor:
        """Long and short texts apart: most of a batch of captions is padding, up to the one long caption in it."""
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        sorted_lengths = lengths[order].tolist()
        sizes = part_sizes(sorted_lengths, PARTS)
        parts = []
        for rows, last in zip(order.split(sizes), accumulate(sizes), strict=True):
            length = sorted_lengths[last - 1]
            states = self.bert(
                input_ids=tokens[rows, :length],
                attention_mask=mask[rows, :length],
                encoder_hidden_states=None if image is None else image[rows],
                encoder_attention_mask=None if image_mask is None else image_mask[rows],
                use_cache=False,
            ).last_hidden_state
            parts.append(pad(states, (0, 0, 0, tokens.shape[1] - length)))
        return torch.cat(parts)[order.argsort()]


class FusionBert(TextBert):
    """A BERT whose cross-attention layers take part where there are an image's states."""

    def __init__(self, config: BertConfig, *, image_width: int, causal: bool = False) -> None:
        """config: of `text_config(fused=True)`. causal: no piece sees a later one."""
        super().__init__(config)
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

    def fuse(self, tokens: Tensor, mask: Tensor, image: Tensor, image_mask: Tensor | None = None) -> Tensor:
        """Text that looks at an image. image: (N, P, image_width). image_mask: (N, P) bool, of the states to look at.

        Returns states (N, T, W).
        """
        return self._by_length(tokens, mask, image, image_mask)


def part_sizes(lengths: Sequence[int], parts: int) -> list[int]:
    """How many rows each part has, so that parts padded to their longest are smallest together; at most `parts`.

    lengths: ascending. By dynamic programming over where the parts end.
    """
    n = len(lengths)
    ends = np.arange(n + 1)
    rows = ends[None, :] - ends[:, None]  # (n + 1, n + 1), of a part from one end to another
    area = np.where(rows > 0, rows * np.array([0, *lengths]), np.where(rows == 0, 0.0, np.inf))
    least, before = area[0], []
    for _ in range(parts - 1):
        total = least[:, None] + area
        before.append(total.argmin(axis=0))
        least = total.min(axis=0)
    sizes, end = [], n
    for begins in reversed([np.zeros(n + 1, dtype=int), *before]):
        sizes.append(end - int(begins[end]))
        end = int(begins[end])
    return [size for size in reversed(sizes) if size]


def tied_decoder(encoder: FusionBert, config: BertConfig, *, image_width: int) -> FusionBert:
    """A decoder that shares all with an encoder but its self-attention, which sees no later piece (BLIP, 3.1)."""
    decoder = FusionBert(config, image_width=image_width, causal=True)
    decoder.bert.embeddings = encoder.bert.embeddings
    for own, shared in zip(decoder.bert.encoder.layer, encoder.bert.encoder.layer, strict=True):
        own.crossattention, own.intermediate, own.output = shared.crossattention, shared.intermediate, shared.output
    return decoder


def text_config(settings: ModelSettings, *, fused: bool, spread: float = 0.02) -> BertConfig:
    """A BERT four times wider inside its layers, as published.

    fused: with cross-attention. spread: of the first weights; BERT's is 0.02.
    """
    config = BertConfig(
        vocab_size=settings.vocabulary,
        hidden_size=settings.text_width,
        num_hidden_layers=settings.text_depth,
        num_attention_heads=settings.text_heads,
        intermediate_size=4 * settings.text_width,
        max_position_embeddings=settings.max_tokens,
        type_vocab_size=1,
        hidden_dropout_prob=settings.dropout,
        attention_probs_dropout_prob=settings.dropout,
        initializer_range=spread,
        is_decoder=fused,
        add_cross_attention=fused,
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
