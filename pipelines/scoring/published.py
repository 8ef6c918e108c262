"""Published labelled sets in their own formats: which file is which is told from what it holds.

- Boxes as CSV without a header (ImageCLEF 2016 and PanelSeg, as JieZou1/PanelSeg keeps them): image, left, top, right,
  bottom, "panel", and where letters were marked their box and the letter.
- MedICaT (allenai/medicat): JSON lines with `answer`, `spans` of points and a label, `tokens`, and for each label the
  numbers of its tokens.
- COCO: `images`, `categories` and `annotations` with `bbox` as left, top, width, height (PubMed-Ophtha, BioSci-Fig).
- SourceData panelization (EMBO/SourceData): JSON lines of `words` and `labels`, "B-PANEL_START" where a panel begins.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.scoring.scorecard import AnyBox, TrueCaption, TrueFigure, TruePanel, bare, words

PANEL_START = "B-PANEL_START"
UNKNOWN = "unknown"  # where the letters of a figure stand
SINGLE = "single"
# What others print on sets of their own, to be held beside ours: measure, who, value, and where it was read.
REFERENCES = (
    ("imageclef_compound", "Tsutsui and Crandall 2017, ImageCLEF 2016", 0.859, "arXiv 1703.05105"),
    ("map", "FigEx2 2026, BioSci-Fig-Cap", 0.728, "arXiv 2601.08026, its repository"),
    ("ap_0.5", "PubMed-Ophtha 2026, its own set", 0.909, "arXiv 2605.02720"),
    ("sentence_bleu", "PubMed-Ophtha 2026, its own set", 0.913, "arXiv 2605.02720"),
    ("panel_start_f1", "sd-panelization-v2, SourceData", 0.931, "its model card"),
    ("boxes, people", "two annotators of FigEx among themselves", 0.951, "FigEx, IAA.md: .951, .904, .892"),
    ("captions, people", "two annotators of FigEx among themselves", 0.922, "FigEx, IAA.md: .922, .891, .883"),
)


class PublishedError(ValueError):
    """A file of a published set is not of its shape; the message names the place."""


@dataclass(frozen=True, slots=True)
class StartedCaption:
    """A caption and the characters at which its panels begin."""

    id: str
    caption: str
    starts: list[int]
    ends: list[int]  # of the word that each start lies in


Published = tuple[list[TrueFigure], list[TrueCaption], list[StartedCaption]]


def read_boxes(text: str) -> list[TrueFigure]:
    """Figures of a CSV of boxes; raises PublishedError."""
    panels: dict[str, list[TruePanel]] = {}
    for line, row in enumerate(csv.reader(io.StringIO(text)), 1):
        if not row:
            continue
        name = re.split(r"[\\/]", row[0])[-1]
        if len(row) < 6 or not name:
            raise PublishedError(f"line {line}: image, left, top, right, bottom and panel were expected")
        found = panels.setdefault(name, [])
        if not any(row[1:5]):
            continue  # an image without panels
        label = row[10].strip() if len(row) > 10 else ""
        found.append(TruePanel(_box(row[1:5], f"line {line}"), label or None))
    return [_figure(image, own) for image, own in panels.items()]


def read_medicat(rows: Iterable[dict[str, Any]]) -> tuple[list[TrueFigure], list[TrueCaption]]:
    """Figures and captions of MedICaT's rows that were accepted; raises PublishedError."""
    figures, captions = [], []
    for number, row in enumerate(rows, 1):
        try:
            if row["answer"] != "accept":
                continue
            name = f"{row['pdf_hash']}_{row['fig_uri']}"
            tokens = [str(token["text"]) for token in row["tokens"]]
            texts = {
                str(label): " ".join(tokens[place] for place in sorted(set(places)))
                for label, places in (row.get("subcaptions") or {}).items()
            }
            spans = [(str(span["label"]), _around(span["points"])) for span in row["spans"]]
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise PublishedError(f"row {number} is none of MedICaT's: {type(error).__name__} {error}") from error
        caption = " ".join(tokens)
        panels = [TruePanel(box, label, texts.get(label)) for label, box in spans]
        figures.append(TrueFigure(name, SINGLE if len(panels) < 2 else UNKNOWN, caption, panels))
        if texts:
            parts = {bare(label): words(text) for label, text in texts.items()}
            captions.append(TrueCaption(name, caption, len(parts) > 1, parts if len(parts) > 1 else {}, texts))
    return figures, captions


