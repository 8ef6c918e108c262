"""Duplicates of a table whose images are known."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.images import encode_jpeg, open_image
from core.places import Place
from core.records import SeparatedFigure, SplitCaption, to_table
from core.runs import Table
from phantom.pictures.contents import draw_content
from pipelines.build import describe
from pipelines.copies.duplicates import as_csv, find_duplicates, kept_duplicates, pair_id


@pytest.fixture
def separated(tmp_path: Path) -> Table:
    """Four articles of one figure: the first one's scan, two others, and the first again, smaller and as JPEG."""
    rng = np.random.default_rng(2)
    scans = [Image.fromarray(draw_content("ct", rng, height=200, width=220)) for _ in range(3)]
    scans.append(open_image(encode_jpeg(scans[0].resize((180, 160)))).image)
    figures = [
        SeparatedFigure(
            figure_id=f"PMC{number}.1/f", article_id=f"PMC{number}.1", title="", article_type="case-report", doi=None,
            year=2016, licence="CC BY", attribution="A", media_url="s3://x", md5=str(number), image=b"",
            image_format="PNG", width=220, height=200, n_frames=1, label=None, caption="CT.", emphasis=[], mentions=[],
            notes=[], subfigures=[], pictures=[describe(-1, scan)],
            split_caption=SplitCaption(preamble="", subcaptions=[], tail="", confidence=1.0, reason=""),
        )
        for number, scan in enumerate(scans)
    ]  # fmt: skip
    table = Table(Place.at(tmp_path) / "separated", SeparatedFigure)
    table.commit(0, tables={"": to_table(figures, SeparatedFigure)}, rejects=[], inputs="", counts={})
    return table


def test_the_figures_and_the_articles_that_share_a_scan_are_groups(separated: Table) -> None:
    found = find_duplicates(separated, min_similarity=0.98)
    assert set(found.articles) == {"PMC0", "PMC3"} and len(set(found.articles.values())) == 1
    assert set(found.images) == {pair_id("PMC0.1/f", -1), pair_id("PMC3.1/f", -1)}
    head, row = as_csv(found).decode().splitlines()
    assert head == '"image","copy","duplicate_group","similarity","reason"'
    assert row.startswith('"PMC0.1/f#whole","PMC3.1/f#whole","PMC0.1/f#whole",')


def test_copies_are_looked_for_once_until_the_table_or_the_measure_changes(separated: Table) -> None:
    first = kept_duplicates(separated, min_similarity=0.98)
    kept = (separated.place / "duplicates.json").read_bytes()
    assert kept_duplicates(separated, min_similarity=0.98) == first and first.copies
    assert (separated.place / "duplicates.json").read_bytes() == kept
    strict = kept_duplicates(separated, min_similarity=1.0)
    assert strict == find_duplicates(separated, min_similarity=1.0) != first
