"""timm gives the vectors of the model's images."""

from pathlib import Path

import pytest
import timm
import torch

from tests.trainers.formats.conftest import Save
from trainers.checkpoint import load_model
from trainers.formats.timm_tower import to_timm


@pytest.mark.parametrize("kind", ["blip", "mlip"])
@pytest.mark.parametrize("pool", ["first", "mean"])
def test_a_head_of_one_layer_is_the_classifier(save: Save, tmp_path: Path, kind: str, pool: str) -> None:
    folder, out = save(kind, pool=pool), tmp_path / "out"
    to_timm(folder, str(out))
    model, _ = load_model(folder)
    theirs = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    pixels = torch.rand(3, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(theirs(pixels), model.image_vectors(model.image_states(pixels)), atol=1e-5)
    data = timm.data.resolve_model_data_config(theirs)
    assert data["input_size"] == (3, 32, 32) and list(data["mean"]) == [0.5, 0.5, 0.5]


def test_of_a_head_of_two_layers_the_pooled_states_are_left(save: Save, tmp_path: Path) -> None:
    folder, out = save("mlip", pool="mean", head_layers=2), tmp_path / "out"
    to_timm(folder, str(out))
    model, _ = load_model(folder)
    theirs = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
    pixels = torch.rand(2, 3, 32, 32) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(theirs(pixels), model.image_states(pixels)[:, 1:].mean(dim=1), atol=1e-5)
