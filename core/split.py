"""Articles into train, val and test by a hash of their id: no article, and no two that share an image, on two sides."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Any, get_args

import pyarrow as pa

from core.records import Split, to_table

HASHES = 2**64
HELD_OUT: tuple[Split, ...] = ("test", "val", "train")  # the side that a group goes to: the first that it is on


def split_of(
    article_id: str, *, seed: int, val: float, test: float, together: Mapping[str, str] | None = None
) -> Split:
    """The side of an article, the same for every version of it ("PMC4735894.1", "PMC4735894.2").

    `val` and `test` are the shares of articles, 0 to 1, that go there; what is left is for training. together: the PMC
    id whose side an article takes, for those that share an image with another (`dedupe.groups`).
    """
    pmcid = pmcid_of(article_id)
    pmcid = (together or {}).get(pmcid, pmcid)
    digest = hashlib.blake2b(f"{seed}:{pmcid}".encode(), digest_size=8).digest()
    drawn = int.from_bytes(digest, "big") / HASHES
    if drawn < test:
        return "test"
    return "val" if drawn < test + val else "train"


def one_side(sides: Mapping[str, Collection[Split]]) -> dict[str, Split]:
    """The one side that each group goes to, of those that it is on: test keeps what it has, then val."""
    return {group: next(side for side in HELD_OUT if side in on) for group, on in sides.items()}


def by_split(rows: Sequence[Any], record: type) -> dict[str, pa.Table]:
    """Rows as a table for each split, by the name of its folder."""
    return {
        f"split={split}": to_table([row for row in rows if row.split == split], record) for split in get_args(Split)
    }


def pmcid_of(article_id: str) -> str:
    """The id without its version."""
    return article_id.partition(".")[0]


def part_of(article_id: str, parts: int) -> int:
    """The part that an article belongs to, the same on every machine and for every version of it."""
    return int.from_bytes(hashlib.blake2b(pmcid_of(article_id).encode(), digest_size=8).digest()) % parts
