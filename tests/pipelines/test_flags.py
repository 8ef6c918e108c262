"""Burnt-in text and skin."""

import cv2
import numpy as np

from core.images import encode_png
from phantom.pictures import tissues
from phantom.pictures.scans import draw_ct
from pipelines.flags import SKIN, Flag, Flagger, skin_share


def test_words_on_scans_are_seen_and_a_letter_alone_is_none() -> None:
    flagger, rng, seen, clean = Flagger(), np.random.default_rng(1), 0, 0
    for _ in range(10):
        scan = np.ascontiguousarray(draw_ct(rng, (300, 360)))
        lettered = cv2.putText(scan.copy(), "A", (8, 30), cv2.FONT_HERSHEY_SIMPLEX, 0.9, (255, 255, 255), 2)
        clean += flagger.text_share(np.asarray(lettered, np.uint8)) > 0
        named = cv2.putText(scan, "SMITH JOHN", (8, 290), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (255, 255, 255), 1)
        seen += flagger.text_share(np.asarray(named, np.uint8)) > 0
    assert seen >= 9 and clean <= 2


def test_skin_is_seen_and_grey_scans_are_not() -> None:
    rng = np.random.default_rng(2)
    assert sum(skin_share(tissues._skin(rng, (240, 300))) >= SKIN for _ in range(20)) >= 16
    assert not any(skin_share(np.ascontiguousarray(draw_ct(rng, (240, 300)))) for _ in range(10))


def test_a_flag_names_what_is_there() -> None:
    assert Flag(pair_id="a", burnt_in_text=0.01, skin=0.5).names == ("burnt-in-text", "person")
    from PIL import Image

    plain = encode_png(Image.new("RGB", (64, 48)))
    assert Flagger()("a", plain) == Flag(pair_id="a", burnt_in_text=0.0, skin=0.0)
