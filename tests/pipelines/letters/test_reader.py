"""Letters printed with a font and read back."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from phantom.pictures.arrangement import load_font
from pipelines.letters.reader import LabelReader
from pipelines.letters.run import as_label


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    return LabelReader(min_score=0.5)


def print_text(text: str, *, size: int = 28) -> np.ndarray:
    image = Image.new("RGB", (size * (len(text) + 1), size * 2), "white")
    ImageDraw.Draw(image).text((size // 2, size // 3), text, font=load_font("DejaVuSans.ttf", size), fill="black")
    ink = np.argwhere(np.asarray(image)[..., 0] < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    return np.asarray(image)[top - 3 : bottom + 4, left - 3 : right + 4]


def test_typeset_letters_are_read(reader: LabelReader) -> None:
    texts = ["A", "(b)", "C.", "(iv)", "d)", "7"]
    found = reader([print_text(text) for text in texts])
    assert [as_label(reading.text) for reading in found] == ["A", "b", "C", "iv", "d", "7"]
    assert np.median([reading.score for reading in found]) > 0.9
    assert reader([]) == []


def test_importing_the_module_imports_no_paddle() -> None:
    program = "import sys, pipelines.letters.reader; sys.exit(any(name.startswith('paddle') for name in sys.modules))"
    root = Path(sys.modules["pipelines.letters.reader"].__file__ or "").resolve().parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
