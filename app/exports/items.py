"""A row of a table as what leaves: a key that is a file's name, an image, a text, and what else is known of it."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.places import Place
from core.runs import Table

PLAIN = re.compile(r"[^A-Za-z0-9_-]+")
LONGEST = 80  # characters of an id that a key keeps
HELD_APART = ("image", "small", "text", "sentences", "regions")  # columns that are no facts of one word


@dataclass(frozen=True)
class Item:
    """An image with its text."""

    key: str  # letters, digits, _ and -: no dot, at which WebDataset begins the extension
    image: bytes
    text: str
    split: str
    facts: dict[str, Any]  # JSON values

    @property
    def suffix(self) -> str:
        """png or jpg, by the image's first bytes."""
        return "png" if self.image.startswith(b"\x89PNG") else "jpg"

    @property
    def file(self) -> str:
        """The name of the image's file."""
        return f"{self.key}.{self.suffix}"


def key_of(name: str) -> str:
    """An id as a file's name; two ids never have one key."""
    mark = hashlib.blake2b(name.encode(), digest_size=4).hexdigest()
    return f"{PLAIN.sub('_', name)[:LONGEST].strip('_')}-{mark}"


def item(row: Mapping[str, Any]) -> Item:
    """A row of pairs or of radiographs; targets and regions become lists of plain values."""
    facts = {name: value for name, value in row.items() if name not in HELD_APART}
    if "targets" in row:
        facts["targets"] = {target["name"]: target["present"] for target in row["targets"]}
        facts["regions"] = [{"target": each["target"], "box": list(each["box"])} for each in row["regions"]]
    if "sentences" in row:
        facts["sentences"] = [[each["start"], each["end"]] for each in row["sentences"]]
    name = str(row.get("pair_id") or row["image_id"])
    return Item(key_of(name), row["image"], row["text"], row["split"], facts)


def part_of(file: str) -> int:
    """The number of the part that a file of a table is of: ".../part-00003.parquet"."""
    return int(Place.at(file).name.removeprefix("part-").removesuffix(".parquet"))


def whole_items(table: Table, files: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> list[Item]:
    """Rows of some files of a table, each as it is."""
    return [item(row) for row in rows]
