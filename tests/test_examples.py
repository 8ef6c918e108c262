"""The scripts of examples/ do what they say."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image, ImageDraw, ImageFont

from core.config import override
from core.records import Figure, Reject
from core.settings import Config, ModelSettings, SelectSettings
from phantom.pmc.corpus import write_corpus
from pipelines.sources.folder import FolderBucket
from pipelines.sources.pmc import fetch, listed

ROOT = Path(__file__).resolve().parent.parent
CAPTION = "A man of 50 years. (A) Axial CT shows a mass in the left lobe. (B) Sagittal MRI shows oedema around it."


@pytest.fixture(autouse=True)
def beside_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "examples"))


@pytest.fixture
def figure(tmp_path: Path) -> Path:
    """Two dark panels with noise in them, side by side, with white letters."""
    rng = np.random.default_rng(0)
    page = Image.new("RGB", (900, 450), "white")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(40)
    for left, letter in ((10, "A"), (460, "B")):
        noise = rng.integers(20, 90, (430, 430), dtype=np.uint8)
        page.paste(Image.fromarray(noise).convert("RGB"), (left, 10))
        draw.rectangle((left, 10, left + 60, 70), fill="black")
        draw.text((left + 14, 14), letter, font=font, fill="white")
    file = tmp_path / "figure.png"
    page.save(file)
    return file


def test_a_figure_is_separated_and_shown_with_its_texts(figure: Path) -> None:
    from separate_figure import panels_of
    from show_figure import drawn, pairs_of

    assert [panel.label for panel in panels_of(figure)] == ["A", "B"]
    image, panels, matches = pairs_of(figure, CAPTION)
    assert ["Axial CT" in found.text for found in matches] == [True, False]
    assert drawn(image, panels, matches).width > image.width


def test_a_table_becomes_pairs_and_what_has_no_image_keeps_a_row(figure: Path) -> None:
    from pairs_from_table import pairs_of

    table = figure.parent / "table.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("image", "caption"), (figure.name, CAPTION), ("gone.png", "A scan.")])
    rows = list(pairs_of(table))
    assert [row.get("label") for row in rows] == ["A", "B", None] and "gone.png" in rows[2]["error"]


def test_a_model_is_trained_by_code(tmp_path: Path) -> None:
    from train_by_code import train

    rng = np.random.default_rng(0)
    shade = [int(value) for value in rng.integers(0, 255, 16)]
    rows = [
        {"pair_id": f"A{at}.1/f#0", "figure_id": f"A{at}.1/f", "article_id": f"A{at}.1", "image": png(value),
         "text": f"A scan as grey as {value}."}
        for at, value in enumerate(shade)
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pairs.parquet")
    model = ModelSettings(
        image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2,
        text_width=32, text_depth=1, text_heads=2, max_tokens=16, embedding=16, vocabulary=100, pool="mean",
    )  # fmt: skip
    config = override(Config(model=model), {"optim.steps": 3, "train.batch_size": 4, "objective.queue": 4})
    records = train(config, [str(tmp_path / "pairs.parquet")], tmp_path / "model")
    assert records and (tmp_path / "model" / "config.json").exists()


def test_a_source_of_ones_own_gives_what_the_folder_gives(tmp_path: Path) -> None:
    from custom_source import figures_of

    write_corpus(tmp_path / "bucket", articles=3, seed=1, processes=1)
    root = next(
        folder for folder in (tmp_path / "bucket", tmp_path / "bucket" / "bucket") if (folder / "metadata").is_dir()
    )
    with ZipFile(tmp_path / "bucket.zip", "w") as packed:
        for file in sorted(path for path in root.rglob("*") if path.is_file()):
            packed.write(file, file.relative_to(root))
    select = SelectSettings(keyword="")
    assert list(figures_of(tmp_path / "bucket.zip", select)) == list(of_folder(root, select))


def of_folder(root: Path, select: SelectSettings) -> Iterator[Figure | Reject]:
    bucket = FolderBucket(root)
    for article in listed(bucket):
        figures, rejects = fetch(bucket, article, select=select)
        yield from figures
        yield from rejects


def png(shade: int) -> bytes:
    import io

    data = io.BytesIO()
    Image.new("RGB", (32, 32), (shade, shade, shade)).save(data, "PNG")
    return data.getvalue()


def test_the_sample_files_fit_each_other(tmp_path: Path) -> None:
    from sample_files import write_samples

    write_samples(tmp_path)
    captions = json.loads((tmp_path / "captions.json").read_text(encoding="utf-8"))
    assert set(captions) == {file.name for file in (tmp_path / "figures").iterdir()}
    assert {row["image"] for row in json.loads((tmp_path / "truth.json").read_text(encoding="utf-8"))} == set(captions)
    with (tmp_path / "table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) > 50 and all((tmp_path / row["image"]).is_file() and row["note"] for row in rows)


def test_every_example_is_tested_here() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert set(re.findall(r"from (\w+) import", here)) >= {file.stem for file in (ROOT / "examples").glob("*.py")}


def test_the_first_page_is_short_and_its_pictures_are_there() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(page.splitlines()) <= 150 and max(map(len, page.splitlines())) <= 120
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", page)
    assert linked and all((ROOT / link).exists() for link in linked)
