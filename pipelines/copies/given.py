"""Copies among pairs that came with their texts: groups over the table, each group on one side of the split.

In: the table `pairs/` of `figray dataset pairs`. Out: the same with duplicate_group, what was on two sides moved, and
what is not wanted left out with its reason. Test keeps what it has, then val; train gives it up.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from core.copies.dedupe import Seen, pixels_md5, thumbnail
from core.copies.signatures import Asked, Pictures
from core.images import open_image
from core.records import Pair, Reject, Split, from_table
from core.runs import Part, Table, digest
from core.settings import DedupeSettings
from core.split import by_split
from pipelines.copies.duplicates import grouped
from pipelines.unwanted import unwanted_picture

FIRST: tuple[Split, ...] = ("test", "val", "train")  # the side that a group goes to: the first that it is on
STAGE = "copies"


@dataclass(frozen=True)
class Groups:
    """The copies of a table of pairs."""

    of_image: Mapping[str, str]  # pair id -> the first of its group
    owner_of: Mapping[str, str]  # pair id -> its article, patient or whatever is kept together
    side_of: Mapping[str, Split]  # owner -> the side that its group goes to


def seen_in(table: Table, part: Part) -> list[Seen]:
    """The images of one part, as others are compared with them."""
    found = []
    for row in table.read_of(part, ["pair_id", "article_id", "image"]).to_pylist():
        image = open_image(row["image"]).image
        found.append(Seen(row["pair_id"], row["article_id"], pixels_md5(image), thumbnail(image)))
    return found


def settle(table: Table, asked: Asked, settings: DedupeSettings) -> list[str]:
    """Find copies of different owners, once for a table as it stands, and write anew what changes; what is said."""
    file = table.place / "duplicates.json"
    if file.exists() and file.read_json()["inputs"] == _inputs(table, asked, settings):
        return []
    from core.copies.search import find_links  # Ray comes with it

    found = find_links([Pictures(table, seen_in)], asked)
    groups = _groups(table, *(dict(zip(each["name"].to_pylist(), each["group"].to_pylist(), strict=True)) for each in
                              grouped(found.links)))  # fmt: skip
    moved, lost = 0, 0
    for part in table.parts():
        here, there = _settle(table, part, groups, settings)
        moved, lost = moved + here, lost + there
    file.write_json({"inputs": _inputs(table, asked, settings), "uncompared": found.uncompared})
    told = [f"copies: {len(groups.of_image):,} images are shown by several groups"] if groups.of_image else []
    if moved:
        told.append(f"{moved:,} pairs went to the side of the split where a copy of them, or of their group, is")
    if lost:
        told.append(f"{lost:,} pairs are left out by dedupe.keep or dedupe.kinds")
    if found.uncompared:
        told.append(f"{found.uncompared:,} pairs of like images were left uncompared (tables.copies_nearest)")
    return told


def _inputs(table: Table, asked: Asked, settings: DedupeSettings) -> str:
    return digest([str(asked.min_similarity), repr(settings), table.digest])


def _groups(table: Table, images: Mapping[str, str], owners: Mapping[str, str]) -> Groups:
    sides: dict[str, set[Split]] = {}
    owner_of: dict[str, str] = {}
    for part in table.parts() if images else []:
        for row in table.read_of(part, ["pair_id", "article_id", "split"]).to_pylist():
            if row["article_id"] in owners:
                sides.setdefault(owners[row["article_id"]], set()).add(row["split"])
                owner_of[row["pair_id"]] = row["article_id"]
    meant = {group: next(side for side in FIRST if side in found) for group, found in sides.items()}
    return Groups(images, owner_of, {owner: meant[group] for owner, group in owners.items()})


def _settle(table: Table, part: Part, groups: Groups, settings: DedupeSettings) -> tuple[int, int]:
    """Write a part anew where something of it changes; how many of its pairs moved, and how many are left out."""
    pairs = from_table(table.read_part(part.part), Pair)
    side_of, of_image = groups.side_of, groups.of_image
    placed = [
        replace(pair, split=side_of.get(pair.article_id, pair.split), duplicate_group=of_image.get(pair.pair_id))
        for pair in pairs
    ]
    lost = [reject for pair in placed if (reject := _reject(pair, groups, settings))]
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


def _reject(pair: Pair, groups: Groups, settings: DedupeSettings) -> Reject | None:
    """Why a pair is not wanted, if it is not; by the settings that collected pairs are left out by."""
    why = unwanted_picture(pair, settings, is_copy=_is_copy(pair, groups))
    if why is None:
        return None
    code, message = why
    return Reject(item_id=pair.pair_id, article_id=pair.article_id, stage=STAGE, code=code, message=message)


def _is_copy(pair: Pair, groups: Groups) -> bool:
    """Whether a pair's image is another owner's too, who comes first."""
    first = pair.duplicate_group
    return first is not None and groups.owner_of[first] != pair.article_id


def counts_of(pairs: Sequence[Pair]) -> dict[str, int]:
    """How many pairs each split has, as a part's manifest says it."""
    return {f"pairs_{split}": sum(pair.split == split for pair in pairs) for split in get_args(Split)}
