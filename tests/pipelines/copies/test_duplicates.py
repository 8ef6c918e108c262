"""Duplicates of a table whose images are known."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.copies.signatures import Asked
from core.images import encode_jpeg, open_image
from core.places import Place
from core.records import SeparatedFigure, SplitCaption, to_table
from core.runs import RunConflict, Table, digest
from phantom.pictures.contents import draw_content
from pipelines.build import describe
from pipelines.copies.duplicates import csv_of, duplicates_of, kept_duplicates, pair_id


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
    kept = kept_duplicates(separated, asked=Asked(0.98))
    assert (kept.images, kept.uncompared) == (2, 0)
    found = duplicates_of(separated, 0)
    assert found.articles == {"PMC0": "PMC0", "PMC3": "PMC0"}
    assert set(found.images) == {pair_id("PMC0.1/f", -1), pair_id("PMC3.1/f", -1)}
    head, row = b"".join(csv_of(separated)).decode().splitlines()
    assert head == '"image","copy","duplicate_group","similarity","reason"'
    assert row.startswith('"PMC0.1/f#whole","PMC3.1/f#whole","PMC0.1/f#whole",')


def test_each_part_has_its_own_images_and_articles_alone(separated: Table) -> None:
    rows = separated.read()
    for number, figure in enumerate(range(4)):
        separated.commit(number, tables={"": rows.slice(figure, 1)}, rejects=[], inputs="", counts={})
    kept = kept_duplicates(separated, asked=Asked(0.98))
    assert [len(duplicates_of(separated, number).images) for number in range(4)] == [1, 0, 0, 1]
    assert duplicates_of(separated, 3).articles == {"PMC3": "PMC0"}
    assert kept.digest == digest(["PMC0.1/f#whole PMC0.1/f#whole", "PMC3.1/f#whole PMC0.1/f#whole"])


def test_copies_are_looked_for_once_until_the_table_or_the_measure_changes(separated: Table) -> None:
    first = kept_duplicates(separated, asked=Asked(0.98))
    file = separated.place / "duplicates.json"
    kept = file.read_bytes()
    (separated.place / "duplicates" / "links.parquet").delete_file()
    assert kept_duplicates(separated, asked=Asked(0.98)) == first and file.read_bytes() == kept
    strict = kept_duplicates(separated, asked=Asked(1.0))
    assert strict.images == 0 and strict.digest != first.digest
    assert b"".join(csv_of(separated)).count(b"\n") == 1


def test_what_an_older_figray_kept_is_sought_anew(separated: Table) -> None:
    first = kept_duplicates(separated, asked=Asked(0.98))
    file = separated.place / "duplicates.json"
    file.write_json({"inputs": file.read_json()["inputs"], "images": {}, "articles": {}, "copies": []})
    assert kept_duplicates(separated, asked=Asked(0.98)) == first


def test_pairs_are_not_made_without_knowing_what_several_articles_show(separated: Table) -> None:
    with pytest.raises(RunConflict, match=r"part-00000.parquet is missing; delete .*duplicates.json"):
        duplicates_of(separated, 0)