def read_coco(held: dict[str, Any]) -> list[TrueFigure]:
    """Figures of a COCO file; of several categories those with "panel" or "subfigure" in their name count."""
    try:
        categories = {one["id"]: str(one["name"]).lower() for one in held.get("categories", [])}
        named = {key for key, name in categories.items() if "panel" in name or "subfig" in name}
        images = {one["id"]: one for one in held["images"]}
        panels: dict[Any, list[TruePanel]] = {key: [] for key in images}
        for one in held["annotations"]:
            if named and one.get("category_id") not in named:
                continue
            left, top, width, height = (float(side) for side in one["bbox"])
            text = one.get("caption") or one.get("subcaption")
            label = one.get("label") or one.get("identifier")
            panels[one["image_id"]].append(TruePanel((left, top, left + width, top + height), label, text))
        return [
            _figure(re.split(r"[\\/]", images[key]["file_name"])[-1], own, str(images[key].get("caption") or ""))
            for key, own in panels.items()
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise PublishedError(f"it is not of COCO's shape: {type(error).__name__} {error}") from error


def read_panelization(rows: Iterable[dict[str, Any]]) -> list[StartedCaption]:
    """Captions of SourceData's rows, words joined by spaces; raises PublishedError."""
    captions = []
    for number, row in enumerate(rows, 1):
        told, labels = row.get("words"), row.get("labels")
        if not isinstance(told, list) or not isinstance(labels, list) or len(told) != len(labels):
            raise PublishedError(f"row {number} has no words and labels of one length")
        starts, ends, place = [], [], 0
        for word, label in zip(told, labels, strict=True):
            if label == PANEL_START or label == 1:
                starts.append(place)
                ends.append(place + len(word))
            place += len(word) + 1
        captions.append(StartedCaption(str(row.get("id", number)), " ".join(map(str, told)), starts, ends))
    return captions


def published(name: str, text: str) -> Published | None:
    """Figures, captions and panel starts of a published set's file; None where it is none of these."""
    if name.lower().endswith(".csv"):
        return read_boxes(text), [], []
    if name.lower().endswith(".jsonl"):
        try:
            rows = [json.loads(line) for line in text.splitlines() if line.strip()]
        except ValueError as error:
            raise PublishedError(f"a line is not JSON: {error}") from error
        if rows and isinstance(rows[0], dict) and "words" in rows[0]:
            return [], [], read_panelization(rows)
        if rows and isinstance(rows[0], dict) and "pdf_hash" in rows[0]:
            return *read_medicat(rows), []
        return None
    held = json.loads(text) if text.lstrip().startswith("{") else None
    if isinstance(held, dict) and {"images", "annotations"} <= held.keys():
        return read_coco(held), [], []
    return None


def _figure(image: str, panels: Sequence[TruePanel], caption: str = "") -> TrueFigure:
    return TrueFigure(image, SINGLE if len(panels) < 2 else UNKNOWN, caption, list(panels))


def _box(cells: Sequence[str], where: str) -> AnyBox:
    try:
        left, top, right, bottom = (float(cell) for cell in cells)
    except ValueError as error:
        raise PublishedError(f"{where}: {error}") from error
    return left, top, right, bottom


def _around(points: Sequence[Sequence[float]]) -> AnyBox:
    across, along = zip(*((float(x), float(y)) for x, y in points), strict=True)
    return min(across), min(along), max(across), max(along)
