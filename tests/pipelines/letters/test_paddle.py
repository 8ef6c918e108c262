"""PaddleOCR's models without a network."""

from pathlib import Path

import numpy as np
import pytest

from pipelines.letters.paddle import text_detector, text_recogniser


def test_the_recogniser_runs_on_the_weights_of_the_wheel() -> None:
    (line,) = text_recogniser(height=48, width=96).predict([np.full((48, 96, 3), 255, dtype=np.uint8)])
    assert isinstance(line["rec_text"], str)


def test_the_detector_finds_no_text_on_paper() -> None:
    (found,) = text_detector(long_side=256).predict([np.full((120, 200, 3), 255, dtype=np.uint8)])
    assert len(found["dt_polys"]) == 0


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"inference\.yml"):
        text_recogniser(str(tmp_path), height=48, width=96)
