"""Which images of a table several articles show, found once and kept beside the table, by part.

`duplicates.json` says what was found and of which table. `duplicates/` has the links, and for each part the groups that
its images and articles are of: who makes a part's pairs reads those alone.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from core.copies import dedupe
from core.copies.signatures import Asked, Pictures
from core.places import Place
from core.records import Picture, arrow_schema
from core.runs import Part, RunConflict, Table, digest
from core.split import pmcid_of
from core.tables import parsed, written
from pipelines.matching.match import WHOLE

KEPT = 2  # of what is kept; 1 had all in one JSON
WRITERS = 16  # of files at once
AT_ONCE = 10_000  # rows of CSV


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """Two images of different articles that are one, one row of `duplicates.csv`."""

    image: str  # pair ids, in their order
    copy: str
    duplicate_group: str  # the first pair id of all that are linked
    similarity: float
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """The group that an image, or an article, of one part is of."""

    kind: Literal["image", "article"]
    name: str  # a pair id, or a PMC id
    group: str  # the first of its group


@dataclass(frozen=True)
class Duplicates:
    """Images of some articles that several articles show."""

    images: dict[str, str]  # pair_id -> the first pair_id of its group
    articles: dict[str, str]  # PMC id -> the first PMC id of those that share images


@dataclass(frozen=True)
class Kept:
    """The copies of a table, as they are kept beside it."""

    digest: str  # of which image is of which group
    images: int  # that several articles show
    uncompared: int  # pairs of like images that nobody compared: more than a limit has, see core/copies/buckets.py


def kept_duplicates(separated: Table, *, asked: Asked) -> Kept:
    """Find the images, whole figures and panels, that different articles share; once for a table as it stands."""
    file = separated.place / "duplicates.json"
    parts = separated.parts()
    inputs = digest([str(asked.min_similarity), *(each.sha256 for part in parts for each in part.files)])
    kept = file.read_json() if file.exists() else {}
    if kept.get("inputs") != inputs or kept.get("format") != KEPT:
        file.delete_file()
        kept = {"inputs": inputs, "format": KEPT, **_find(separated, parts, asked)}
        file.write_json(kept)
    return Kept(kept["digest"], kept["images"], kept["uncompared"])


def uncompared(separated: Place) -> str:
    """In words how many pairs of like images were not compared; "" where all were, or copies were not sought yet."""
    file = separated / "duplicates.json"
    left = file.read_json().get("uncompared", 0) if file.exists() else 0
    if not left:
        return ""
    return f"copies: {left:,} pairs of like images were left uncompared; tables.copies_nearest is how many each meets"


def _find(separated: Table, parts: Sequence[Part], asked: Asked) -> dict[str, Any]:
    from core.copies.search import find_links  # Ray comes with it, which those who read groups do without

    found = find_links([pictures_of(separated)], asked)
    images, articles = grouped(found.links)
    folder = separated.place / "duplicates"
    (folder / "links.parquet").write_bytes(written(_links(found.links, images)))
    by_part = {part.part: [arrow_schema(Member).empty_table()] for part in parts}
    for kind, members in (("image", images), ("article", articles)):
        for number, rows in cut(members):
            kinds = pa.array([kind] * len(rows))
            rows = pa.table([kinds, rows["name"], rows["group"]], schema=arrow_schema(Member))
            by_part[parts[number].part].append(rows)
    with ThreadPoolExecutor(WRITERS) as threads:
        list(threads.map(partial(_write_groups, folder), by_part.items()))
    told = digest([f"{name} {group}" for name, group in _in_order(images)])
    return {"digest": told, "images": images.num_rows, "pictures": found.pictures, "uncompared": found.uncompared}


def pictures_of(separated: Table) -> Pictures:
    """The images of a table `separated/`."""
    return Pictures(separated, seen_in)


def seen_in(separated: Table, part: Part) -> list[dedupe.Seen]:
    """The images of one part, from its rows."""
    rows = separated.read_of(part, ["figure_id", "article_id", "pictures"]).to_pylist()
    return [seen for row in rows for seen in _seen(row["figure_id"], row["article_id"], row["pictures"])]


def seen_of(figure_id: str, article_id: str, pictures: Sequence[Picture]) -> list[dedupe.Seen]:
    """The images of one figure."""
    return [
        dedupe.Seen(pair_id(figure_id, each.subfigure), pmcid_of(article_id), each.pixels_md5, each.thumbnail)
        for each in pictures
    ]


def _seen(figure_id: str, article_id: str, pictures: Sequence[dict[str, Any]]) -> list[dedupe.Seen]:
    return seen_of(figure_id, article_id, [Picture(**each) for each in pictures])


def duplicates_of(separated: Table, number: int) -> Duplicates:
    """What of one part several articles show; RunConflict where copies were not sought yet."""
    file = _groups(separated.place / "duplicates", number)
    if not file.exists():
        raise RunConflict(f"{file} is missing; delete {separated.place / 'duplicates.json'}, and pair again")
    members = parsed(file.read_bytes(), Member, file.uri).to_pylist()
    of = {kind: {row["name"]: row["group"] for row in members if row["kind"] == kind} for kind in ("image", "article")}
    return Duplicates(images=of["image"], articles=of["article"])


def grouped(links: pa.Table) -> tuple[pa.Table, pa.Table]:
    """The images and the articles that links (core.copies.search.LINK) join: name, group (its first name), part."""
    return _members(links, "first", "second"), _members(links, "first_owner", "second_owner")


def csv_of(separated: Table) -> Iterator[bytes]:
    """The copies as CSV, some at a time: a row for each, and how they were seen."""
    file = separated.place / "duplicates" / "links.parquet"
    links = parsed(file.read_bytes(), Link, file.uri)
    for start in range(0, max(1, len(links)), AT_ONCE):
        sink = pa.BufferOutputStream()
        options = pyarrow.csv.WriteOptions(include_header=start == 0)
        pyarrow.csv.write_csv(links.slice(start, AT_ONCE), sink, options)
        yield bytes(sink.getvalue())


def pair_id(figure_id: str, subfigure: int) -> str:
    """The id of the pair that a panel, or with -1 the whole figure, may become."""
    return f"{figure_id}#{'whole' if subfigure == WHOLE else subfigure}"


def _members(links: pa.Table, first: str, second: str) -> pa.Table:
    names, groups = dedupe.groups_of(links[first], links[second])
    ends = pa.concat_arrays([each.combine_chunks() for each in (links[first], links[second])])
    parts = pa.concat_arrays([links[f"{end}_part"].combine_chunks() for end in ("first", "second")])
    of = np.zeros(len(names), np.int64)
    of[pc.index_in(ends, names).to_numpy(zero_copy_only=False)] = parts.to_numpy(zero_copy_only=False)
    return pa.table({"name": names, "group": groups, "part": of})


def cut(members: pa.Table) -> Iterator[tuple[int, pa.Table]]:
    """The members of each part, by its number."""
    members = members.sort_by([("part", "ascending"), ("name", "ascending")])
    numbers = members["part"].to_numpy()
    found, starts = np.unique(numbers, return_index=True)
    for number, start, end in zip(found.tolist(), starts, [*starts, len(numbers)][1:], strict=True):
        yield number, members.slice(start, end - start)


def _links(links: pa.Table, images: pa.Table) -> pa.Table:
    """Links as they are kept and shown."""
    group = images["group"].take(pc.index_in(links["first"], images["name"].combine_chunks()))
    columns = [links["first"], links["second"], group, links["similarity"], links["reason"]]
    return pa.table(columns, schema=arrow_schema(Link))


def _in_order(images: pa.Table) -> Iterator[tuple[str, str]]:
    ordered = images.sort_by("name")
    return zip(ordered["name"].to_pylist(), ordered["group"].to_pylist(), strict=True)


def _groups(folder: Place, number: int) -> Place:
    return folder / f"part-{number:05d}.parquet"


def _write_groups(folder: Place, part: tuple[int, list[pa.Table]]) -> None:
    _groups(folder, part[0]).write_bytes(written(pa.concat_tables(part[1])))
