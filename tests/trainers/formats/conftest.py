"""Checkpoints of small models, BLIP and MLIP, one of them with a head's bias that matters."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.settings import ModelSettings, ObjectiveSettings
from tests.trainers.conftest import SMALL, SMALL_MLIP
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.mlip import Mlip

Save = Callable[..., str]


@pytest.fixture
def save(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Save:
    """save(kind, **of the model) -> the folder of a checkpoint."""

    def save(kind: str, **changes: object) -> str:
        torch.manual_seed(0)
        settings = ModelSettings(**{**SMALL.model_dump(), **changes})
        objective = ObjectiveSettings(name=kind)
        model = Mlip(settings, SMALL_MLIP) if kind == "mlip" else Blip(settings, objective)
        with torch.no_grad():
            for each in model.parameters():  # biases begin at 0, where nothing would be told of them
                each.add_(0.05 * torch.randn_like(each))
        groups = (settings, objective, SMALL_MLIP) if kind == "mlip" else (settings, objective)
        save_model(tmp_path / kind, model, settings=groups, tokenizer=tokenizer, articles=["A1", "A2"])
        return str(tmp_path / kind)

    return save
