"""The template of the head."""

import numpy as np

from phantom.pictures.template import COARSE, ORIGIN, load_head


def test_the_template_is_deepest_inside_the_brain_and_read_once() -> None:
    head = load_head()
    middle = tuple((ORIGIN / COARSE).astype(int))
    assert head.depth[middle] > 20 and head.depth[0, 0, 0] < 0
    assert head.gm.shape == head.wm.shape and head.gm.dtype == np.uint8
    assert load_head() is head
