"""Copies by shuffles are those of comparing all with all."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.copies.dedupe import Seen, pixels_md5, thumbnail
from core.copies.search import Found, find_links
from core.copies.signatures import Asked, Pictures, keep
from core.images import encode_jpeg, open_image
from core.places import Place
from core.records import Reject
from core.runs import Part, Table
from phantom.pictures.contents import draw_content

PARTS = 3


def unread(table: Table, part: Part) -> list[Seen]:
    raise AssertionError("its signatures are there")


def table_of(place: Place, seen: list[Seen]) -> Pictures:
    table = Table(place, Reject)
    for number in (*range(PARTS), PARTS + 5):
        rejects = [Reject(item_id=str(number), article_id="", stage="", code="", message="")]
        keep(
            table,
            table.commit(number, tables={}, rejects=rejects, inputs="", counts={}),
            seen[number::PARTS] if number < PARTS else [],
        )
    return Pictures(table, unread)


@pytest.fixture
def pictures(tmp_path: Path) -> list[Pictures]:
    """Two tables: scans, copies of them by other owners as JPEG and as they are, and one logo of twelve owners."""
    rng = np.random.default_rng(4)
    scans = [Image.fromarray(draw_content("ct", rng, height=200, width=180)) for _ in range(12)]
    logo = Image.fromarray(draw_content("histology", rng, height=90, width=90))

    def seen(image: Image.Image, name: str) -> Seen:
        return Seen(name, name, pixels_md5(image), thumbnail(image))

    jpegs = [open_image(encode_jpeg(scan.resize((150, 160)))).image for scan in scans[:6]]
    # Parts without a picture, and with one that is nobody's copy, come in both.
    first = [seen(scan, f"s{n:02}") for n, scan in enumerate(scans)] + [seen(logo, f"l{n:02}") for n in range(12)]
    second = [seen(jpeg, f"j{n:02}") for n, jpeg in enumerate(jpegs)] + [seen(scans[8], "again"), seen(jpegs[1], "jj")]
    second.append(seen(open_image(encode_jpeg(logo)).image, "logo as JPEG"))
    return [table_of(Place.at(tmp_path) / "one", first), table_of(Place.at(tmp_path) / "two", second)]


def ends(found: Found) -> set[tuple[str, str]]:
    rows = found.links.to_pylist()
    assert all(row["first"] < row["second"] for row in rows)
    return {(row["first"], row["second"]) for row in rows if not row["first"].startswith("l")}


@pytest.mark.ray
def test_shuffles_find_the_copies_of_the_exact_search_across_tables(
    pictures: list[Pictures], local_ray: None, group_names: Callable[[Found], set[frozenset[str]]]
) -> None:
    exact = find_links(pictures, Asked(0.98))
    found = find_links(pictures, Asked(0.98, exact_below=0))
    assert found.pictures == exact.pictures == 33 and found.uncompared == 0
    assert ends(found) == ends(exact) and len(ends(exact)) == 6 + 1 + 2
    assert group_names(found) == group_names(exact)
    assert found.links.num_rows < 40 < 12 * 11 / 2 <= exact.links.num_rows  # of the logo a star, not all pairs
    named = {row["first"]: row for row in found.links.to_pylist()}
    assert named["again"]["reason"] == "the same pixels" and named["again"]["second_part"] == 8 % PARTS


@pytest.fixture
def group_names() -> Callable[[Found], set[frozenset[str]]]:
    from core.copies.dedupe import groups

    def named(found: Found) -> set[frozenset[str]]:
        of: dict[str, set[str]] = {}
        rows = found.links.to_pylist()
        for name, group in groups([(row["first"], row["second"]) for row in rows]).items():
            of.setdefault(group, set()).add(name)
        return set(map(frozenset, of.values()))

    return named


@pytest.mark.ray
def test_where_nothing_is_like_anything_there_are_no_links(tmp_path: Path, local_ray: None) -> None:
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (32, 32), dtype=np.uint8).tobytes() for _ in range(3)]
    alone = table_of(Place.at(tmp_path), [Seen(str(n), str(n), f"{n:032x}", each) for n, each in enumerate(noise)])
    found = find_links([alone], Asked(0.98, exact_below=0))
    assert (found.links.num_rows, found.pictures, found.uncompared) == (0, 3, 0)
    assert find_links([], Asked(0.98, exact_below=0)).pictures == 0
