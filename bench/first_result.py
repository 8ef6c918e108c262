"""`python -m bench.first_result FOLDER`: a line when Ray is there, and one when the first figure has its panels.

What `figray separate` does with a folder of `figure.png`, and imports no more than it: bench.cluster times the lines.
"""

import sys

from bench.numbers import say
from core.cluster import connect, disconnect, local_environment
from core.config import load
from core.places import Place


def main() -> None:
    """Connect, separate, and say so each time."""
    local_environment()  # before anything imports Ray
    from pipelines.loose_files import FigureWork
    from pipelines.stream import read_figures

    config = load()
    connect(config)
    say("connected")
    list(read_figures(config, Place.at(sys.argv[1]), [FigureWork("figure.png")]))
    say("separated")
    disconnect()


if __name__ == "__main__":
    main()
