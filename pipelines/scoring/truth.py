"""What is true of every drawn figure: its panels, printed letters and texts, and why it is to be left out."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from core.records import Box

LeftOut = Literal[
    "not_case_report", "keyword", "licence", "retracted", "manuscript", "not_open_access", "no_media"
]  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class PanelTruth:
    """A panel of a figure."""

    box: Box
    label: str | None  # the bare letter as printed, "A"; None where none is printed
    label_box: Box | None  # of the ink, brackets included
    text: str  # the subcaption's own words, without marker and closing punctuation; else the whole caption
    whole_caption_allowed: bool  # the caption gives this panel no words of its own
    modality: str
    plane: str
    lesion: str
    side: str
    place: str
    lesion_boxes: list[Box] = field(default_factory=list)  # in the figure; none where it is not met, or not told


@dataclass(frozen=True, kw_only=True, slots=True)
class FigureTruth:
    """A figure as drawn, one for each graphic."""

    figure_id: str  # "PMC9000001.1/CRIN2018-9000001.001", as records.Figure
    kept: bool
    left_out_because: LeftOut | None
    caption: str  # as plain text
    caption_style: str
    panels: list[PanelTruth]


_FIGURES: TypeAdapter[list[FigureTruth]] = TypeAdapter(list[FigureTruth])


def write_truth(path: Path, figures: Iterable[FigureTruth], *, articles: int, seed: int) -> None:
    """The truth of a corpus as JSON, put in place whole."""
    text = json.dumps({"articles": articles, "seed": seed, "figures": [asdict(figure) for figure in figures]}, indent=1)
    unfinished = path.with_suffix(".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


def read_figures(path: Path) -> list[FigureTruth]:
    """The figures of a truth file, in the order of their ids."""
    return _FIGURES.validate_python(json.loads(path.read_text(encoding="utf-8"))["figures"])


def describes(path: Path, *, articles: int, seed: int) -> bool:
    """Whether a complete corpus of this size and seed lies beside the truth file."""
    if not path.is_file():
        return False
    found = json.loads(path.read_text(encoding="utf-8"))
    return (found["articles"], found["seed"]) == (articles, seed)
