"""Figures without anatomy."""

import numpy as np

from phantom.pages.distractors import draw_distractor


def test_a_distractor_never_says_brain_and_repeats() -> None:
    for seed in range(20):
        image, caption = draw_distractor(np.random.default_rng(seed))
        again, _ = draw_distractor(np.random.default_rng(seed))
        assert "brain" not in caption.lower()
        assert image.mode == "RGB" and image.tobytes() == again.tobytes()
