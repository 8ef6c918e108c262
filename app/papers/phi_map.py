"""The learned integrity phi as a picture (MLIP, section 2.1, Figure 3 a), drawn by matplotlib as PNG."""

import io
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

COLOURS = "PuOr_r"  # two ends and a middle, for colour-blind readers too; the middle is the mean patch
CELL = 3.2  # inches, a side of one map
DPI = 110
MEANING = "standard deviations from the mean patch"


def phi_map(grids: Mapping[str, NDArray[np.floating]]) -> bytes:
    """A PNG: side by side the phi of each model, over the places of its patches in the letterboxed image.

    grids: by name, (h, w) each, as `trainers.evaluation.sentence_maps.phi_grid` makes them. The more a patch speaks
    for the integrity of an image that shows it, the more positive it is; all share one scale.
    """
    most = max(1.0, *(float(np.abs(grid).max()) for grid in grids.values()))
    figure = Figure(figsize=(CELL * len(grids) + 0.9, CELL + 0.5), dpi=DPI, layout="constrained")
    axes = figure.subplots(1, len(grids), squeeze=False)[0]
    for each, (name, grid) in zip(axes, grids.items(), strict=True):
        drawn = each.imshow(grid, cmap=COLOURS, vmin=-most, vmax=most, interpolation="nearest")
        each.set_title(name, fontsize=11)
        each.set_xticks([])
        each.set_yticks([])
    bar = figure.colorbar(drawn, ax=list(axes), shrink=0.9, label=MEANING)
    bar.locator = MaxNLocator(5)
    bar.update_ticks()
    file = io.BytesIO()
    figure.savefig(file, format="png", metadata={"Software": None})
    return file.getvalue()
