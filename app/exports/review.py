"""Corrections that come back: Label Studio's JSON and COCO as panels by figure, the report's as verdicts by pair."""

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from app.exports.annotations import LETTER, PANEL
from core.config import UserError
from core.records import Box
from pipelines.letters.places import owners
from pipelines.reviews import ReviewedPanel, Verdict

Found = dict[str, list[ReviewedPanel]]
OF_A_REPORT = "figray-review"  # the format of the file that a report's page downloads
COLUMNS = ("pair_id", "verdict", "mark")  # of the same as CSV
VERDICTS = {"right": True, "wrong": False}


class ReviewError(UserError):
    """A file of corrections is none that is read; the message says why."""


def corrections(file: Path) -> Found:
    """The panels of every figure that a person has looked at, by figure id; raises ReviewError."""
    told = _opened(file, json.loads)
    try:
        if isinstance(told, dict) and "annotations" in told and "images" in told:
            found = _of_coco(told)
        elif isinstance(told, list) and all(isinstance(task, dict) and "data" in task for task in told):
            found = _of_label_studio(told)
        else:
            raise ReviewError(
                f"{file} is neither Label Studio's JSON (a list of tasks with data) nor COCO (images, annotations)"
            )
    except (AttributeError, KeyError, TypeError, IndexError, ValueError, OverflowError) as error:
        raise ReviewError(f"{file}: {type(error).__name__} {error}; export it again as JSON") from error
    if not found:
        raise ReviewError(f"{file} has no figure that a person has corrected")
    return found


def _opened(file: Path, read: Callable[[str], Any]) -> Any:
    """What a file of corrections holds, as `read` makes it of its text; raises ReviewError where it cannot be read."""
    try:
        return read(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ReviewError(f"{file}: {error.strerror or error}") from error
    except ValueError as error:
        raise ReviewError(
            f"{file} is no file of corrections: a report's review, Label Studio's JSON or COCO"
        ) from error


def verdicts(file: Path) -> dict[str, Verdict] | None:
    """What a person said of pairs in a report, by pair id; None where the file is of another kind.

    Raises ReviewError where it is such a file and cannot be read.
    """
    text = _opened(file, str)
    if text.lstrip().startswith("{") and f'"{OF_A_REPORT}"' in text[:200]:
        rows = _of_json(file, text)
    elif text.partition("\n")[0].strip() == ",".join(COLUMNS):
        rows = list(csv.DictReader(io.StringIO(text)))
    else:
        return None
    found = {}
    for number, row in enumerate(rows, 1):
        values = [row.get(name) for name in COLUMNS] if isinstance(row, dict) else [None]
        if not all(isinstance(value, str) and value for value in values) or values[1] not in VERDICTS:
            raise ReviewError(f"{file}: row {number} is no verdict: it needs {', '.join(COLUMNS)}; right or wrong")
        found[row["pair_id"]] = Verdict(VERDICTS[row["verdict"]], row["mark"])
    if not found:
        raise ReviewError(f"{file} has no pair that a person has judged")
    return found


def _of_json(file: Path, text: str) -> list[Any]:
    """The rows of a report's review."""
    try:
        rows = json.loads(text)["reviews"]
    except (ValueError, KeyError) as error:
        raise ReviewError(f"{file}: {type(error).__name__} {error}; download it again from the report") from error
    if not isinstance(rows, list):
        raise ReviewError(f"{file}: its reviews are no list; download it again from the report")
    return rows


def _of_coco(told: Mapping[str, Any]) -> Found:
    names = {image["id"]: str(image["figure_id"]) for image in told["images"]}
    panels: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    letters: dict[str, list[dict[str, Any]]] = {name: [] for name in names.values()}
    for each in told["annotations"]:
        left, top, wide, high = each["bbox"]
        row = {"box": _box(left, top, left + wide, top + high), "label": each.get("label"), "text": each.get("text")}
        kind = {PANEL: panels, LETTER: letters}.get(each["category_id"])
        if kind is not None:
            kind[names[each["image_id"]]].append(row)
    return {name: _joined(own, letters[name]) for name, own in panels.items() if own}


def _of_label_studio(told: Sequence[Mapping[str, Any]]) -> Found:
    found = {}
    for task in told:
        given = [each for each in task.get("annotations", []) if not each.get("was_cancelled")]
        if given:
            regions = _regions(given[-1]["result"])
            panels = [row for row in regions if row["kind"] == "panel"]
            letters = [row for row in regions if row["kind"] == "letter"]
            if panels:
                found[str(task["data"]["figure_id"])] = _joined(panels, letters)
    return found


def _regions(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The boxes of one annotation in pixels, each with what is said of it."""
    regions: dict[str, dict[str, Any]] = {}
    for each in results:
        value, region = each["value"], regions.setdefault(each["id"], {})
        if each["type"] == "rectanglelabels":
            across, down = each["original_width"] / 100, each["original_height"] / 100
            left, top = value["x"] * across, value["y"] * down
            region["box"] = _box(left, top, left + value["width"] * across, top + value["height"] * down)
            region["kind"] = value["rectanglelabels"][0]
        elif each["type"] == "textarea":
            region[each["from_name"]] = " ".join(value["text"]).strip()
    return [region for region in regions.values() if "box" in region]


def _joined(panels: Sequence[Mapping[str, Any]], letters: Sequence[Mapping[str, Any]]) -> list[ReviewedPanel]:
    """Panels with the boxes of their letters: that of the same letter, or else the one that stands on or beside it."""
    boxes = [panel["box"] for panel in panels]
    near = owners(boxes, [letter["box"] for letter in letters])
    found = []
    for panel, own in zip(panels, near, strict=True):
        same = [each for each in letters if panel.get("label") and each.get("label") == panel["label"]]
        letter = same[0] if same else letters[own[0]] if own else None
        label = panel.get("label") or (letter.get("label") if letter else None)
        found.append(
            ReviewedPanel(panel["box"], label or None, letter["box"] if letter else None, panel.get("text") or None)
        )
    return found


def _box(left: float, top: float, right: float, bottom: float) -> Box:
    return round(left), round(top), round(right), round(bottom)
