"""Tables of any size, drawn at random, with which a station's cost is known for more figures than one can draw well."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from PIL import Image
from pyarrow.parquet import write_table

from core.images import encode_png
from core.places import Place
from core.records import Figure, Picture, SeparatedFigure, SplitCaption, to_table
from core.runs import Part, PartFile, Table

SIZE = (
    360,
    480,
)  # of a figure, pixels; half a megabyte of noise as PNG, many times what a drawn scan of the size takes
PICTURES = 3  # of a figure: itself and two panels, as in the embedded corpus (3.4)
# Of a thumbnail, what differs from the others. With this much two different ones in two thousand have hashes so near
# that they are laid on each other, as of 150 drawn slices of CT; of 300 real X-rays it is four.
OWN = 0.505
WORDS = 30  # of a text


def draw_figures(place: Place, figures: int, *, parts: int, seed: int = 0) -> Table:
    """A table `figures/` of noise: each costs much memory and little time. Two panels, parts equally large."""
    table = Table(place / "figures", Figure)
    for part, numbers in enumerate(np.array_split(np.arange(figures), parts)):
        images = [noise_png(seed=seed + number) for number in numbers.tolist()]
        rows = [Figure(**_named(number), **_imaged(image, *SIZE)) for number, image in zip(numbers.tolist(), images)]
        table.commit(part, tables={"": to_table(rows, Figure)}, rejects=[], inputs="", counts={})
    return table


def draw_separated(place: Place, figures: int, *, seed: int = 0) -> Table:
    """A table `separated/` in one part, whose pictures have thumbnails as alike as slices of one organ."""
    rng = np.random.default_rng(seed)
    organ = np.random.default_rng(0).random((8, 8))
    rows = []
    for number in range(figures):
        thumbnails = 255 * ((1 - OWN) * organ + OWN * rng.random((PICTURES, 8, 8)))
        pictures = [
            Picture(
                subfigure=k - 1, kind="picture", kind_score=1.0, pixels_md5=f"{number}/{k}",
                thumbnail=cv2.resize(each.astype(np.uint8), (32, 32), interpolation=cv2.INTER_CUBIC).tobytes(),
            )
            for k, each in enumerate(thumbnails)
        ]  # fmt: skip
        split = SplitCaption(preamble="", subcaptions=[], tail="", confidence=1.0, reason="")
        known = _named(number) | _imaged(b"", 1, 1)
        rows.append(SeparatedFigure(**known, subfigures=[], split_caption=split, pictures=pictures))
    table = Table(place / "separated", SeparatedFigure)
    table.commit(0, tables={"": to_table(rows, SeparatedFigure)}, rejects=[], inputs="", counts={})
    return table


def draw_manifests(place: Place, parts: int) -> Table:
    """The manifests of a table, and nothing that they name."""
    table = Table(place / "figures", Figure)
    folder = Path(table.place.path)
    folder.mkdir(parents=True)
    file = PartFile(name="part.parquet", rows=100, bytes=10_000_000, sha256=64 * "0")
    for part in range(parts):
        manifest = Part(part=part, inputs=32 * "0", files=[file], rejects=file, left_out={"keyword": 9}, counts={})
        (folder / f"part-{part:05d}.json").write_text(manifest.model_dump_json(indent=1))
    return table


def draw_texts(file: Path, pairs: int, *, seed: int = 0) -> str:
    """A file of pairs with texts and no image, four of an article; its path."""
    rng = np.random.default_rng(seed)
    words = np.array([f"w{word}" for word in range(500)])
    columns: dict[str, list[Any]] = {
        "pair_id": [f"PMC{number // 4}.1/f#{number}" for number in range(pairs)],
        "article_id": [f"PMC{number // 4}.1" for number in range(pairs)],
        "text": [" ".join(words[row]) for row in rng.integers(0, len(words), (pairs, WORDS))],
        "md5": [rng.bytes(16).hex() for _ in range(pairs)],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    write_table(pa.table(columns), file)
    return str(file)


def _named(number: int) -> dict[str, Any]:
    """What a figure has beside its image."""
    return {
        "figure_id": f"PMC{number}.1/f", "article_id": f"PMC{number}.1", "title": "", "article_type": "case-report",
        "doi": None, "year": 2020, "licence": "CC BY", "attribution": "A", "media_url": "", "n_frames": 1,
        "label": None, "caption": "(A) Axial view. (B) Coronal view.", "emphasis": [], "mentions": [], "notes": [],
    }  # fmt: skip


def _imaged(image: bytes, height: int, width: int) -> dict[str, Any]:
    return {"image": image, "md5": "", "width": width, "height": height, "image_format": "PNG"}


def noise_png(*, seed: int) -> bytes:
    """Two panels side by side, grey under as much noise as leaves them what they are, as PNG."""
    height, width = SIZE
    rng = np.random.default_rng(seed)
    pixels = rng.integers(64, 128, (height, width, 3), dtype=np.uint8)
    pixels[:, width // 2 - 8 : width // 2 + 8] = 255
    return encode_png(Image.fromarray(pixels))
