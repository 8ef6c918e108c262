"""A published model in a run: BLIP as a model of figray, the others as they are; and what cannot be brought."""

from pathlib import Path

import pytest
import torch

from core.config import UserError
from tests.trainers.formats.conftest import Save, save  # noqa: F401 - a fixture
from tests.trainers.published.conftest import Write, brought, pixels
from trainers.checkpoint import load_model
from trainers.interchange import to_transformers
from trainers.published.brought import name_in_run
from trainers.towers import UNKNOWN


def test_a_blip_of_transformers_comes_back_with_its_matching(save: Save, tmp_path: Path) -> None:  # noqa: F811
    own = save("blip", pool="first")
    to_transformers(own, tmp_path / "theirs")
    folder = brought(f"hf:{tmp_path / 'theirs'}", tmp_path / "out")
    first, second = load_model(own)[0], load_model(folder)[0]
    images = pixels(first.settings.image_size)
    assert torch.allclose(first.embed_images(images)[0], second.embed_images(images)[0], atol=1e-5)
    assert second.matches and second.note == UNKNOWN


def test_what_cannot_be_brought_is_said(written: Write, tmp_path: Path) -> None:
    folder = written("clip")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(UserError, match="pickles can run commands"):
        brought(f"hf:{folder}", tmp_path / "out")
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(UserError, match="the folder has none of"):
        brought(f"hf:{folder}", tmp_path / "out")
    (folder / "model.safetensors").touch()
    (folder / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UserError, match="model_type is gpt2"):
        brought(f"hf:{folder}", tmp_path / "out")
    with pytest.raises(UserError, match="open_clip_config"):
        brought(f"open_clip:{folder}", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_the_name_in_a_run(tmp_path: Path) -> None:
    assert name_in_run("hf:openai/clip-vit-base-patch32") == "hf-openai-clip-vit-base-patch32"
    (tmp_path / "my model").mkdir()
    assert name_in_run(f"open_clip:{tmp_path / 'my model'}") == "open_clip-my-model"
    with pytest.raises(UserError, match="names no model"):
        name_in_run("hf:")
