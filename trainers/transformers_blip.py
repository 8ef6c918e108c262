"""BLIP as transformers keeps it (BlipForImageTextRetrieval and its kin): names, shape, pixels, tokenizer."""

import json
import logging
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import AutoTokenizer, BlipConfig, BlipImageProcessor, BlipProcessor, PreTrainedTokenizerFast
from transformers.utils import logging as bars

from core.config import UserError
from core.settings import ModelSettings
from trainers.encoders import for_our_pixels

log = logging.getLogger(__name__)

# Files of weights, whole or in parts; those of the first kind that is there are read.
WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors", "pytorch_model.bin", "pytorch_model-*-of-*.bin")
SPECIALS = ("pad_token", "cls_token", "sep_token", "mask_token")
TEXT_EPS = 1e-12  # of the text encoder's norms; BERT

IMAGE_PLACES = "image_encoder.pos_embed"  # (1, 1 + patches, width)
TEXT_PLACES = "text_encoder.bert.embeddings.position_embeddings.weight"  # (max_tokens, width)
TOKEN_TYPE = "text_encoder.bert.embeddings.token_type_embeddings.weight"  # (1, width); BLIP has none
WORDS = "text_encoder.bert.embeddings.word_embeddings.weight"
PATCHES = "image_encoder.patch_embed.proj"

# Beginnings of names, of Blip and of transformers' BlipForImageTextRetrieval (with the decoder, if there is one, as in
# BlipForQuestionAnswering). # stands for a layer's number; what follows is the same in both.
NAMES = (
    ("image_encoder.cls_token", "vision_model.embeddings.class_embedding"),
    (IMAGE_PLACES, "vision_model.embeddings.position_embedding"),
    (f"{PATCHES}.", "vision_model.embeddings.patch_embedding."),
    ("image_encoder.blocks.#.norm1.", "vision_model.encoder.layers.#.layer_norm1."),
    ("image_encoder.blocks.#.attn.qkv.", "vision_model.encoder.layers.#.self_attn.qkv."),
    ("image_encoder.blocks.#.attn.proj.", "vision_model.encoder.layers.#.self_attn.projection."),
    ("image_encoder.blocks.#.norm2.", "vision_model.encoder.layers.#.layer_norm2."),
    ("image_encoder.blocks.#.mlp.", "vision_model.encoder.layers.#.mlp."),
    ("image_encoder.norm.", "vision_model.post_layernorm."),
    ("text_encoder.bert.", "text_encoder."),
    ("image_head.", "vision_proj."),
    ("text_head.", "text_proj."),
    ("match_head.", "itm_head."),
    ("decoder.bert.", "text_decoder.bert."),
    ("word_head.dense.", "text_decoder.cls.predictions.transform.dense."),
    ("word_head.norm.", "text_decoder.cls.predictions.transform.LayerNorm."),
    ("word_head.bias", "text_decoder.cls.predictions.bias"),
)
# Where the text tower is in BlipForImageTextRetrieval and BlipForQuestionAnswering, in BlipModel, and in
# BlipForConditionalGeneration, whose decoder shares all with the encoder but its self-attention.
TEXT_TOWERS = ("text_encoder.", "text_model.", "text_decoder.bert.")


@dataclass(frozen=True)
class Weights:
    """What a folder of figray or of transformers holds."""

    settings: ModelSettings  # their shape
    tensors: dict[str, Tensor]  # by Blip's names; what Blip has no place for, by its own
    tokenizer: PreTrainedTokenizerFast


def read_blip(folder: Path) -> Weights:
    """The weights of a folder with a BLIP, as figray has them: for pixels from -1 to 1, and without token type.

    Names that BlipForImageTextRetrieval has not are looked for where its kin have theirs. Raises UserError, with the
    reason, if the folder's files are not those of a BLIP that figray can hold.
    """
    settings = _shape(folder)
    tensors = _ours(_tensors(folder))
    if not {f"{PATCHES}.weight", f"{PATCHES}.bias", IMAGE_PLACES, TEXT_PLACES} <= tensors.keys():
        raise UserError(f"the weights in {folder} are not those of a BLIP; they begin with {short(tensors)[:200]}")
    tensors[TOKEN_TYPE] = torch.zeros(1, settings.text_width)
    mean, std = _normalisation(folder)
    names = f"{PATCHES}.weight", f"{PATCHES}.bias"
    tensors |= dict(zip(names, for_our_pixels(*(tensors[name] for name in names), mean=mean, std=std), strict=True))
    return Weights(settings, tensors, _tokenizer(folder, settings.vocabulary))


