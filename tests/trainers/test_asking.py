"""A model asked: vectors of unit length, and maps where its kind has them."""

import pytest
import torch
from PIL import Image

from core.places import Place
from tests.app.test_retrieving import run as small_run
from trainers.asking import Asked

run = small_run


def test_vectors_have_unit_length_and_maps_the_grid_of_patches(run: Place) -> None:
    asked = Asked(f"{run.path}/models/processed/checkpoint")
    picture = Image.new("RGB", (40, 30), (200, 0, 0))
    assert torch.allclose(asked.texts(["a", "a red disc"]).norm(dim=1), torch.ones(2), atol=1e-5)
    assert asked.image(picture).norm().item() == pytest.approx(1, abs=1e-5)
    maps = asked.maps(picture, ["a red disc", "b"])
    side = asked.model.settings.image_size // asked.model.settings.patch
    assert maps is not None and [tuple(each.shape) for each in maps] == [(side, side)] * 2
    assert all(each.min() >= 0 and each.max() <= 1 for each in maps)
