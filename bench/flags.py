"""How often `figray flag` finds a word written on a drawn panel, and how often it sees one or skin where there is none.

    python -m bench.flags --rounds 12 --seed 0

In each round every kind of panel is drawn once, and a word is written on a copy of it. Markers and scales that the
drawing itself has count as false alarms, though they are text.
"""

import argparse
from collections import Counter

import cv2
import numpy as np
from numpy.typing import NDArray

from bench.numbers import say
from phantom.pictures import tissues
from phantom.pictures.contents import DRAWERS
from pipelines.flags import SKIN, Flagger, skin_share

KINDS = ("ct", "mri", "xray", "ultrasound", "angiogram", "nuclear", "histology", "endoscopy")
WORDS = ("SMITH JOHN", "12-03-2014", "ID 004512", "LT KNEE", "120 kV", "Se: 4 Im: 21", "HOSPITAL")
SIZE = (300, 360)  # height and width of a panel, px
PHOTOGRAPHS = 60  # of each kind


def written_on(panel: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A copy of a panel (H, W, 3) with one of WORDS in white, at its top or at its bottom."""
    word, size = WORDS[int(rng.integers(len(WORDS)))], rng.uniform(0.35, 0.8)
    (width, height), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    at = int(rng.integers(2, max(3, SIZE[1] - 2 - width))), int(rng.choice([height + 3, SIZE[0] - 4]))
    copy = panel.copy()
    cv2.putText(copy, word, at, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)
    return copy


def main(rounds: int, seed: int) -> dict[str, object]:
    """The numbers, by kind of panel; see the head of this file."""
    rng, flagger = np.random.default_rng(seed), Flagger()
    found, alarms = Counter[str](), Counter[str]()
    for _ in range(rounds):
        for kind in KINDS:
            panel = np.ascontiguousarray(DRAWERS[kind](rng, SIZE))
            alarms[kind] += flagger.text_share(panel) > 0
            found[kind] += flagger.text_share(written_on(panel, rng)) > 0
    draws = {"skin": tissues._skin, "eye or mouth": tissues._eye} | {kind: DRAWERS[kind] for kind in KINDS}
    skin = {
        name: float(np.mean([skin_share(np.ascontiguousarray(draw(rng, SIZE))) >= SKIN for _ in range(PHOTOGRAPHS)]))
        for name, draw in draws.items()
    }
    return {
        "panels of a kind": rounds,
        "words found": dict(found),
        "recall": found.total() / (rounds * len(KINDS)),
        "seen without a word": dict(alarms),
        "false alarms": alarms.total() / (rounds * len(KINDS)),
        "flagged as skin": skin,
    }


if __name__ == "__main__":
    asked = argparse.ArgumentParser()
    asked.add_argument("--rounds", type=int, default=12)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args()
    for name, number in main(given.rounds, given.seed).items():
        say(f"{name}: {number}")
