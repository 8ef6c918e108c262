"""Letters printed with a font and read back; runs of readings worked by hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipelines.labels import LabelReader, Printed, as_label, read_labels, settle_run
from pipelines.phantom.arrangement import load_font
from pipelines.records import Box, Subfigure


@pytest.fixture(scope="module")
def reader() -> LabelReader:
    return LabelReader(min_score=0.5)


def print_text(text: str, *, size: int = 28) -> np.ndarray:
    image = Image.new("RGB", (size * (len(text) + 1), size * 2), "white")
    ImageDraw.Draw(image).text((size // 2, size // 3), text, font=load_font("DejaVuSans.ttf", size), fill="black")
    ink = np.argwhere(np.asarray(image)[..., 0] < 128)
    (top, left), (bottom, right) = ink.min(axis=0), ink.max(axis=0)
    return np.asarray(image)[top - 3 : bottom + 4, left - 3 : right + 4]


def readings(*labels: str | None) -> list[list[Printed]]:
    return [[] if label is None else [Printed(label, 0.95, (0, 0, 9, 9))] for label in labels]


def settled(*labels: str | None) -> list[str | None]:
    return [None if found is None else found.label for found in settle_run(readings(*labels))]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("(A)", "A"), ("b)", "b"), ("C.", "C"), ("(iv)", "iv"), ("a1", "a1"), ("3", "3"), ("B'", "B'"),
        ("B\u2019", "B'"),
        ("\uff08a\uff09", "a"), ("\u0410", "A"), ("R L", None), ("T2W", None), ("", None),
        ("ixi", None), ("\u7532", None),
    ],
)  # fmt: skip
def test_labels_are_bared_and_other_text_is_refused(text: str, label: str | None) -> None:
    assert as_label(text) == label


def test_confusions_are_settled_by_the_run() -> None:
    assert settled("a", "6", "C", "d") == ["a", "b", "c", "d"]
    assert settled("l", "2", "3", "4", "S") == ["1", "2", "3", "4", "5"]
    assert settled("i", "ii", "iii", "iv", "V") == ["i", "ii", "iii", "iv", "v"]


def test_repeats_and_strays_are_dropped() -> None:
    assert settled("A", "B", "B", "D") == ["A", "B", None, "D"]
    assert settled("A", "B", "X", None) == ["A", "B", None, None]


def test_letters_down_the_columns_are_kept() -> None:
    assert settled("A", "D", "B", "E", "C", "F") == ["A", "D", "B", "E", "C", "F"]


def test_a_reading_on_few_of_many_panels_is_no_run() -> None:
    assert settled(None, "B", None, None, None) == [None] * 5
    assert settled("A", None) == ["A", None]


def test_a_figure_without_readings_has_no_letters() -> None:
    assert settled(None, None) == [None, None]


def test_typeset_letters_are_read(reader: LabelReader) -> None:
    texts = ["A", "(b)", "C.", "(iv)", "d)", "7"]
    found = reader([print_text(text) for text in texts])
    assert [as_label(reading.text) for reading in found] == ["A", "b", "C", "iv", "d", "7"]
    assert np.median([reading.score for reading in found]) > 0.9
    assert reader([]) == []


def test_letters_of_a_figure_are_read_where_they_stand(reader: LabelReader) -> None:
    figure = Image.new("RGB", (820, 400), "white")
    pen, boxes = ImageDraw.Draw(figure), [(0, 0, 400, 400), (420, 0, 820, 400)]
    for box, letter in zip(boxes, "AB"):
        pen.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), fill=(12, 12, 12))
        pen.ellipse((box[0] + 80, 80, box[0] + 320, 340), fill=(130, 130, 130))
        pen.text((box[0] + 12, 10), letter, font=load_font("DejaVuSans-Bold.ttf", 32), fill="white")
    panels = [Subfigure(box=box, score=1.0) for box in boxes]
    found = read_labels(np.asarray(figure), panels, reader)
    assert [panel.label for panel in found] == ["A", "B"]
    assert all(_inside(panel.label_box, panel.box) for panel in found)


def _inside(inner: Box | None, outer: Box) -> bool:
    return inner is not None and inner[0] >= outer[0] and inner[1] >= outer[1] and inner[2] <= outer[2]


def test_a_single_panel_gets_no_letter(reader: LabelReader) -> None:
    image = np.zeros((200, 200, 3), dtype=np.uint8)
    panel = Subfigure(box=(0, 0, 200, 200), score=1.0)
    assert read_labels(image, [panel], reader) == [panel]


def test_importing_the_module_imports_no_paddle() -> None:
    program = "import sys, pipelines.labels; sys.exit(any(name.startswith('paddle') for name in sys.modules))"
    root = Path(sys.modules["pipelines.labels"].__file__ or "").resolve().parents[1]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
