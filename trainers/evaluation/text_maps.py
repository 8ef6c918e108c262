"""Where in an image a model sees whole texts, by what its kind has to show it."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from trainers.blip import Blip
from trainers.evaluation.heatmaps import text_map
from trainers.evaluation.sentence_maps import prompt_maps
from trainers.mlip import Mlip
from trainers.towers import Towers

HOW = {
    "blip": "Grad-CAM on cross-attention: what speaks for the match, in parts of each map's own maximum.",
    "mlip": "Cosine of each patch and the text, above the median of the map, in parts of its own maximum.",
}


def text_maps(
    model: Towers, tokenizer: PreTrainedTokenizerFast, image: Tensor, texts: Sequence[str]
) -> list[Tensor] | None:
    """Of each text (h, w), 0 to 1; None where the model has no such maps. image: (1, 3, H, W), -1 to 1."""
    if isinstance(model, Mlip):
        try:
            return [warmth(prompt_maps(model, tokenizer, image, [text])[0].cpu()) for text in texts]
        except UserError:
            return None
    if isinstance(model, Blip) and model.matches:
        return [text_map(model, tokenizer, image[0], text) for text in texts]
    return None


def how_mapped(model: Towers) -> str:
    """What the colours of a model's maps mean; "" of one that has none."""
    return HOW["mlip"] if isinstance(model, Mlip) else HOW["blip"] if model.matches else ""


def warmth(heat: Tensor) -> Tensor:
    """(h, w), 0 to 1: what is above the map's median, by the most that any patch is above it; 0 if it is flat."""
    above = (heat - heat.median()).clamp(min=0)
    return above / above.max().clamp(min=torch.finfo(above.dtype).tiny)
