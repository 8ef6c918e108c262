"""The list holds the doubtful pairs first, small pictures, and links to real articles alone."""

import base64
import io
from pathlib import Path

import pytest
from PIL import Image

from app.report.pair_list import chosen_of, links_of, read_pair_list, thumbnail
from core.images import encode_png
from core.places import Place
from core.records import Pair, to_table
from core.runs import Table
from pipelines.reviews import mark_of


def a_pair(number: int, score: float) -> Pair:
    return Pair(
        pair_id=f"PMC1.1/f#{number}", figure_id="PMC1.1/f", article_id="PMC1.1", split="train",
        image=encode_png(Image.new("RGB", (400, 200), "white")), width=400, height=200, box=(0, 0, 400, 200),
        label=None, text=f"text {number}", matched_by="letter", score=score, reason="letter A", licence="CC BY",
        attribution="", media_url="s3://pmc-oa-opendata/PMC1.1/f 1.jpg", md5="",
    )  # fmt: skip


def test_the_doubtful_come_first_with_what_a_verdict_is_of(tmp_path: Path) -> None:
    run, pairs = Place.at(tmp_path / "run"), [a_pair(0, 0.9), a_pair(1, 0.2)]
    assert read_pair_list(run) is None
    Table(run / "pairs", Pair).commit(
        0, tables={"split=train": to_table(pairs, Pair)}, rejects=[], inputs="", counts={}
    )
    found = read_pair_list(run)
    assert found is not None
    assert [row["id"] for row in found.rows] == ["PMC1.1/f#1", "PMC1.1/f#0"]
    assert found.rows[0]["mark"] == mark_of(pairs[1])
    assert found.facets["way"] == {"letter": 2}
    assert found.figures["PMC1.1/f"]["file"] == "https://pmc-oa-opendata.s3.amazonaws.com/PMC1.1/f%201.jpg"
    fewer = read_pair_list(run, most=1)
    assert fewer is not None and (len(fewer.rows), fewer.totals.pairs) == (1, 2)


def test_of_many_half_are_doubtful_and_half_from_all_others() -> None:
    rows = [{"pair_id": f"{number:03}", "score": number / 100} for number in range(100)]
    found = [round(100 * row["score"]) for row in chosen_of(rows[::-1], 10)]
    assert found == [0, 1, 2, 3, 4, 5, 24, 43, 62, 81]


def test_a_picture_is_at_most_160_pixels_and_a_damaged_one_is_none() -> None:
    uri, width, height = thumbnail(a_pair(0, 1).image)
    assert (width, height) == (160, 80)
    image = Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))
    assert (image.format, image.size) == ("WEBP", (160, 80))
    assert thumbnail(b"no image") == ("", 0, 0)


@pytest.mark.parametrize(
    ("article", "doi", "media", "names"),
    [
        ("PMC12.3", "10.1000/a b", "s3://pmc-oa-opendata/x.jpg", ["PMC", "file"]),
        ("PMC12.3", "10.1000/<a>", "", ["PMC", "DOI"]),
        ("PMC12.3", "javascript:alert(1)", "https://example.org/x.jpg", ["PMC"]),
        ("mine", None, "/home/me/x.jpg", []),
        ("PMC9000002.1", "10.99999/phantom.9000002", "s3://pmc-oa-opendata/x.jpg", []),
    ],
)
def test_links_are_made_of_ids_that_are_ids(article: str, doi: str | None, media: str, names: list[str]) -> None:
    found = links_of(article, doi, media)
    assert list(found) == names
    assert all(link.startswith("https://") and not set(link) & set("<>\" '") for link in found.values())
