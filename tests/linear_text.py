"""Seconds of CPU that captions of 100, 200 and 400 KB take to be read from JATS: linear, whatever they hold.

python -m tests.linear_text
"""

import sys
import time

from pipelines.sources.jats import parse_article
from tests.fuzz_jats import HEAD, TAIL

SIZES = (100_000, 200_000, 400_000)  # bytes
PIECES = {
    "emphasised characters with accents": "<italic>e\u0301</italic>",
    "nested": "<bold><italic>x</italic> y </bold>",
    "TeX": "<inline-formula><tex-math>$\\alpha_{1}^{2}$</tex-math></inline-formula> ",
    "powers": "10<sup>4</sup> ",
    "plain words": "CT of the brain. ",
}


def main() -> None:
    """Measure and print."""
    for name, piece in PIECES.items():
        took = []
        for size in SIZES:
            data = (HEAD + piece * (size // len(piece.encode())) + TAIL).encode()
            begun = time.process_time()
            parse_article(data, "PMC1.1")
            took.append(f"{time.process_time() - begun:.2f}")
        sys.stdout.write(f"{name}: {', '.join(took)}\n")


if __name__ == "__main__":
    main()