def write_blip(weights: Weights, folder: Path) -> None:
    """Write what BlipForImageTextRetrieval.from_pretrained and AutoProcessor read into an empty folder."""
    tensors = {name: value.contiguous() for name, value in _theirs(weights.tensors).items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _config(weights.settings, weights.tokenizer).save_pretrained(folder)
    side = weights.settings.image_size
    images = BlipImageProcessor(size={"height": side, "width": side}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    weights.tokenizer.model_max_length = weights.settings.max_tokens
    BlipProcessor(images, weights.tokenizer).save_pretrained(folder)
    images.save_pretrained(folder)  # preprocessor_config.json, where older versions look


@contextmanager
def no_bar() -> Iterator[None]:
    """While it lasts, transformers draws no bar: every reading of weights would leave one on the terminal."""
    shown = bars.is_progress_bar_enabled()  # a download's bar stays
    bars.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            bars.enable_progress_bar()


def weight_files(folder: Path, kinds: Sequence[str]) -> list[Path]:
    """The files of the first kind that a folder has; none where it has none."""
    return next((found for kind in kinds if (found := sorted(folder.glob(kind)))), [])


def _tensors(folder: Path) -> dict[str, Tensor]:
    """All that the folder's files of weights hold, by its own names."""
    files = weight_files(folder, WEIGHTS)
    if not files:
        raise UserError(f"{folder} has none of {', '.join(WEIGHTS)}; it has {listed(folder)}")
    tensors: dict[str, Tensor] = {}
    for file in files:
        try:
            whole = file.suffix == ".safetensors"
            tensors |= load_file(file) if whole else torch.load(file, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, ValueError, EOFError, SafetensorError, UnpicklingError) as error:
            raise UserError(f"{file} cannot be read: {error}") from error
    return tensors


def _shape(folder: Path) -> ModelSettings:
    """The settings that describe a BLIP of transformers."""
    try:
        config = BlipConfig.from_dict(json_of(folder / "config.json"))
        text: Any = config.text_config
        image: Any = config.vision_config
        settings = ModelSettings(
            image_size=image.image_size,
            patch=image.patch_size,
            image_width=image.hidden_size,
            image_depth=image.num_hidden_layers,
            image_heads=image.num_attention_heads,
            image_eps=image.layer_norm_eps,
            text_width=text.hidden_size,
            text_depth=text.num_hidden_layers,
            text_heads=text.num_attention_heads,
            max_tokens=text.max_position_embeddings,
            embedding=config.image_text_hidden_size,
            vocabulary=text.vocab_size,
        )
    except (ValueError, StrictDataclassError) as error:
        raise UserError(f"{folder / 'config.json'} describes no BLIP that figray can hold: {error}") from error
    for what, value, known in (
        ("hidden_act of the text", text.hidden_act, "gelu"),
        ("hidden_act of the image", image.hidden_act, "gelu"),
        ("layer_norm_eps of the text", text.layer_norm_eps, TEXT_EPS),
    ):
        if value != known:
            raise UserError(f"{folder / 'config.json'}: {what} encoder is {value}; figray has {known} only")
    return settings


def _tokenizer(folder: Path, vocabulary: int) -> PreTrainedTokenizerFast:
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(folder))
    except (OSError, ValueError) as error:
        raise UserError(f"{folder} has no tokenizer that can be read (tokenizer.json or vocab.txt): {error}") from error
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise UserError(f"{folder} has a {type(tokenizer).__name__}; figray reads tokenizer.json or BERT's vocab.txt")
    lacking = [name for name in SPECIALS if getattr(tokenizer, name) is None]
    if lacking:
        raise UserError(f"the tokenizer in {folder} has no {', '.join(lacking)}")
    if len(tokenizer) > vocabulary:
        raise UserError(f"the tokenizer in {folder} has {len(tokenizer)} pieces, its model knows {vocabulary}")
    return tokenizer


def _normalisation(folder: Path) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (3,) of the pixels, 0 to 1, that a published model was trained with."""
    for name in ("preprocessor_config.json", "processor_config.json"):
        if (folder / name).is_file():
            config = json_of(folder / name)
            config = config.get("image_processor", config)
            if "image_mean" in config and "image_std" in config and config.get("do_normalize", True):
                return torch.tensor(config["image_mean"]), torch.tensor(config["image_std"])
    log.warning("%s does not say how its images are normalised; taken as figray's are, from -1 to 1", folder)
    return torch.full((3,), 0.5), torch.full((3,), 0.5)


def _ours(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a BLIP of transformers by Blip's names; what has no place there keeps its own."""
    tower = next((each for each in TEXT_TOWERS if any(name.startswith(each) for name in tensors)), TEXT_TOWERS[0])
    named = {re.sub(f"^{re.escape(tower)}", TEXT_TOWERS[0], name): tensor for name, tensor in tensors.items()}
    places = [(theirs, ours) for ours, theirs in NAMES]
    return {_renamed(name, places) or name: tensor for name, tensor in named.items()}


def _theirs(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What BlipForImageTextRetrieval holds of a Blip, by its names; the token type becomes part of the places."""
    folded = dict(tensors) | {TEXT_PLACES: tensors[TEXT_PLACES] + tensors[TOKEN_TYPE]}
    del folded[TOKEN_TYPE]
    named = {_renamed(name, NAMES): tensor for name, tensor in folded.items()}
    return {name: tensor for name, tensor in named.items() if name and not name.startswith("text_decoder.")}


def _renamed(name: str, places: Iterable[tuple[str, str]]) -> str | None:
    """A name by the first place that it begins with: pairs of its beginning and the new one. None without a place."""
    for old, new in places:
        match = re.match(re.escape(old).replace(r"\#", r"(\d+)"), name)
        if match:
            return new.replace("#", "".join(match.groups())) + name[match.end() :]
    return None


def _config(settings: ModelSettings, tokenizer: PreTrainedTokenizerFast) -> BlipConfig:
    """A BLIP of the same shape; what is not named here has the same meaning by default."""
    text = {
        "vocab_size": settings.vocabulary,
        "hidden_size": settings.text_width,
        "encoder_hidden_size": settings.image_width,
        "intermediate_size": 4 * settings.text_width,
        "projection_dim": settings.embedding,
        "num_hidden_layers": settings.text_depth,
        "num_attention_heads": settings.text_heads,
        "max_position_embeddings": settings.max_tokens,
        "layer_norm_eps": TEXT_EPS,
        "hidden_dropout_prob": settings.dropout,
        "attention_probs_dropout_prob": settings.dropout,
        "bos_token_id": tokenizer.cls_token_id,
        "eos_token_id": tokenizer.sep_token_id,
        "sep_token_id": tokenizer.sep_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    image = {
        "hidden_size": settings.image_width,
        "intermediate_size": 4 * settings.image_width,
        "projection_dim": settings.embedding,
        "num_hidden_layers": settings.image_depth,
        "num_attention_heads": settings.image_heads,
        "image_size": settings.image_size,
        "patch_size": settings.patch,
        "layer_norm_eps": settings.image_eps,
        "initializer_range": 0.02,  # 1e-10 by default: a tower from scratch would be all zeros
    }
    return BlipConfig(
        text_config=text,
        vision_config=image,
        projection_dim=settings.embedding,
        image_text_hidden_size=settings.embedding,
        architectures=["BlipForImageTextRetrieval"],
    )


def listed(folder: Path) -> str:
    """The first names in a folder."""
    return ", ".join(sorted(each.name for each in folder.iterdir())[:8]) or "nothing"


def json_of(file: Path) -> dict[str, Any]:
    """The settings by name that a JSON file holds; UserError if it holds anything else."""
    try:
        content = json.loads(file.read_text())
    except ValueError as error:
        raise UserError(f"{file} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{file} holds a {type(content).__name__} where settings by name are expected")
    return content


def short(names: Iterable[str]) -> str:
    """The names with all layers as one."""
    return ", ".join(sorted({re.sub(r"\.\d+\.", ".#.", name) for name in names}))
