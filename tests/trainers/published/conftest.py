"""Small models of other libraries, with weights drawn by a seed, in folders as their libraries write them."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast, SiglipConfig, SiglipModel

from core.places import Place
from trainers.published.brought import bring

TEXTS = ["A red disc.", "A blue square in the upper left part.", "Nothing else."]
Write = Callable[[str], Path]
SHAPE = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}


@pytest.fixture
def written(tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Write:
    """written(kind) -> the folder of a clip or a siglip."""

    def write(kind: str) -> Path:
        torch.manual_seed(0)
        text = {**SHAPE, "vocab_size": len(tokenizer), "max_position_embeddings": 24}
        text |= {"eos_token_id": tokenizer.sep_token_id, "pad_token_id": tokenizer.pad_token_id}
        vision = {**SHAPE, "image_size": 32, "patch_size": 8}
        model: CLIPModel | SiglipModel
        if kind == "clip":
            model = CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=8))
        else:
            model = SiglipModel(SiglipConfig(text_config={**text, "projection_size": 16}, vision_config=vision))
        with torch.no_grad():
            for each in model.parameters():
                each.add_(0.1 * torch.randn_like(each))
        folder = tmp_path / kind
        model.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(
            '{"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.3, 0.25]}'
        )
        return folder

    return write


def pixels(size: int) -> torch.Tensor:
    """Two images, -1 to 1."""
    return torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(1)) * 2 - 1


def brought(source: str, out: Path) -> str:
    """The folder of a model that was brought."""
    bring(source, Place.at(out), pickled=False)
    return str(out)
