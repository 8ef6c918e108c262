"""A run folder in any place: settings claimed once, tables committed part by part.

A table is a folder of parts. A part is a fixed slice of the articles; its files count once its manifest names them, so
a killed job leaves no half part, and a second run does only what is missing.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import BaseModel, ConfigDict, ValidationError

from core.config import UserError
from core.places import Place
from core.records import TABLES, Reject, arrow_schema
from core.suggestions import nearest
from core.tables import parsed, rows_of, written

OF_A_RUN = ("config.yaml", "version.json", *TABLES, "models", "sweeps")
BEGIN = "See that the name is right; `figray collect` begins one"
READERS = 16  # of manifests at once
INDEX, INDEXED = "index", 64  # what manifests say in one file, of tables of so many parts or more
IS_MANIFEST = re.compile(r"part-\d+\.json")
FORMAT = 1  # of tables and runs; a change that an older figray would read wrongly adds one


class RunConflict(UserError):
    """What stands in a run folder was made otherwise than now asked; nothing was changed."""


def claim(
    folder: Place,
    settings: Mapping[str, Any],
    *,
    before: Mapping[str, Any] | None = None,
    no_longer: Collection[str] = (),
) -> None:
    """Say what a folder is made with; raise RunConflict, naming the settings, if it was made otherwise.

    before: what settings stood for before they existed, of folders that are older than they are. no_longer: settings
    that older folders state, and that do not count any more.
    """
    file = folder / "settings.json"
    asked, old = (json.loads(json.dumps(each)) for each in (settings, before or {}))
    if not file.exists():
        file.write_json(asked)
        return
    written = file.read_json()
    stands = {name: old[name] for name in asked.keys() & old.keys()} | written
    stands = {name: value for name, value in stands.items() if name not in no_longer}
    changed = sorted(name for name in asked.keys() | stands.keys() if asked.get(name) != stands.get(name))
    if changed:
        lines = "; ".join(f"{name} was {stands.get(name)!r}, now {asked.get(name)!r}" for name in changed)
        raise RunConflict(f"{folder} was made with other settings: {lines}. Use them again, or another folder.")


def refuse_newer(made: int, where: Place | str) -> None:
    """Raise RunConflict where something was written in a format that this figray does not know yet."""
    if made > FORMAT:
        raise RunConflict(
            f"{where} was written by a newer figray (format {made}; this one, {figray_version()}, reads "
            f"up to {FORMAT}): read it with that version, or make it again in another folder"
        )


def figray_version() -> str:
    """The version that is installed."""
    return version("figray")


def stamp(run: Place) -> None:
    """Say in a new run which figray began it, `version.json`; refuse one that a newer figray began.

    A run without the file is older than the file: its format is 1.
    """
    file = run / "version.json"
    if file.exists():
        refuse_newer(int(file.read_json().get("format", 1)), run)
    elif not (run / "config.yaml").exists():
        file.write_json({"figray": figray_version(), "format": FORMAT})


def refuse_missing(run: Place) -> None:
    """Raise RunConflict where no run is, so that a mistyped name leaves no folder behind; it names the nearest run."""
    if not is_run(run):
        near = nearest(run.name, runs_beside(run))
        rest = f"; did you mean {beside(run, near)}?" if near else f". {BEGIN}"
        raise RunConflict(f"{run} is no run: it has neither settings nor tables{rest}")


def is_run(place: Place) -> bool:
    """Whether a place has anything that only runs have."""
    return any((place / name).exists() for name in OF_A_RUN)


def runs_beside(run: Place) -> list[str]:
    """The names of the runs in the folder in which a run should be."""
    parent = beside(run, "")
    return [name for name in parent.folders() if is_run(parent / name)]


def beside(run: Place, name: str) -> Place:
    """The place of another name in the same folder; of "" the folder itself."""
    folder = run.path.rpartition("/")[0]
    return replace(run, path=f"{folder}/{name}" if name else folder)


class PartFile(BaseModel):
    """One Parquet file of a part."""

    model_config = ConfigDict(frozen=True)
    name: str  # below the table, "split=train/part-00003.parquet"
    rows: int
    bytes: int
    sha256: str


class Part(BaseModel):
    """The manifest of a committed part."""

    model_config = ConfigDict(frozen=True)
    part: int
    inputs: str  # digest of what it was made from
    files: list[PartFile]
    rejects: PartFile
    left_out: dict[str, int]  # reason -> rows
    failed: dict[str, int] = {}  # reason that may pass -> rows
    taken: int | None = None  # rows that came in: those kept, left out and failed; None: of before it was counted
    version: int = 0  # how often the part was made again since it was first committed
    counts: dict[str, int]  # what the station counted, such as pairs by how they were matched
    format: int = 1  # FORMAT when it was written; manifests that are older than the field are of format 1
    figray: str = ""  # the version that wrote it

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    @property
    def digest(self) -> str:
        """Of its rows, by the checksums of its files: what a part that is made from it states as `inputs`."""
        return digest([file.sha256 for file in self.files])


@dataclass(frozen=True)
class Table:
    """A folder of committed parts of one record."""

    place: Place
    record: type

    def part(self, number: int) -> Part | None:
        """The manifest of a part, None if it is not committed."""
        file = self.place / f"part-{number:05d}.json"
        return self._manifest(file.read_bytes()) if file.exists() else None

    def parts(self) -> list[Part]:
        """The committed parts in order.

        Manifests are read once: what they say is kept in one file, INDEX, for as long as each stays as it is.
        """
        stamps = {name: stamp for name, stamp in self.place.stamps().items() if IS_MANIFEST.fullmatch(name)}
        index = self.place / INDEX
        known = _known(index) if len(stamps) >= INDEXED else {}
        new = [name for name, stamp in stamps.items() if known.get(name, ("", ""))[0] != stamp]
        with ThreadPoolExecutor(READERS) as threads:  # elsewhere than on a disk each takes a while to come
            read = dict(zip(new, threads.map(lambda name: (self.place / name).read_bytes().decode(), new), strict=True))
        texts = {name: read[name] if name in read else known[name][1] for name in sorted(stamps)}
        parts = [self._manifest(text) for text in texts.values()]
        if len(read) >= INDEXED:
            with suppress(OSError, UserError):  # where nobody may write, they are read anew
                index.write_json([[name, stamps[name], text] for name, text in texts.items()])
        return parts

    def _manifest(self, text: bytes | str) -> Part:
        try:
            part = Part.model_validate_json(text)
        except ValidationError as error:
            raise RunConflict(
                f"a manifest of {self.place} is damaged; `figray verify` says which, and what to do"
            ) from error
        refuse_newer(part.format, self.place)
        return part

    def commit(
        self,
        number: int,
        *,
        tables: Mapping[str, pa.Table],
        rejects: Sequence[Reject],
        inputs: str,
        counts: Mapping[str, int],
        taken: int | None = None,
        version: int = 0,
    ) -> Part:
        """Write a part's files, then the manifest that makes them count. tables: by subfolder, "" for the table.

        taken: rows that came in; ValueError if they are not those kept, left out and failed. version: see Part.
        """
        kept = sum(table.num_rows for table in tables.values())
        if taken is not None and taken != kept + len(rejects):
            raise ValueError(
                f"part {number} of {self.place}: {taken} in, {kept} kept, {len(rejects)} left out or failed"
            )
        files = [
            _write_parquet(self.place, f"{folder}/part-{number:05d}.parquet".lstrip("/"), table)
            for folder, table in sorted(tables.items())
        ]
        rejected = pa.Table.from_pylist([_as_row(reject) for reject in rejects], schema=arrow_schema(Reject))
        part = Part(
            part=number,
            inputs=inputs,
            files=files,
            rejects=_write_parquet(self.place, f"rejects-{number:05d}.parquet", rejected),
            left_out=_by_code(rejects, "left_out"),
            failed=_by_code(rejects, "failed"),
            taken=taken,
            version=version,
            counts=dict(counts),
            format=FORMAT,
            figray=figray_version(),
        )
        (self.place / f"part-{number:05d}.json").write_bytes(part.model_dump_json(indent=1).encode())
        return part

    @property
    def rows(self) -> int:
        """Committed rows."""
        return sum(part.rows for part in self.parts())

    @property
    def left_out(self) -> dict[str, int]:
        """Rows left out, by reason."""
        return dict(sum((Counter(part.left_out) for part in self.parts()), Counter()))

    @property
    def failed(self) -> dict[str, int]:
        """Rows that failed for a cause that may pass, by reason."""
        return dict(sum((Counter(part.failed) for part in self.parts()), Counter()))

    def select(self, column: str, values: Collection[str]) -> pa.Table:
        """The committed rows, of any subfolder, whose column holds one of the values."""
        files = [(self.place / file.name).uri for part in self.parts() for file in part.files if file.rows]
        where = pc.field(column).isin(sorted(values))
        return rows_of(files, self.record).to_table(filter=where)

    @property
    def digest(self) -> str:
        """Of all rows, by the checksums that the manifests name."""
        return digest([file.sha256 for part in self.parts() for file in part.files])

    def files(self, folder: str = "") -> list[str]:
        """The committed files in one subfolder, each a path or URI; files without a manifest do not count."""
        names = [file.name for part in self.parts() for file in part.files if file.rows]
        return [(self.place / name).uri for name in names if name.rpartition("/")[0] == folder]

    def read(self, folder: str = "", columns: list[str] | None = None) -> pa.Table:
        """All committed rows of one subfolder."""
        return _read(self.files(folder), self.record, columns)

    def read_part(self, number: int) -> pa.Table:
        """The rows of one committed part, checked against its manifest; raises RunConflict if a file was changed."""
        part = self.part(number)
        if part is None:
            raise RunConflict(f"{self.place} has no part {number}; run the station before it first")
        tables = [self._checked(file) for file in part.files]
        return pa.concat_tables(tables) if tables else arrow_schema(self.record).empty_table()

    def read_of(self, part: Part, columns: list[str] | None = None) -> pa.Table:
        """Some columns of one part's rows."""
        return _read([(self.place / file.name).uri for file in part.files if file.rows], self.record, columns)

    def rejects(self) -> pa.Table:
        """All rows left out, with their reasons."""
        return _read([(self.place / part.rejects.name).uri for part in self.parts()], Reject, None)

    def rejects_of(self, number: int) -> pa.Table:
        """What one committed part left out, checked against its manifest as read_part does."""
        part = self.part(number)
        return self.rejects_in(part) if part else arrow_schema(Reject).empty_table()

    def rejects_in(self, part: Part) -> pa.Table:
        """The same of a part whose manifest is at hand."""
        return self._checked(part.rejects, Reject)

    def _checked(self, file: PartFile, record: type | None = None) -> pa.Table:
        data = (self.place / file.name).read_bytes()
        if hashlib.sha256(data).hexdigest() != file.sha256:
            raise RunConflict(f"{self.place / file.name} is not the file its manifest names; remove the part's .json")
        return parsed(data, record or self.record, (self.place / file.name).uri)


