"""Which weights of a model stay as they began: whole encoders, or all but their last blocks."""

from torch import nn

from core.settings import TrainSettings
from trainers.encoders import FusionBert
from trainers.towers import Towers


def freeze(model: Towers, train: TrainSettings) -> None:
    """Take the gradient from the encoders of train.frozen, but for their last train.learnt_blocks and what follows.

    What looks at an image is learnt all the same. Encoders that stay whole keep what they make (train.kept_states).
    """
    for side in train.frozen:
        encoder: nn.Module = model.image_encoder if side == "image" else model.text_encoder
        encoder.requires_grad_(False)
        if train.learnt_blocks:
            for part in last_parts(model, side, train.learnt_blocks):
                part.requires_grad_(True)
    if isinstance(model.text_encoder, FusionBert):
        for attention in model.text_encoder.cross_attentions():
            attention.requires_grad_(True)
    if train.frozen and not train.learnt_blocks:
        model.keep(train.frozen, train.kept_states)


def last_parts(model: Towers, side: str, blocks: int) -> list[nn.Module]:
    """The last blocks of an encoder, and its norm or pooler after them."""
    if side == "image":
        return [*list(model.image_encoder.blocks)[-blocks:], model.image_encoder.norm]
    bert = model.text_encoder.bert
    return [*list(bert.encoder.layer)[-blocks:], *([bert.pooler] if bert.pooler is not None else [])]
