"""Whether a run folder is whole: manifests, checksums, rows, holes; what is damaged, and what makes it good again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.checksums import SEALED, damage
from core.places import Place, StorageError
from core.records import Reject
from core.runs import Part, PartFile, RunConflict, Table
from core.tables import TableError, parsed

JSON_FILES = ("settings.json", "articles.json", "found.json", "duplicates.json", "refreshed.json")
REMADE = {"articles.json": "asks for the articles again", "settings.json": "says again what the table is made with"}


ON_THE_WAY = ("progress.pt",)  # of a checkpoint that training went on from, and not of the model


@dataclass(frozen=True)
class Damage:
    """One thing that is not as it should be."""

    file: str
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.file}: {self.what}; {self.cure}"


def verify(run: Place, records: Mapping[str, tuple[type, str]]) -> Iterator[Damage]:
    """Everything that is wrong with a run. records: table -> its record, and the command that makes it."""
    for name in ("version.json", "seconds.json", "made.json"):
        yield from _of_json(run / name, "delete it; it is only told, not needed")
    for name, (record, command) in records.items():
        if (run / name).exists():
            yield from _of_table(Table(run / name, record), command)
    for model in (run / "models").folders():
        folder = run / "models" / model / "checkpoint"
        if (folder / SEALED).exists():
            reason = damage(folder, extra=ON_THE_WAY)
            if reason:
                yield Damage(folder.uri, reason, f"delete {(run / 'models' / model).uri}, and train it again")


def _of_table(table: Table, command: str) -> Iterator[Damage]:
    for name in JSON_FILES:
        cure = f"delete it; `{command}` {REMADE.get(name, 'makes it again')}"
        yield from _of_json(table.place / name, cure)
    names = set(table.place.files())
    manifests = sorted(name for name in names if name.startswith("part-") and name.endswith(".json"))
    told = {name for manifest in manifests for name in _names(table, manifest)}
    for manifest in manifests:
        yield from _of_part(table, manifest, command)
    for name in sorted(names):
        if name.endswith(".parquet") and name not in told:
            yield Damage((table.place / name).uri, "no manifest names it", "delete it; it counts for nothing")
    yield from _holes(table, manifests, command)


def _names(table: Table, manifest: str) -> list[str]:
    try:
        part = Part.model_validate_json((table.place / manifest).read_bytes())
    except (ValueError, OSError):
        return []
    return [file.name for file in (*part.files, part.rejects)]


def _of_part(table: Table, manifest: str, command: str) -> Iterator[Damage]:
    """A part's manifest, its files by checksum and rows, and that all that came in is told of."""
    where = (table.place / manifest).uri
    cure = f"delete {where}, and `{command}` makes the part again"
    try:
        part = Part.model_validate_json((table.place / manifest).read_bytes())
    except (ValueError, OSError) as error:
        yield Damage(where, f"no manifest: {_line(error)}", cure)
        return
    if f"part-{part.part:05d}.json" != manifest:
        yield Damage(where, f"it is the manifest of part {part.part}", cure)
    for file, record in [*((each, table.record) for each in part.files), (part.rejects, Reject)]:
        reason = _of_file(table.place, file, record)
        if reason:
            yield Damage((table.place / file.name).uri, reason, cure)
    missing = sum(part.left_out.values()) + sum(part.failed.values())
    if part.rejects.rows != missing:
        yield Damage(where, f"{part.rejects.rows} rows left out or failed, and {missing} counted", cure)
    if part.taken is not None and part.taken != part.rows + missing:
        yield Damage(where, f"{part.taken} in, {part.rows} kept, {missing} left out or failed", cure)


def _of_file(place: Place, file: PartFile, record: type) -> str:
    """What is wrong with a file that a manifest names, "" where nothing is."""
    try:
        data = (place / file.name).read_bytes()
        if len(data) != file.bytes:
            return f"{len(data)} bytes, and its manifest says {file.bytes}"
        if hashlib.sha256(data).hexdigest() != file.sha256:
            return "other bytes than its manifest says"
        rows = parsed(data, record, file.name).num_rows
    except FileNotFoundError:
        return "missing"
    except (OSError, StorageError, TableError, RunConflict) as error:
        return _line(error)
    return "" if rows == file.rows else f"{rows} rows, and its manifest says {file.rows}"


def _holes(table: Table, manifests: list[str], command: str) -> Iterator[Damage]:
    """Parts that are not there though later ones are."""
    numbers = {int(name[5:10]) for name in manifests if name[5:10].isdigit()}
    for number in sorted(set(range(max(numbers, default=-1) + 1)) - numbers):
        where = (table.place / f"part-{number:05d}.json").uri
        yield Damage(where, "the part is missing", f"`{command}` makes it")


def _of_json(file: Place, cure: str) -> Iterator[Damage]:
    if file.exists():
        try:
            json.loads(file.read_bytes())
        except (ValueError, OSError) as error:
            yield Damage(file.uri, f"no JSON: {_line(error)}", cure)


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
