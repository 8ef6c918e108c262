"""A figure read here and in a process of its own: the same, and what cannot be read costs itself."""

import numpy as np
from PIL import Image

from core.settings import Config
from pipelines.captions.split import MAX_CAPTION, split_short
from pipelines.separating import describe

CONFIG = Config.model_validate({"separate": {"method": "classical"}})
CAPTION = "Brain of a man. (A) Axial view of the cyst. (B) Coronal view after surgery."


def test_a_caption_that_is_none_stays_whole_and_says_so() -> None:
    split = split_short("(A) x " * MAX_CAPTION, min_confidence=0.5)
    assert split.subcaptions == [] and split.reason == "120,000 characters; at most 20,000 are split"
    assert len(split_short(CAPTION, min_confidence=0.5).subcaptions) == 2


def test_what_a_picture_shows_is_described() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    found = describe(-1, Image.fromarray(noise))
    assert (found.subfigure, len(found.thumbnail)) == (-1, 1024) and found.kind in ("picture", "graphic")
