"""Weights to begin with, and weights handed on: BLIP as transformers keeps it, and figray's own checkpoints."""

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.utils import httpx
from pydantic import ValidationError
from safetensors import SafetensorError
from timm.layers import resample_abs_pos_embed
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.places import Place, refuse_taken
from core.settings import ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import WHOLE, load_blip
from trainers.model_card import model_card
from trainers.seen import is_told, pieces_of, write_seen_in
from trainers.transformers_blip import (
    IMAGE_PLACES,
    TEXT_PLACES,
    WEIGHTS,
    Weights,
    json_of,
    listed,
    read_blip,
    short,
    write_blip,
)

log = logging.getLogger(__name__)

HUB = "hf:"


def begin_from(
    source: str, *, model: ModelSettings, objective: ObjectiveSettings
) -> tuple[Blip, PreTrainedTokenizerFast]:
    """A model in training mode that begins with published weights, and their tokenizer.

    source: hf:ORGANISATION/NAME, or a folder (path or URI): BLIP as transformers keeps it, or a checkpoint of
    figray. The shape is the weights' own; image_size (the places of patches are resampled), max_tokens (the first
    places are taken) and dropout are those of `model`. What begins at random and what is not used is logged by
    name; the temperature, which published BLIPs lack, begins at objective.temperature. Raises UserError if there is
    nothing that fits.
    """
    with _opened(source, pickled=model.pickled_weights) as folder:
        weights = _read_checkpoint(folder) if _kind(folder) == "figray" else read_blip(folder)
    settings = _settings(weights.settings, model, source)
    blip = Blip(settings, objective)
    fill(blip, _fitted(weights, settings), source)
    return blip, weights.tokenizer


def to_transformers(folder: str | Path, out: str | Path) -> None:
    """Write figray's checkpoint as a folder that BlipForImageTextRetrieval.from_pretrained and AutoProcessor read.

    The scores are the same. Momentum encoders, decoder and word head stay behind; README.md, a model card, says so.
    Raises UserError if the folder is no checkpoint of figray, if its model has what BLIP has not, or if `out` is taken.
    Both are paths or URIs.
    """
    place = Place.at(out)
    with _opened(str(folder)) as here:
        if _kind(here) != "figray":
            raise UserError(f"{folder} is a model of transformers already")
        refuse_taken(place)
        weights = _read_checkpoint(here)
        _refuse_other_shapes(weights.settings, folder)
        with place.written(last=WHOLE) as draft:
            write_blip(weights, draft)
            card = model_card(here, temperature=weights.tensors["log_temperature"].exp().item())
            (draft / "README.md").write_text(card, encoding="utf-8")
            if is_told(here):
                write_seen_in(draft, pieces_of(here))


def _refuse_other_shapes(settings: ModelSettings, folder: str | Path) -> None:
    """UserError for what transformers' BLIP cannot compute."""
    if settings.pool != "first":
        raise UserError(
            f"the model in {folder} has pool {settings.pool}, and transformers' BLIP knows only the state "
            "of the first token: train one with model.pool=first to export it"
        )
    usual = ModelSettings()
    for name in ("layer_scale", "head_layers", "head_first"):
        if (value := getattr(settings, name)) != getattr(usual, name):
            raise UserError(
                f"the model in {folder} has {name} {str(value).lower()}, for which transformers' BLIP has no place: "
                "--to onnx keeps it"
            )


def _opened(source: str, *, pickled: bool = False) -> AbstractContextManager[Path]:
    """A model's folder on this machine, of what is published or stands at a path or URI; or UserError."""
    if source.startswith(HUB):
        name, then = source.removeprefix(HUB), "set model.init=FOLDER"
        return nullcontext(downloaded(name, WEIGHTS, pickled=pickled, beside=["*.json", "*.txt"], otherwise=then))
    place = Place.at(source)
    if not place.exists():
        raise UserError(f"{place} is no folder with weights; a published model is written hf:ORGANISATION/NAME")
    return place.near()


