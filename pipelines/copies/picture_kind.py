"""Whether an image is a picture, or a graphic: a plot, a table, a drawing or text, which is ink on bright paper.

A graphic has one bright colour over much of it, and where its grey changes, it jumps; tissue and scans change softly.
Traces on plain white paper (ECG) look like plots to these two numbers: images are marked here, none is dropped.
"""

import math

import numpy as np
from PIL import Image

from core.records import Kind

SIDE = 256  # pixels of the longer side that is looked at, so that noise and print size count less
STEP = 16  # grey values that count as one colour
BRIGHT = 224  # all three colours of paper, of 255
CHANGE, JUMP = 3, 60  # grey values between neighbours
# Logistic regression on 80 drawn panels of each kind of phantom.pictures.contents.
PAPER_WEIGHT, JUMP_WEIGHT, BIAS = 4.1, 11.8, -5.2


def picture_kind(image: Image.Image) -> tuple[Kind, float]:
    """The kind of an RGB image and how sure that is, 0.5 to 1."""
    small = image.copy()
    small.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    graphic = 1 / (1 + math.exp(-(PAPER_WEIGHT * paper_share(small) + JUMP_WEIGHT * jump_share(small) + BIAS)))
    return ("graphic", graphic) if graphic > 0.5 else ("picture", 1 - graphic)


def paper_share(image: Image.Image) -> float:
    """The share of an RGB image that has its commonest colour, if that is bright; else 0."""
    colours = np.asarray(image, np.int64) // STEP  # (H, W, 3)
    levels = 256 // STEP
    counts = np.bincount((colours @ np.array([levels**2, levels, 1])).ravel(), minlength=levels**3)
    commonest = int(counts.argmax())
    darkest = min(commonest // levels**2, commonest // levels % levels, commonest % levels)
    return float(counts[commonest] / counts.sum()) if darkest * STEP >= BRIGHT else 0.0


def jump_share(image: Image.Image) -> float:
    """Of the places where the grey of an RGB image changes, the share where it jumps."""
    grey = np.asarray(image.convert("L"), np.int16)
    down, along = np.abs(np.diff(grey, axis=0))[:, :-1], np.abs(np.diff(grey, axis=1))[:-1]
    change = np.maximum(down, along)
    return float((change > JUMP).sum() / max(1, (change > CHANGE).sum()))
