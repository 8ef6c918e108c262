"""The files that the guides work on: drawn figures with captions, and a table of images and notes. All are synthetic.

    python examples/sample_files.py FOLDER

In FOLDER: figures/, captions.json (image name: caption), captions.csv (id, caption), truth.json (what is drawn on each
figure), scans/ and table.csv (image, note, subject). The same files come each time.
"""

import csv
import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from phantom.pmc.corpus import draw_article
from pipelines.scoring.truth import FigureTruth

FIGURES, ARTICLES, SEED = 2, 12, 0


def drawn(articles: int) -> Iterator[tuple[int, FigureTruth, bytes]]:
    """Each figure that case reports show, with its article's number and its image file."""
    for number in range(articles):
        article = draw_article(SEED, number)
        for truth in article.truths:
            files = [each for key, each in article.files.items() if key.startswith(f"{truth.figure_id}.")]
            if truth.kept and truth.panels and files:
                yield number, truth, files[0]


def write_samples(folder: Path) -> None:
    """Write all files below a folder."""
    (folder / "figures").mkdir(parents=True, exist_ok=True)
    (folder / "scans").mkdir(exist_ok=True)
    truths: list[tuple[str, FigureTruth]] = []
    rows: list[dict[str, str]] = []
    for number, truth, image in drawn(ARTICLES):
        if len(truths) < FIGURES and all(panel.label for panel in truth.panels) and len(truth.panels) > 1:
            name = f"figure-{len(truths) + 1}.{_ending(image)}"
            (folder / "figures" / name).write_bytes(image)
            truths.append((name, truth))
        for panel in truth.panels:
            name = f"scans/{len(rows) + 1:03}.png"
            Image.open(io.BytesIO(image)).convert("L").crop(panel.box).save(folder / name)
            rows.append({"image": name, "note": panel.text, "subject": f"P{number:02}"})
    captions = {name: truth.caption for name, truth in truths}
    _json(folder / "captions.json", captions)
    _json(folder / "truth.json", [_marked(name, truth) for name, truth in truths])
    _csv(folder / "captions.csv", [{"id": name, "caption": caption} for name, caption in captions.items()])
    _csv(folder / "table.csv", rows)


def _marked(name: str, truth: FigureTruth) -> dict[str, object]:
    """A figure as `figray evaluate pairs --truth` reads it."""
    panels = [{"box": panel.box, "label": panel.label, "subcaption": panel.text} for panel in truth.panels]
    return {"image": name, "caption": truth.caption, "subfigures": panels}


def _ending(image: bytes) -> str:
    return "png" if image.startswith(b"\x89PNG") else "jpg"


def _json(file: Path, value: object) -> None:
    file.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _csv(file: Path, rows: list[dict[str, str]]) -> None:
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    write_samples(Path(sys.argv[1]))
