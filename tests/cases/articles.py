"""Cases of articles, figures and captions: buckets that are collected, and what is scored or only shown."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.images import open_image
from tests.cases.runner import BUCKET, Row, failed, figray, figures_of, labels_in, left_out, rows_in


def collected(case: str, folder: Path, work: Path) -> Iterator[Row]:
    """A bucket, collected; a row only where that failed."""
    said = figray("collect", "--source", f"bucket:{folder / 'bucket'}", "--run", work / "run", *BUCKET)
    if said.code:
        yield failed(case, said)


def languages(folder: Path, work: Path) -> Iterator[Row]:
    """Two languages: the English caption, once."""
    yield from collected("captions-in-two-languages", folder, work)
    for figure in figures_of(work / "run"):
        right = figure.caption == "Brain MRI: (A) T1 image. (B) T2 image."
        yield Row(f"captions-in-two-languages/{figure.figure_id}", figure.caption, right)


def names(folder: Path, work: Path) -> Iterator[Row]:
    """Hrefs as people name files."""
    yield from collected("file-names", folder, work)
    for figure in figures_of(work / "run"):
        number = figure.caption.removeprefix("Brain ").rstrip(".")
        yield Row(f"file-names/{figure.figure_id}", figure.media_url.rpartition("/")[2], number in figure.media_url)
    for item, code in left_out(work / "run").items():
        yield Row(f"file-names/{item}", code, item.endswith(("/f7", "/f8")) and code == "bad_href")


def entities(folder: Path, work: Path) -> Iterator[Row]:
    """Named characters of the DTD."""
    yield from collected("named-entities", folder, work)
    for figure in figures_of(work / "run"):
        right = re.sub(r"\s", " ", figure.caption) == "Brain ▪ MRI — 5 mm."
        yield Row(f"named-entities/{figure.figure_id}", figure.caption, right)


def powers(folder: Path, work: Path) -> Iterator[Row]:
    """10^3 as TeX and MathML."""
    yield from collected("powers", folder, work)
    for figure in figures_of(work / "run"):
        right = bool(re.search(r"10(?:\^3|³)", figure.caption)) and "documentclass" not in figure.caption
        yield Row(f"powers/{figure.figure_id}", figure.caption, right)


def whites(folder: Path, work: Path) -> Iterator[Row]:
    """TIFFs whose zero is white, beside their 8-bit sibling."""
    sibling = np.asarray(open_image((folder / "white-is-zero-8.tif").read_bytes()).image.convert("L")).astype(float)
    for file in sorted(folder.glob("white*.tif")):
        shown = np.asarray(open_image(file.read_bytes()).image.convert("L")).astype(float)
        alike = float(np.corrcoef(shown.ravel(), sibling.ravel())[0, 1])
        yield Row(f"white-is-zero/{file.name}", f"correlation with the 8-bit sibling {alike:.3f}", alike > 0.9)
    said = figray("separate", folder, work / "out.json")
    found = rows_in(work / "out.json") if not said.code else []
    read = sum("error" not in row for row in found)
    yield Row(
        "white-is-zero", f"{read} of {len(list(folder.glob('*.tif')))} read", read == len(list(folder.glob("*.tif")))
    )


def figures(folder: Path, work: Path) -> Iterator[Row]:
    """Compound figures: panels and letters beside what is right; shown."""
    said = figray("separate", folder, work / "out.json")
    if said.code:
        yield failed("figures", said)
        return
    with (folder / "right.tsv").open(encoding="utf-8") as lines:
        right = {row["file"]: row["right"] for row in csv.DictReader(lines, delimiter="\t")}
    for row in rows_in(work / "out.json"):
        letters = ", ".join(panel["label"] or "-" for panel in row["subfigures"])
        told = f"{len(row['subfigures'])} panels: {letters}; right: {right.get(row['image'], '?')}"
        yield Row(f"figures/{row['image']}", told, None)


def labels(folder: Path, work: Path) -> Iterator[Row]:
    """Captions whose labels were read wrongly; scored and shown."""
    stated = json.loads((folder / "captions.json").read_text(encoding="utf-8"))
    said = figray("split-captions", folder / "captions.json", work / "out.json")
    if said.code:
        yield failed("captions", said)
        return
    for row, case in zip(rows_in(work / "out.json"), stated, strict=True):
        found = sorted(labels_in(row))
        hit = found == sorted(case["right_labels"])
        told = f"{', '.join(found) or 'whole'}" + (
            "" if hit else f"; right: {', '.join(case['right_labels']) or 'whole'}"
        )
        yield Row(f"captions/{row['id']}", told, None)


def words(folder: Path, work: Path) -> Iterator[Row]:
    """Captions of which words reached no output; scored and shown."""
    stated = {row["id"]: row["caption"] for row in json.loads((folder / "captions.json").read_text(encoding="utf-8"))}
    said = figray("split-captions", folder / "captions.json", work / "out.json")
    if said.code:
        yield failed("words-lost", said)
        return
    for row in rows_in(work / "out.json"):
        texts = " ".join([row["preamble"], row["tail"], *labels_in(row).values(), *labels_in(row)])
        lost = set(re.findall(r"\w+", stated[row["id"]])) - set(re.findall(r"\w+", texts))
        yield Row(f"words-lost/{row['id']}", f"lost: {', '.join(sorted(lost)) or 'nothing'}", None)
