"""The panels of one figure from Python: three lines, no Ray.

python examples/separate_figure.py FIGURE.jpg
"""

import sys
from pathlib import Path

import numpy as np

from core.images import open_image
from core.records import Subfigure
from core.settings import LabelSettings, SeparateSettings
from pipelines.figure_reader import FigureReader


def panels_of(file: Path) -> list[Subfigure]:
    """The panels of a figure in reading order, each with its box in pixels, its printed letter and scores."""
    read = FigureReader(SeparateSettings(), LabelSettings())  # loads the weights: keep it for many figures
    image = np.asarray(open_image(file.read_bytes()).image)
    return read(image)


if __name__ == "__main__":
    for panel in panels_of(Path(sys.argv[1])):
        print(panel.label or "-", *panel.box, f"{panel.score:.2f}")  # noqa: T201  # an example speaks to its user
