"""A trained model as a folder: model.safetensors, config.json, tokenizer/, and the articles it has seen."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from safetensors.torch import load_model as load_weights
from safetensors.torch import save_model as save_weights
from torch import nn
from transformers import PreTrainedTokenizerFast

from app.settings import ModelSettings, ObjectiveSettings
from trainers.batch import load_tokenizer, save_tokenizer
from trainers.losses.masked import Masking
from trainers.objectives.blip import Blip


def build_model(model: ModelSettings, objective: ObjectiveSettings, tokenizer: PreTrainedTokenizerFast) -> Blip:
    """A model from scratch for a tokenizer's vocabulary."""
    masking = Masking(
        probability=objective.mlm_probability,
        mask_id=tokenizer.mask_token_id,
        special_ids=tuple(tokenizer.all_special_ids),
        vocabulary=len(tokenizer),
    )
    return Blip(model, objective, masking=masking)


def save_model(
    folder: str | Path,
    model: nn.Module,
    *,
    settings: tuple[ModelSettings, ObjectiveSettings],
    tokenizer: PreTrainedTokenizerFast,
    articles: Iterable[str],
) -> None:
    """Write the folder, whole or not at all."""
    folder = Path(folder)
    draft = folder.with_name(folder.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    save_weights(model, str(draft / "model.safetensors"))
    names = ("model", "objective")
    config = {name: group.model_dump(mode="json") for name, group in zip(names, settings, strict=True)}
    (draft / "config.json").write_text(json.dumps(config, indent=1))
    save_tokenizer(tokenizer, draft / "tokenizer")
    (draft / "training_articles.json").write_text(json.dumps(sorted(set(articles)), indent=0))
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def load_model(folder: str | Path) -> tuple[Blip, PreTrainedTokenizerFast]:
    """The model, in evaluation mode, and its tokenizer."""
    folder = Path(folder)
    config = json.loads((folder / "config.json").read_text())
    tokenizer = load_tokenizer(folder / "tokenizer")
    groups = ModelSettings(**config["model"]), ObjectiveSettings(**config["objective"])
    model = build_model(*groups, tokenizer)
    load_weights(model, str(folder / "model.safetensors"))
    return model.eval(), tokenizer


def training_articles(folder: str | Path) -> set[str]:
    """The ids of the articles that the model of a folder was trained on."""
    return set(json.loads((Path(folder) / "training_articles.json").read_text()))
