"""Copies among pairs that came with their texts: groups over the table, each group on one side of the split.

In: the table `pairs/` of `figray dataset pairs`. Out: the same with duplicate_group, what was on two sides moved, and
what is not wanted left out with its reason. Test keeps what it has, then val; train gives it up.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import get_args

import pyarrow as pa

from core.copies.dedupe import Seen, pixels_md5, thumbnail
from core.copies.signatures import Asked, Pictures
from core.images import open_image
from core.records import Pair, Reject, Split, from_table
from core.runs import Part, Table, digest
from core.settings import DedupeSettings
from core.split import by_split, one_side
from core.works import Each, Row, here
from pipelines.copies.duplicates import cut, grouped
from pipelines.unwanted import unwanted_picture

STAGE = "copies"


@dataclass(frozen=True)
class Owners:
    """Of a part those articles, patients or whatever is kept together who share an image with others."""

    part: int
    owners: list[str]


@dataclass(frozen=True)
class Shared:
    """What of a part's images others have too."""

    part: int
    group_of: dict[str, str] = field(default_factory=dict)  # pair id -> the first of its group
    copies: list[str] = field(default_factory=list)  # pair ids whose first is another owner's
    side_of: dict[str, Split] = field(default_factory=dict)  # owner -> the side that its group goes to


def seen_in(table: Table, part: Part) -> list[Seen]:
    """The images of one part, as others are compared with them."""
    found = []
    for row in table.read_of(part, ["pair_id", "article_id", "image"]).to_pylist():
        image = open_image(row["image"]).image
        found.append(Seen(row["pair_id"], row["article_id"], pixels_md5(image), thumbnail(image)))
    return found


def settle(table: Table, asked: Asked, settings: DedupeSettings, each: Each = here) -> list[str]:
    """Find copies of different owners, once for a table as it stands, and write anew what changes; what is said.

    All pairs of an owner have to be in one part.
    """
    file = table.place / "duplicates.json"
    if file.exists() and file.read_json()["inputs"] == _inputs(table, asked, settings):
        return []
    from core.copies.search import find_links  # Ray comes with it

    found = find_links([Pictures(table, seen_in)], asked)
    works = _works(table, found.links, each)
    images, moved, lost = sum(len(work.group_of) for work in works), 0, 0
    for here_moved, here_lost in each(works, partial(settle_part, table=table, settings=settings)):
        moved, lost = moved + here_moved, lost + here_lost
    file.write_json({"inputs": _inputs(table, asked, settings), "uncompared": found.uncompared})
    told = [f"copies: {images:,} images are shown by several groups"] if images else []
    if moved:
        told.append(f"{moved:,} pairs went to the side of the split where a copy of them, or of their group, is")
    if lost:
        told.append(f"{lost:,} pairs are left out by dedupe.keep or dedupe.kinds")
    if found.uncompared:
        told.append(f"{found.uncompared:,} pairs of like images were left uncompared (tables.copies_nearest)")
    return told


def _inputs(table: Table, asked: Asked, settings: DedupeSettings) -> str:
    return digest([str(asked.min_similarity), repr(settings), table.digest])


def _works(table: Table, links: pa.Table, each: Each) -> list[Shared]:
    """A work for each part of a table."""
    parts, (images, owners) = table.parts(), grouped(links)
    group_of = dict(zip(owners["name"].to_pylist(), owners["group"].to_pylist(), strict=True))
    sides: dict[str, set[Split]] = {}
    of_part = {number: rows["name"].to_pylist() for number, rows in cut(owners)}
    asked = [Owners(parts[number].part, names) for number, names in of_part.items()]
    for told in each(asked, partial(sides_in, table=table)):
        for owner, side in told:
            sides.setdefault(group_of[owner], set()).add(side)
    meant = one_side(sides)
    works = [Shared(part.part) for part in parts]
    for number, names in of_part.items():
        works[number].side_of.update({name: meant[group_of[name]] for name in names})
    owner_of = {name: owner for end in ("first", "second") for name, owner in _columns(links, end, f"{end}_owner")}
    for number, rows in cut(images):
        for name, group in _columns(rows, "name", "group"):
            works[number].group_of[name] = group
            if owner_of[group] != owner_of[name]:
                works[number].copies.append(name)
    return works


def _columns(rows: pa.Table, one: str, other: str) -> Iterator[tuple[str, str]]:
    return zip(rows[one].to_pylist(), rows[other].to_pylist(), strict=True)


def sides_in(work: Row, *, table: Table) -> list[tuple[str, Split]]:
    """On which sides of the split owners of a part are."""
    part, wanted = table.part(work["part"]), set(work["owners"])
    rows = table.read_of(part, ["article_id", "split"]).to_pylist() if part else []
    return sorted({(row["article_id"], row["split"]) for row in rows if row["article_id"] in wanted})


def settle_part(work: Row, *, table: Table, settings: DedupeSettings) -> tuple[int, int]:
    """Write a part anew where something of it changes; how many of its pairs moved, and how many are left out."""
    part, shared = table.part(work["part"]), Shared(**work)
    assert part is not None  # it was listed
    pairs, side_of, group_of = from_table(table.read_part(part.part), Pair), shared.side_of, shared.group_of
    placed = [
        replace(pair, split=side_of.get(pair.article_id, pair.split), duplicate_group=group_of.get(pair.pair_id))
        for pair in pairs
    ]
    copies = set(shared.copies)
    lost = [reject for pair in placed if (reject := _reject(pair, settings, is_copy=pair.pair_id in copies))]
    if placed == pairs and not lost:
        return 0, 0
    gone = {reject.item_id for reject in lost}
    kept = [pair for pair in placed if pair.pair_id not in gone]
    rejects = [*from_table(table.rejects_in(part), Reject), *lost]
    table.commit(
        part.part, tables=by_split(kept, Pair), rejects=rejects, inputs=part.inputs, counts=counts_of(kept),
        taken=part.taken, version=part.version + 1,
    )  # fmt: skip
    return sum(before.split != after.split for before, after in zip(pairs, placed, strict=True)), len(lost)


def _reject(pair: Pair, settings: DedupeSettings, *, is_copy: bool) -> Reject | None:
    """Why a pair is not wanted, if it is not; by the settings that collected pairs are left out by."""
    why = unwanted_picture(pair, settings, is_copy=is_copy)
    if why is None:
        return None
    code, message = why
    return Reject(item_id=pair.pair_id, article_id=pair.article_id, stage=STAGE, code=code, message=message)


def counts_of(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many pairs each split has, as a part's manifest says it."""
    return {f"pairs_{split}": sum(pair.split == split for pair in pairs) for split in get_args(Split)}
