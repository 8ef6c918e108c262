"""The encoders: timm's ViT for images; a BERT that reads text alone, or text with an image (ALBEF, section 3.1)."""

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from torch.nn.functional import gelu, pad
from transformers import BertConfig, BertModel
from transformers.models.bert.modeling_bert import BertSelfAttention

PARTS = 4  # into which a batch of texts is cut by length


def image_encoder(*, size: int, patch: int, width: int, depth: int, heads: int) -> VisionTransformer:
    """A ViT from scratch: (N, 3, size, size) -> states (N, 1 + (size / patch)^2, width), the whole image first."""
    return VisionTransformer(
        img_size=size, patch_size=patch, embed_dim=width, depth=depth, num_heads=heads, num_classes=0, global_pool=""
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

    def __init__(self, config: BertConfig, *, image_width: int) -> None:
        """config: is_decoder and add_cross_attention set, as `text_config` does."""
        super().__init__()
        self.bert = BertModel(config, add_pooling_layer=False)
        # transformers builds cross-attention in decoders only; this one reads in both directions.
        self.bert.config.is_decoder = False
        for module in self.bert.modules():
            if isinstance(module, BertSelfAttention):
                module.is_causal = False
        same = image_width == config.hidden_size
        self.from_image = nn.Identity() if same else nn.Linear(image_width, config.hidden_size)

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Text alone. tokens, mask: (N, T). Returns states (N, T, W)."""
        return self._by_length(tokens, mask, None)

    def fuse(self, tokens: Tensor, mask: Tensor, image: Tensor) -> Tensor:
        """Text that looks at an image. image: (N, P, image_width). Returns states (N, T, W)."""
        return self._by_length(tokens, mask, self.from_image(image))

    def _by_length(self, tokens: Tensor, mask: Tensor, image: Tensor | None) -> Tensor:
        """Long and short texts apart: most of a batch of captions is padding, up to the one long caption in it."""
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        parts = []
        for rows in order.chunk(PARTS):
            longest = int(lengths[rows].max())
            states = self.bert(
                input_ids=tokens[rows, :longest],
                attention_mask=mask[rows, :longest],
                encoder_hidden_states=None if image is None else image[rows],
                use_cache=False,
            ).last_hidden_state
            parts.append(pad(states, (0, 0, 0, tokens.shape[1] - longest)))
        return torch.cat(parts)[order.argsort()]


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
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Parameter(torch.zeros(vocabulary))

    def forward(self, states: Tensor, words: Tensor) -> Tensor:
        """states: (K, W), of the positions to predict only. words: (V, W). Returns logits (K, V)."""
        return self.norm(gelu(self.dense(states))) @ words.T + self.bias
