"""What an image should perhaps not be given on for: words burnt in, and what may be a photograph of a person.

In: the image of a pair. Out: the share of it that lines of text cover, by PP-OCRv6's detector, and the share that has
the colour of skin. No face is looked for: a rule of colour finds photographs of skin, and misses persons in grey.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.images import open_image
from pipelines.letters.wheel_models import TextBoxes

LONG_SIDE = 640  # px that the detector sees; names and dates in the corner of a scan are small
WORD = 1.6  # width to height of a line with two characters or more; a panel's own letter is no burnt-in text
SEEN = 256  # px of the longer side, for colours
SKIN = 0.35  # share of an image with the colour of skin, from which it may show a person
# Bounds of skin in YCrCb (after Chai and Ngan, 1999), and of saturation: grey scans are below, stained slides beyond.
LOW, HIGH = np.array((30, 136, 77)), np.array((250, 173, 127))
PALE, VIVID = 25, 170  # of 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Flag:
    """What was seen on the image of a pair, one row of `flags/`."""

    pair_id: str
    burnt_in_text: float  # share of the image that lines of two characters or more cover
    skin: float  # share of the image that has the colour of skin

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what is there, as --without has them."""
        there = (("burnt-in-text", self.burnt_in_text > 0), ("person", self.skin >= SKIN))
        return tuple(name for name, found in there if found)


NAMES = ("burnt-in-text", "person")


class Flagger:
    """Looks at images; the weights are loaded once, when it is made."""

    def __init__(self) -> None:
        self._lines = TextBoxes(long_side=LONG_SIDE)

    def __call__(self, pair_id: str, data: bytes) -> Flag:
        """The flag of one image; raises ImageError where it cannot be opened."""
        image = np.asarray(open_image(data).image)
        return Flag(pair_id=pair_id, burnt_in_text=round(self.text_share(image), 4), skin=round(skin_share(image), 4))

    def text_share(self, image: NDArray[np.uint8]) -> float:
        """The share of an RGB image (H, W, 3) that lines of text cover, letters that stand alone left out."""
        area = 0.0
        for corners in self._lines(np.ascontiguousarray(image[..., ::-1])):
            across, along = (float(np.linalg.norm(corners[0] - corners[k])) for k in (1, 3))
            if max(across, along) > WORD * min(across, along):
                area += across * along
        return min(1.0, area / (image.shape[0] * image.shape[1]))


def skin_share(image: NDArray[np.uint8]) -> float:
    """The share of an RGB image (H, W, 3) that has the colour of skin."""
    scale = min(1.0, SEEN / max(image.shape[:2]))
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    inside = cv2.inRange(cv2.cvtColor(small, cv2.COLOR_RGB2YCrCb), LOW, HIGH) > 0
    saturation = cv2.cvtColor(small, cv2.COLOR_RGB2HSV)[..., 1]
    return float((inside & (saturation >= PALE) & (saturation <= VIVID)).mean())
