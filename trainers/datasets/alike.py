"""Radiographs that show what others show, of other patients or in other sets: their patients on one side of the split.

The copies are those that core/copies finds, as of figures. Test keeps all that it has, then val; train gives it up.
What is moved is written anew from the table: no image is read twice.
"""

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.csv
from PIL import Image

from core.copies.dedupe import Seen, groups_of, pixels_md5, thumbnail
from core.copies.signatures import Asked, Pictures
from core.places import Place
from core.records import Pair, Radiograph, Reject, Split, from_row, from_table
from core.runs import Part, Table, digest
from core.split import HELD_OUT, by_split, one_side
from core.works import Each, Row, here
from trainers.datasets.tables import counts, pair_table, radiograph_table

OF_AN_IMAGE = ["image_id", "dataset", "patient_id", "image"]
SHOWN = {"first": "image", "second": "copy", "first_owner": "patient", "second_owner": "copy_patient"}


@dataclass(frozen=True)
class Portion:
    """A part of one of the tables."""

    table: int
    part: int


def seen_of(radiographs: Iterable[Mapping[str, Any]]) -> list[Seen]:
    """Rows of radiographs, as others are compared with them; patients of two sets are two."""
    found = []
    for each in radiographs:
        with Image.open(io.BytesIO(each["image"])) as file:
            image = file.convert("RGB")
        owner = owner_of(each["dataset"], each["patient_id"])
        found.append(Seen(f"{each['dataset']}/{each['image_id']}", owner, pixels_md5(image), thumbnail(image)))
    return found


def owner_of(dataset: str, patient_id: str) -> str:
    """A patient of a set."""
    return f"{dataset}/{patient_id}"


def pictures_of(table: Table) -> Pictures:
    """The images of a table of radiographs."""
    return Pictures(table, seen_in)


def seen_in(table: Table, part: Part) -> list[Seen]:
    """The images of one part."""
    return seen_of(table.read_of(part, OF_AN_IMAGE).to_pylist())


def on_one_side_by_pixels(run: Place, beside: Sequence[Place], asked: Asked, each: Each = here) -> list[str]:
    """Put patients of a run who share a picture, here or with a run beside, on one side; what is said of it.

    All copies are told in `radiographs/duplicates.csv`. Runs beside stay as they are.
    """
    table = radiograph_table(run)
    tables = [table, *map(radiograph_table, beside)]
    file = table.place / "duplicates.json"
    if file.exists() and file.read_json()["inputs"] == _inputs(tables, asked):
        return []
    from core.copies.search import find_links  # Ray comes with it

    found = find_links([pictures_of(each) for each in tables], asked)
    (table.place / "duplicates.csv").write_bytes(_as_csv(found.links))
    moves = _moves(tables, found.links, each)
    works = [Portion(0, part.part) for part in table.parts()] if moves else []
    moved = sum(each(works, partial(move_part, run=run, moves=moves)))
    file.write_json({"inputs": _inputs(tables, asked), "uncompared": found.uncompared, "images": len(found.links)})
    told = [f"{found.links.num_rows:,} times two patients share a picture: {table.place / 'duplicates.csv'}"]
    if moves:
        where = " and ".join(side for side in HELD_OUT if side in moves.values())
        told.append(f"{len(moves):,} patients share one with another split: their {moved:,} images went to {where}")
    if found.uncompared:
        told.append(f"{found.uncompared:,} pairs of like pictures were left uncompared (tables.copies_nearest)")
    return told if found.links.num_rows or found.uncompared else []


def _inputs(tables: Sequence[Table], asked: Asked) -> str:
    shas = [file.sha256 for table in tables for part in table.parts() for file in part.files]
    return digest([str(asked.min_similarity), *shas])


def _moves(tables: Sequence[Table], links: pa.Table, each: Each) -> dict[str, Split]:
    """The side that patients of the first table have to go to, those who are on another."""
    names, firsts = groups_of(links["first_owner"], links["second_owner"])
    group = dict(zip(names.to_pylist(), firsts.to_pylist(), strict=True))
    works = [Portion(number, part.part) for number, table in enumerate(tables) for part in table.parts() if group]
    sides: dict[str, set[Split]] = {}
    own: dict[str, set[Split]] = {}
    told = each(works, partial(sides_in, tables=tables, wanted=frozenset(group)))
    for work, found in zip(works, told, strict=True):
        for owner, side in found:
            sides.setdefault(group[owner], set()).add(side)
            own.setdefault(owner, set()).update([side] if not work.table else [])
    meant = one_side(sides)
    return {owner: meant[group[owner]] for owner, at in own.items() if at - {meant[group[owner]]}}


def sides_in(work: Row, *, tables: Sequence[Table], wanted: frozenset[str]) -> list[tuple[str, Split]]:
    """On which sides of the split some patients are in a part."""
    table = tables[work["table"]]
    part = table.part(work["part"])
    rows = table.read_of(part, ["dataset", "patient_id", "split"]).to_pylist() if part else []
    found = {(owner_of(row["dataset"], row["patient_id"]), row["split"]) for row in rows}
    return sorted((owner, side) for owner, side in found if owner in wanted)


def move_part(work: Row, *, run: Place, moves: Mapping[str, Split]) -> int:
    """Write a part anew where patients of it move; how many radiographs did."""
    table, pairs = radiograph_table(run), pair_table(run)
    part = table.part(work["part"])
    assert part is not None  # it was listed
    rows = table.read_part(part.part).to_pylist()
    side = {
        row["image_id"]: moves[owner_of(row["dataset"], row["patient_id"])]
        for row in rows
        if moves.get(owner_of(row["dataset"], row["patient_id"]), row["split"]) != row["split"]
    }
    if not side:
        return 0
    told = pairs.part(part.part)
    if told:
        made = pairs.read_part(part.part).to_pylist()
        files = by_split([_placed(row, side, row["pair_id"], Pair) for row in made], Pair)
        pairs.commit(
            part.part, tables=files, rejects=[], inputs=told.inputs, counts=told.counts, version=told.version + 1
        )
    films = [_placed(row, side, row["image_id"], Radiograph) for row in rows]
    rejects = from_table(table.rejects_in(part), Reject)
    table.commit(
        part.part, tables=by_split(films, Radiograph), rejects=rejects, inputs=part.inputs, counts=counts(films),
        taken=part.taken, version=part.version + 1,
    )  # fmt: skip
    return len(side)


def _placed(row: dict[str, Any], side: Mapping[str, Split], name: str, record: type) -> Any:
    return from_row({**row, "split": side.get(name, row["split"])}, record)


def _as_csv(links: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    shown = links.select([*SHOWN, "similarity", "reason"])
    pyarrow.csv.write_csv(shown.rename_columns([SHOWN.get(name, name) for name in shown.column_names]), sink)
    return bytes(sink.getvalue())
