"""RandAugment as BLIP pre-trains with it (transform/randaugment.py), less what changes the grey values of a film.

BLIP draws from ten operations. AutoContrast and Equalize are left out: grey values of a film say how dense a tissue is,
and the margins of the letterbox would count among them.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from PIL import Image
from timm.data.auto_augment import AugmentOp, RandAugment
from torch import Tensor

DRAWN = 2  # operations an image, with replacement; BLIP's N
MAGNITUDE = 5  # of 10; BLIP's M
PROBABILITY = 0.5  # that a drawn operation takes place
# At this magnitude Brightness and Sharpness leave an image as it is: their factor is 1.8 x 5 / 10 + 0.1 = 1.
OPERATIONS = ("Brightness", "Sharpness", "ShearX", "ShearY", "TranslateX", "TranslateY", "Rotate")
# Shifts are of 5 pixels, as BLIP's. What comes in from outside is black, as the letterbox is, where BLIP's is grey.
HOW = {"translate_const": 10, "img_mean": (0, 0, 0), "interpolation": Image.Resampling.BILINEAR}


def rand_augment(images: Tensor, *, seed: int) -> Tensor:
    """The images, each by operations of its own, a function of the seed. images: (N, 3, H, W), -1 to 1."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).byte().permute(0, 2, 3, 1).cpu().numpy()
    operations = [_as_it_is, *(AugmentOp(name, PROBABILITY, MAGNITUDE, HOW) for name in OPERATIONS)]
    change = RandAugment(operations, DRAWN)
    with _seeded(seed):
        changed = np.stack([np.asarray(change(Image.fromarray(each))) for each in pixels])
    return torch.from_numpy(changed).permute(0, 3, 1, 2).to(images.device).float() / 127.5 - 1


def _as_it_is(image: Image.Image) -> Image.Image:
    """BLIP's Identity, which timm does not have."""
    return image


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """timm draws by the generators of the process: they are set, and afterwards as before."""
    python, numpy = random.getstate(), np.random.get_state()
    random.seed(seed)
    np.random.seed(seed % 2**32)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
