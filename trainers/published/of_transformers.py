"""CLIP and SigLIP as transformers keeps them."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from core.config import UserError
from trainers.published.model import Published, Texts, settings_for
from trainers.transformers_blip import no_bar

KINDS = ("clip", "siglip", "siglip2")  # config.json's model_type
FILLED = ("siglip", "siglip2")  # read texts filled up to their full length, as they learnt
USUAL = {"clip": ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])}  # OpenAI's CLIP
HALF = ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])


def read(folder: Path) -> tuple[Published, Texts]:
    """The model of a folder with config.json, weights and tokenizer, and what reads its texts; no code of its own runs.

    Raises UserError for another kind of model.
    """
    config = json.loads((folder / "config.json").read_text())
    kind = config.get("model_type", "not given")
    if kind not in KINDS:
        raise UserError(f"{folder}: model_type is {kind}; figray evaluates blip, {', '.join(KINDS)}")
    with no_bar():
        inner: Any = AutoModel.from_pretrained(folder).eval()
    if kind == "siglip2" and hasattr(inner.config.vision_config, "num_patches"):
        raise UserError(f"{folder}: this SigLIP 2 takes patches of any shape; those of one size can be evaluated")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokens = inner.config.text_config.max_position_embeddings
    mean, deviation = normalisation(folder, kind)

    def images(pixels: Tensor) -> Tensor:
        return pooled(inner.get_image_features(pixel_values=pixels))

    def texts(numbers: Tensor, mask: Tensor) -> Tensor:
        seen = {} if kind in FILLED else {"attention_mask": mask.long()}
        return pooled(inner.get_text_features(input_ids=numbers, **seen))

    def pieces(given: list[str], most: int) -> list[list[int]]:
        found: list[list[int]] = tokenizer(given, truncation=True, max_length=min(most, tokens))["input_ids"]
        return found

    with torch.inference_mode():
        size = inner.config.vision_config.image_size
        width = images(torch.zeros(1, 3, size, size)).shape[1]
    pad = tokenizer.pad_token_id
    model = Published(
        settings_for(size=size, tokens=tokens, width=width),
        inner,
        images=images,
        texts=texts,
        mean=mean,
        deviation=deviation,
        pad=pad if kind in FILLED else None,
    )
    return model.eval(), Texts(pieces, pad=pad)


def normalisation(folder: Path, kind: str) -> tuple[list[float], list[float]]:
    """The mean and deviation of the colours that a model's images have, as its folder says, or as its kind has them."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).exists():
            told = json.loads((folder / name).read_text())
            told = told.get("image_processor", told)
            if "image_mean" in told:
                return told["image_mean"], told["image_std"]
    return USUAL.get(kind, HALF)


def pooled(found: Any) -> Tensor:
    """(N, E) of what get_image_features and get_text_features return."""
    features: Tensor = found if isinstance(found, Tensor) else found.pooler_output
    return features
