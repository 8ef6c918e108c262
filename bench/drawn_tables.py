"""Tables of any size, drawn at random, with which a station's cost is known for more figures than one can draw well."""

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow.parquet import write_table

from core.copies.dedupe import Seen
from core.copies.signatures import keep
from core.images import encode_png
from core.places import Place
from core.records import Figure, Pair, Picture, SeparatedFigure, SplitCaption, arrow_schema, to_table
from core.runs import Part, PartFile, Table

SIZE = (
    360,
    480,
)  # of a figure, pixels; half a megabyte of noise as PNG, many times what a drawn scan of the size takes
PICTURES = 3  # of a figure: itself and two panels, as in the embedded corpus (3.4)
# Of a thumbnail, what differs from the others. With this much two different ones in two thousand have hashes so near
# that they are laid on each other, as of 150 drawn slices of CT; of 300 real X-rays it is four.
OWN = 0.505
# The same of pictures of many organs: two in ten thousand have coarse hashes so near, and of those a tenth finer ones
# too; of 284 figures and panels of ../shared/compound_figures one in ten thousand has.
OTHER = 0.53
COPIED, LOGOS = 0.02, 0.0005  # of pictures
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


def draw_pictures(place: Place, figures: int, *, each: int, seed: int = 0) -> Table:
    """A table `separated/` of which there are the manifests, `each` figures a part, and the signatures of its pictures.

    As many have near hashes as of the panels of real compound figures; COPIED are copies of one before, half of them
    the same pixels, and LOGOS show one logo.
    """
    table = Table(place / "separated", SeparatedFigure)
    organ = np.random.default_rng(0).random((8, 8))
    before = _thumbnails(np.random.default_rng(seed), organ, each * PICTURES)
    logo = before[0].tobytes()
    for part, start in enumerate(range(0, figures, each)):
        rng = np.random.default_rng([seed, part])
        count = min(each, figures - start) * PICTURES
        drawn = _thumbnails(rng, organ, count)
        kind = rng.random(count)
        copied = np.flatnonzero(kind < COPIED)
        noise = rng.integers(-3, 4, (len(copied), 32, 32)) * (kind[copied] < COPIED / 2)[:, None, None]
        drawn[copied] = (before[rng.integers(0, len(before), len(copied))].astype(int) + noise).clip(0, 255)
        thumbnails = [logo if kind[n] > 1 - LOGOS else drawn[n].tobytes() for n in range(count)]
        seen = [
            Seen(f"PMC{start + n // PICTURES}.1/f#{n % PICTURES}", f"PMC{start + n // PICTURES}", _md5(pixels), pixels)
            for n, pixels in enumerate(thumbnails)
        ]
        file = PartFile(name=f"part-{part:05d}.parquet", rows=count // PICTURES, bytes=0, sha256=f"{part:064x}")
        none = file.model_copy(update={"rows": 0})
        manifest = Part(part=part, inputs="", files=[file], rejects=none, left_out={}, counts={})
        (table.place / f"part-{part:05d}.json").write_bytes(manifest.model_dump_json(indent=1).encode())
        keep(table, manifest, seen)
        before = drawn
    return table


def draw_pairs(place: Place, figures: int, *, each: int, seed: int = 0) -> Table:
    """A table of pairs, three of a figure, all of them to train on, `each` figures a part; images of a few pixels."""
    table, image = Table(place / "pairs", Pair), encode_png(Image.new("RGB", (16, 16), "grey"))
    words = np.array([f"w{word}" for word in range(500)])
    for part, start in enumerate(range(0, figures, each)):
        rng, count = np.random.default_rng([seed, part]), min(each, figures - start) * PICTURES
        texts = [" ".join(row) for row in words[rng.integers(0, len(words), (count, WORDS))]]
        articles = [f"PMC{start + n // PICTURES}.1" for n in range(count)]
        columns: dict[str, list[Any]] = {field.name: [None] * count for field in arrow_schema(Pair)}
        columns |= {
            "pair_id": [f"{article}/f#{n % PICTURES}" for n, article in enumerate(articles)],
            "figure_id": [f"{article}/f" for article in articles], "article_id": articles, "text": texts,
            "md5": [rng.bytes(16).hex() for _ in range(count)], "image": [image] * count,
            "matched_by": ["whole"] * count, "kind": ["picture"] * count, "modality": ["other"] * count,
            "split": ["train"] * count, "box": [(0, 0, 16, 16)] * count, "sentences": [[]] * count,
        }  # fmt: skip
        columns |= {name: [0] * count for name in ("width", "height", "score")}
        rest = [name for name, values in columns.items() if values[:1] == [None]]
        columns |= {name: [""] * count for name in rest if not arrow_schema(Pair).field(name).nullable}
        rows = pa.table(columns, schema=arrow_schema(Pair))
        table.commit(part, tables={"split=train": rows}, rejects=[], inputs="", counts={})
    return table


def _thumbnails(rng: np.random.Generator, organ: NDArray[np.float64], count: int) -> NDArray[np.uint8]:
    """Different pictures (count, 32, 32), no two as alike as films of one organ are."""
    drawn = (255 * ((1 - OTHER) * organ + OTHER * rng.random((count, 8, 8)))).astype(np.uint8)
    return np.stack([cv2.resize(each, (32, 32), interpolation=cv2.INTER_CUBIC) for each in drawn])


def _md5(pixels: bytes) -> str:
    return hashlib.md5(pixels, usedforsecurity=False).hexdigest()


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
