"""Figures with boxes of panels and letters for people to look at and mend: COCO, and Label Studio's tasks.

In: rows of `separated/`. Boxes are pixels of the figure as it is opened. Formats: cocodataset.org, "Data format";
labelstud.io, "Import pre-annotated data".
"""

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from app.exports.items import key_of
from core.places import Place
from core.records import SeparatedFigure, from_table
from core.runs import Part, Table

PANEL, LETTER = 1, 2  # COCO's categories
CATEGORIES = [
    {"id": PANEL, "name": "panel", "supercategory": "figure"},
    {"id": LETTER, "name": "letter", "supercategory": "figure"},
]
LABELLING = """<View>
  <Header value="$figure_id"/>
  <Image name="image" value="$image" zoom="true"/>
  <RectangleLabels name="box" toName="image">
    <Label value="panel" background="red"/>
    <Label value="letter" background="blue"/>
  </RectangleLabels>
  <TextArea name="label" toName="image" perRegion="true" placeholder="its letter" rows="1" maxSubmissions="1"/>
  <TextArea name="text" toName="image" perRegion="true" placeholder="what is said of it" rows="3" maxSubmissions="1"/>
  <Text name="caption" value="$caption"/>
</View>
"""
Row = dict[str, Any]


def file_of(figure: SeparatedFigure) -> str:
    """The name of a figure's image."""
    return (
        f"images/{key_of(figure.figure_id)}.{'jpg' if figure.image_format == 'JPEG' else figure.image_format.lower()}"
    )


def write_annotations(figures: Table, pairs: Table, out: Place, *, form: str) -> int:
    """Write the images and annotations.json, or tasks.json; how many figures there are. One part is held at a time."""
    if form == "label-studio":
        (out / "label_config.xml").write_bytes(LABELLING.encode())
        tasks = (json.dumps(task(figure, texts), ensure_ascii=False) for figure, texts in _written(figures, pairs, out))
        (out / "tasks.json").write_pieces(_list(tasks, "[\n", "\n]\n"))
    else:
        (out / "annotations.json").write_pieces(_coco(_written(figures, pairs, out)))
    return sum(part.rows for part in figures.parts())


def _written(figures: Table, pairs: Table, out: Place) -> Iterator[tuple[SeparatedFigure, dict[str, str]]]:
    """Every figure, its image written, and the texts of its part's pairs."""
    known = {part.part: part for part in pairs.parts()}
    for part in figures.parts():
        texts = texts_of(pairs, known[part.part]) if part.part in known else {}
        for figure in from_table(figures.read_of(part), SeparatedFigure):
            (out / file_of(figure)).write_bytes(figure.image)
            yield figure, texts


def texts_of(pairs: Table, part: Part) -> dict[str, str]:
    """The text of each pair of a part by its id."""
    return {row["pair_id"]: row["text"] for row in pairs.read_of(part, ["pair_id", "text"]).to_pylist()}


def _list(items: Iterable[str], before: str, after: str) -> Iterator[bytes]:
    """Items of a JSON list, one a line."""
    yield before.encode()
    for number, each in enumerate(items):
        yield ((",\n" if number else "") + each).encode()
    yield after.encode()


def coco_of(figure: SeparatedFigure, texts: Mapping[str, str], number: int) -> Row:
    """One figure: COCO's image, and its annotations, which are numbered when all are there."""
    image = {
        "id": number + 1, "file_name": file_of(figure), "width": figure.width, "height": figure.height,
        "figure_id": figure.figure_id, "caption": figure.caption, "license": figure.licence,
    }  # fmt: skip
    annotations = []
    for index, panel in enumerate(figure.subfigures):
        text = texts.get(f"{figure.figure_id}#{index}")
        facts = {"label": panel.label, "text": text, "score": panel.score, "panel": index}
        annotations.append({"category_id": PANEL, **_coco_box(panel.box), **facts})
        if panel.label_box:
            annotations.append(
                {"category_id": LETTER, **_coco_box(panel.label_box), "label": panel.label, "panel": index}
            )
    return {"image": image, "annotations": annotations}


def _coco_box(box: Sequence[int]) -> Row:
    left, top, right, bottom = box
    wide, high = right - left, bottom - top
    corners = [left, top, right, top, right, bottom, left, bottom]
    return {"bbox": [left, top, wide, high], "area": wide * high, "iscrowd": 0, "segmentation": [corners]}


def _coco(figures: Iterable[tuple[SeparatedFigure, Mapping[str, str]]]) -> Iterator[bytes]:
    """COCO's document: annotations as they come, and after them the images, which wait in a file."""
    head = {
        "info": {"description": "Panels and letters of figures, found by figray"},
        "licenses": [],
        "categories": CATEGORIES,
    }
    with tempfile.TemporaryFile("w+", encoding="utf-8") as images:

        def annotations() -> Iterator[str]:
            number = 0
            for index, (figure, texts) in enumerate(figures):
                row = coco_of(figure, texts, index)
                images.write(json.dumps(row["image"], ensure_ascii=False) + "\n")
                for each in row["annotations"]:
                    number += 1
                    yield json.dumps({"id": number, "image_id": index + 1, **each}, ensure_ascii=False)

        yield from _list(annotations(), json.dumps(head)[:-1] + ', "annotations": [\n', "\n],\n")
        images.seek(0)
        yield from _list((line.rstrip("\n") for line in images), '"images": [\n', "\n]}\n")


def task(figure: SeparatedFigure, texts: Mapping[str, str]) -> Row:
    """One figure as a task of Label Studio, figray's boxes, letters and texts as its prediction."""
    results: list[Row] = []
    for index, panel in enumerate(figure.subfigures):
        text = texts.get(f"{figure.figure_id}#{index}")
        said = {"label": panel.label, "text": text}
        results += _region(figure, f"panel-{index}", "panel", panel.box, said)
        if panel.label_box:
            results += _region(figure, f"letter-{index}", "letter", panel.label_box, {"label": panel.label})
    return {
        "data": {"image": file_of(figure), "figure_id": figure.figure_id, "caption": figure.caption},
        "predictions": [{"model_version": "figray", "result": results}],
    }


def _region(
    figure: SeparatedFigure, name: str, kind: str, box: Sequence[int], said: Mapping[str, str | None]
) -> list[Row]:
    """A box in per cent of the figure, and what is said of it, as results of one id."""
    left, top, right, bottom = box
    place = {
        "x": 100 * left / figure.width, "y": 100 * top / figure.height, "rotation": 0,
        "width": 100 * (right - left) / figure.width, "height": 100 * (bottom - top) / figure.height,
    }  # fmt: skip
    of = {"id": name, "to_name": "image", "original_width": figure.width, "original_height": figure.height}
    found: list[Row] = [
        {**of, "from_name": "box", "type": "rectanglelabels", "value": {**place, "rectanglelabels": [kind]}}
    ]
    for field, text in said.items():
        if text:
            found.append({**of, "from_name": field, "type": "textarea", "value": {**place, "text": [text]}})
    return found
