"""PaddleOCR's models without a network."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from phantom.pictures.arrangement import load_font
from pipelines.letters.paddle import page_reader, text_recogniser


def test_the_recogniser_runs_on_the_weights_of_the_wheel() -> None:
    (line,) = text_recogniser(height=48, width=96).predict([np.full((48, 96, 3), 255, dtype=np.uint8)])
    assert isinstance(line["rec_text"], str)


def test_the_whole_line_reads_a_page() -> None:
    page = Image.new("RGB", (320, 120), "white")
    ImageDraw.Draw(page).text((20, 40), "Figure 7", font=load_font("DejaVuSans.ttf", 30), fill="black")
    (found,) = page_reader().predict([np.asarray(page)])
    assert "".join(found["rec_texts"]).replace(" ", "") == "Figure7"


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"inference\.yml"):
        text_recogniser(str(tmp_path), height=48, width=96)
