"""A small run, committed without Ray: pairs of two splits, the figures that they were cut from, and radiographs."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from core.places import Place
from core.records import (
    Pair,
    Picture,
    Radiograph,
    SeparatedFigure,
    Split,
    SplitCaption,
    Subcaption,
    Subfigure,
    Target,
    to_table,
)
from core.runs import Table

PARTS, FIGURES = 3, 2  # parts of the run, and figures of each, of two panels


def jpeg(width: int, height: int, grey: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (grey, grey, grey)).save(file, "JPEG")
    return file.getvalue()


def a_figure(article: str) -> SeparatedFigure:
    panels = [Subfigure(box=(0, 0, 48, 40), score=0.9, label="A", label_box=(2, 2, 8, 10), label_score=1.0)]
    panels.append(Subfigure(box=(52, 0, 100, 40), score=0.9, label="B"))
    split = SplitCaption(
        preamble="", tail="", confidence=1.0, reason="",
        subcaptions=[Subcaption(labels=["A"], text="CT, before."), Subcaption(labels=["B"], text="=MRI, «after».")],
    )  # fmt: skip
    shown = [
        Picture(subfigure=index, kind="picture", kind_score=0.9, pixels_md5="0", thumbnail=bytes(1024))
        for index in (-1, 0, 1)
    ]
    return SeparatedFigure(
        figure_id=f"{article}/fig.1", article_id=article, title="A case", article_type="case-report", doi="10.1/x",
        year=2020, licence="CC BY", attribution="Doe J. A case. Journal.", media_url=f"https://x/{article}/fig.1.jpg",
        md5="m", image=jpeg(100, 40, 90), image_format="JPEG", width=100, height=40, n_frames=1, label="Figure 1",
        caption="(A) CT, before. (B) =MRI, «after».", emphasis=[], mentions=[], notes=[], subfigures=panels,
        split_caption=split, pictures=shown,
    )  # fmt: skip


def pairs_of(figure: SeparatedFigure, number: int) -> list[Pair]:
    split: Split = "test" if number % 3 == 2 else "train"
    return [
        Pair(
            pair_id=f"{figure.figure_id}#{index}", figure_id=figure.figure_id, article_id=figure.article_id,
            split=split, image=jpeg(48, 40, 80 + index), width=48, height=40, box=panel.box, label=panel.label,
            text=figure.split_caption.subcaptions[index].text, matched_by="letter" if index else "order",
            score=0.9 if index else 0.4, reason="", licence="CC BY", attribution=figure.attribution,
            media_url=figure.media_url, md5=figure.md5, modality="MRI" if index else "CT",
            permission="with permission" if number == 5 and index else None,
        )
        for index, panel in enumerate(figure.subfigures)
    ]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Place:
    """A run of 6 figures and 12 pairs: 8 of train, 4 of test, one of them with a permission."""
    place = Place.at(tmp_path / "run")
    pairs, separated = Table(place / "pairs", Pair), Table(place / "separated", SeparatedFigure)
    for part in range(PARTS):
        numbers = range(part * FIGURES, (part + 1) * FIGURES)
        figures = [a_figure(f"PMC{number}.1") for number in numbers]
        made = [pair for figure, number in zip(figures, numbers, strict=True) for pair in pairs_of(figure, number)]
        tables = {
            f"split={split}": to_table([pair for pair in made if pair.split == split], Pair)
            for split in ("train", "test")
        }
        separated.commit(part, tables={"": to_table(figures, SeparatedFigure)}, rejects=[], inputs="", counts={})
        pairs.commit(part, tables=tables, rejects=[], inputs="", counts={})
    return place


@pytest.fixture
def with_films(run: Place) -> Place:
    """The same run with two radiographs."""
    film = Radiograph(
        image_id="film.1", patient_id="p", study_id="s", dataset="csv", split="train", image=jpeg(32, 32, 60), width=32,
        height=32, view="PA", text="Clear lungs.", targets=[Target(name="Edema", present=False)], regions=[], md5="x",
        notes=[],
    )  # fmt: skip
    rows = to_table([film, replace(film, image_id="film.2", text="")], Radiograph)
    Table(run / "radiographs", Radiograph).commit(0, tables={"split=train": rows}, rejects=[], inputs="", counts={})
    return run


@pytest.fixture
def draw_figure() -> Callable[[str], SeparatedFigure]:
    """A figure of an article."""
    return a_figure
