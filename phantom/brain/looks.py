"""Tissue into the grey values of CT and of MRI sequences, with their field of view, contrast, blur and noise."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import ndimage

from phantom.brain.anatomy import Array, Tissue

Modality = Literal["T1", "T1C", "T2", "FLAIR", "DWI", "CT", "MRA", "DSA"]


@dataclass(frozen=True)
class Look:
    """Grey values of tissue in [0, 1], and what the scanner adds."""

    gm: float
    wm: float
    csf: float
    bone: float
    marrow: float
    fat: float
    soft: float
    noise: float
    blur: float  # pixels of about 1 mm


# Relative signal as radiology texts describe it: T1 fat > white > grey > fluid, T2 the reverse, FLAIR T2 without fluid.
LOOKS: dict[Modality, Look] = {
    "T1": Look(0.40, 0.60, 0.10, 0.03, 0.40, 0.82, 0.38, 0.020, 0.5),
    "T1C": Look(0.36, 0.52, 0.08, 0.03, 0.38, 0.80, 0.50, 0.020, 0.5),
    "T2": Look(0.55, 0.36, 0.98, 0.03, 0.30, 0.62, 0.25, 0.022, 0.5),
    "FLAIR": Look(0.50, 0.36, 0.05, 0.02, 0.16, 0.42, 0.22, 0.028, 0.7),
    "DWI": Look(0.46, 0.39, 0.07, 0.01, 0.02, 0.04, 0.04, 0.040, 1.5),
    "CT": Look(0.47, 0.38, 0.14, 1.00, -0.12, 0.05, 0.30, 0.024, 0.8),
}


def paint(tissue: Tissue, modality: Modality) -> Array:
    """Grey values (H, W) of healthy tissue, before the scanner's noise."""
    look = LOOKS[modality]
    grey = np.zeros_like(tissue.gm)
    for name in ("gm", "wm", "csf", "bone", "marrow", "fat", "soft"):
        grey += getattr(tissue, name) * getattr(look, name)
    return _enhance(grey, tissue) if modality == "T1C" else grey


def _enhance(grey: Array, tissue: Tissue) -> Array:
    """What takes up contrast in everyone: the dural sinuses and the dura."""
    x, y, z = tissue.where
    midline = np.exp(-((x / 3.5) ** 2)) * np.exp(-(((tissue.depth + 1.0) / 3.0) ** 2)) * ((z > 0) | (y < -60))
    dura = 0.35 * np.exp(-(((tissue.depth + 1.8) / 1.0) ** 2))
    return np.maximum(grey, 0.95 * midline + dura * (tissue.csf + tissue.bone)).astype(np.float32)


def scan(grey: Array, modality: Modality, rng: np.random.Generator) -> Array:
    """Grey values as a scanner delivers them: (H, W) in [0, 1] with blur, shading, noise and a reader's window."""
    look = LOOKS[modality]
    height, width = grey.shape
    soft = ndimage.gaussian_filter(grey, look.blur * rng.uniform(0.8, 1.3))
    if modality != "CT":  # receive coils shade an MRI
        tilt = np.linspace(-1, 1, height)[:, None] * rng.normal(0, 0.06) + np.linspace(-1, 1, width) * rng.normal(
            0, 0.06
        )
        soft = soft * (1 + tilt)
    grain = ndimage.gaussian_filter(rng.normal(0, 1, grey.shape), 0.6) * 1.8
    noisy = soft + look.noise * rng.uniform(0.6, 1.4) * grain * (1 if modality == "CT" else 0.3 + soft)
    window = np.clip(noisy * rng.uniform(0.92, 1.12) + rng.uniform(-0.02, 0.02), 0, 1)
    return (window ** rng.uniform(0.85, 1.15)).astype(np.float32)
