"""BLIP's RandAugment: the same for a seed, of the strength that BLIP has, and grey values stay."""

import random

import numpy as np
import torch
from PIL import Image
from timm.data.auto_augment import AugmentOp

from trainers.rand_augment import HOW, MAGNITUDE, OPERATIONS, rand_augment


def squares(n: int) -> torch.Tensor:
    """A black square of 12 px with a brighter one of 4 px beside its middle, on 32 px, n times."""
    images = torch.full((1, 3, 32, 32), -1.0)
    images[..., 10:22, 10:22] = 0.0
    images[..., 12:16, 12:16] = 0.5
    return images.repeat(n, 1, 1, 1)


def test_a_seed_gives_the_same_images_and_leaves_other_draws_alone() -> None:
    random.seed(3)
    np.random.seed(3)
    expected = random.random(), np.random.rand()
    random.seed(3)
    np.random.seed(3)
    first, again, other = (rand_augment(squares(20), seed=seed) for seed in (1, 1, 2))
    assert (random.random(), np.random.rand()) == expected
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert first.shape == (20, 3, 32, 32) and first.dtype == torch.float32


def test_images_differ_but_no_grey_value_is_brighter_than_before() -> None:
    found = rand_augment(squares(200), seed=0)
    kinds = torch.unique(found, dim=0)
    # Five of eight operations move an image, by half: of two draws none does in .6875^2 = 47 % of the images.
    unchanged = (found - squares(1)).abs().amax(dim=(1, 2, 3)) < 0.01
    assert abs(unchanged.float().mean().item() - 0.6875**2) < 0.1
    assert len(kinds) > 10 and found.max() <= 0.51 and found.min() == -1.0  # what comes in is black


def test_the_strength_is_blips() -> None:
    image = Image.fromarray(np.arange(32 * 32 * 3, dtype=np.uint8).reshape(32, 32, 3))
    told = {name: AugmentOp(name, 1.0, MAGNITUDE, HOW) for name in OPERATIONS}
    levels = {name: abs(each.level_fn(MAGNITUDE, HOW)[0]) for name, each in told.items() if each.level_fn}
    assert {name: round(level, 6) for name, level in levels.items()} == {
        "Brightness": 1.0, "Sharpness": 1.0, "ShearX": 0.15, "ShearY": 0.15, "TranslateX": 5.0, "TranslateY": 5.0,
        "Rotate": 15.0,
    }  # fmt: skip
    for name in ("Brightness", "Sharpness"):
        assert np.array_equal(np.asarray(told[name](image)), np.asarray(image))