def named_by_manifests(files: Sequence[str]) -> list[PartFile | None]:
    """What manifests say of files of tables, each a path or URI; None of a file that no manifest names."""
    known: dict[str, dict[str, PartFile]] = {}
    found = []
    for place in map(Place.at, files):
        folder, _, name = place.path.rpartition("/")
        if "=" in folder.rpartition("/")[2]:  # split=train/part-00003.parquet
            folder, _, split = folder.rpartition("/")
            name = f"{split}/{name}"
        if folder not in known:
            table = Table(replace(place, path=folder), PartFile)
            known[folder] = {file.name: file for part in table.parts() for file in part.files}
        found.append(known[folder].get(name))
    return found


def _known(index: Place) -> dict[str, tuple[str, str]]:
    """Stamp and text of manifests by name, as an index has them; nothing where it is damaged or not there."""
    try:
        return {name: (stamp, text) for name, stamp, text in index.read_json()}
    except (OSError, ValueError, TypeError):
        return {}


def _read(files: list[str], record: type, columns: list[str] | None) -> pa.Table:
    if not files:
        empty = arrow_schema(record).empty_table()
        return empty.select(columns) if columns else empty
    return rows_of(files, record).to_table(columns=columns)


def _as_row(reject: Reject) -> dict[str, Any]:
    return {**asdict(reject), "message": reject.message[:500]}


def _by_code(rejects: Sequence[Reject], kind: str) -> dict[str, int]:
    return dict(sorted(Counter(reject.code for reject in rejects if reject.kind == kind).items()))


def _write_parquet(folder: Place, name: str, table: pa.Table) -> PartFile:
    data = written(table)
    (folder / name).write_bytes(data)
    return PartFile(name=name, rows=table.num_rows, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())


def digest(items: Sequence[str]) -> str:
    """A short digest of a list of texts, in their order."""
    return hashlib.blake2b("\n".join(items).encode(), digest_size=16).hexdigest()