def downloaded(named: str, kinds: Sequence[str], *, pickled: bool, beside: Sequence[str], otherwise: str) -> Path:
    """A folder with a published model's files; what was downloaded before is not downloaded again.

    named: ORGANISATION/NAME, or with @REVISION. kinds: of files with weights, the first that there is; pickled: whether
    those that are no safetensors may be. beside: what is wanted with them. otherwise: what to do with a folder that
    was brought from another machine.
    """
    name, _, revision = named.partition("@")
    folder = Path()
    wanted = [kind for kind in kinds if pickled or kind.endswith(".safetensors")]
    try:
        for kind in wanted:
            folder = Path(snapshot_download(name, revision=revision or None, allow_patterns=[*beside, kind]))
            if any(folder.glob(kind)):
                return folder
    except (OSError, ValueError, httpx.HTTPError) as error:
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise UserError(
            f"{HUB}{name} could not be downloaded ({reason}): check the name and the network; or download it on "
            f"another machine (`hf download {name} --local-dir FOLDER`), bring the folder here, and {otherwise}"
        ) from error
    if not pickled:
        raise pickles_alone(f"{HUB}{name}")
    return folder


def pickles_alone(source: str) -> UserError:
    """What is said of a model whose weights are pickles, where these were not asked for."""
    return UserError(
        f"{source} has no weights as safetensors; pickles can run commands: if you trust whoever made them, "
        "--set model.pickled_weights=true"
    )


def _kind(folder: Path) -> str:
    """figray or blip; UserError for any other folder."""
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder with weights; a published model is written hf:ORGANISATION/NAME")
    file = folder / "config.json"
    if not file.is_file():
        raise UserError(f"{folder} has no config.json, so it holds no model; it has {listed(folder)}")
    config = json_of(file)
    if {"model", "objective"} <= config.keys():
        return "figray"
    if config.get("model_type") == "blip":
        return "blip"
    kind = config.get("model_type", "not given")
    raise UserError(f"{file}: model_type is {kind}; figray begins with blip, or with a checkpoint of its own")


def _read_checkpoint(folder: Path) -> Weights:
    try:
        model, tokenizer = load_blip(folder)
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        raise UserError(f"the checkpoint {folder} cannot be read: {error}") from error
    return Weights(model.settings, {name: each.detach() for name, each in model.named_parameters()}, tokenizer)


def _settings(weights: ModelSettings, chosen: ModelSettings, source: str) -> ModelSettings:
    """The weights' shape with what the user chooses."""
    if chosen.max_tokens > weights.max_tokens:
        raise UserError(
            f"model.max_tokens is {chosen.max_tokens}, and the weights of {source} know {weights.max_tokens} places: "
            f"set model.max_tokens to {weights.max_tokens} or less"
        )
    own = {name: getattr(chosen, name) for name in ("image_size", "max_tokens", "dropout")}
    try:
        return ModelSettings(**(weights.model_dump() | own | {"init": source}))
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise UserError(f"model.image_size {chosen.image_size} does not fit {source}: {reason}") from error


def _fitted(weights: Weights, settings: ModelSettings) -> dict[str, Tensor]:
    """The tensors with places for as many patches and tokens as the settings have."""
    before, after = (each.image_size // each.patch for each in (weights.settings, settings))
    places = weights.tensors[IMAGE_PLACES].float()
    if places.shape[:2] != (1, 1 + before**2):
        raise UserError(
            f"{settings.init}: {IMAGE_PLACES} has the shape {tuple(places.shape)}, not (1, {1 + before**2}, W)"
        )
    fitted = {
        IMAGE_PLACES: resample_abs_pos_embed(places, [after, after]),
        TEXT_PLACES: weights.tensors[TEXT_PLACES][: settings.max_tokens],
    }
    return weights.tensors | fitted


def fill(blip: Blip, tensors: Mapping[str, Tensor], source: str) -> None:
    """Copy the tensors into the model and log what has no counterpart; a decoder without its own begins as the encoder.

    Raises UserError where a shape differs.
    """
    own = dict(blip.named_parameters())  # what encoder and decoder share, once
    of_encoder = {name: tensor for name, tensor in tensors.items() if name.startswith("text_encoder.")}
    given = {name.replace("text_encoder", "decoder", 1): tensor for name, tensor in of_encoder.items()} | dict(tensors)
    for name in own.keys() & given.keys():
        if own[name].shape != given[name].shape:
            shapes = f"{tuple(given[name].shape)}, not {tuple(own[name].shape)} as its config.json says"
            raise UserError(f"{source}: {name} has the shape {shapes}")
    with torch.no_grad():
        for name in own.keys() & given.keys():
            own[name].copy_(given[name])
    random = own.keys() - given.keys() - {"log_temperature"}
    if random:
        log.warning("%s does not have, so that they begin at random: %s", source, short(random))
    unused = tensors.keys() - own.keys()
    if unused:
        log.info("%s has, and figray does not use: %s", source, short(unused))
