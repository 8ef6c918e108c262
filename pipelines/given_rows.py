"""The rows of a user's own table of images and texts: CSV, JSON, Parquet or WebDataset.

In: a file or folder of one of these kinds, and its columns. Out: its pieces, and of each piece its rows, one after the
other: where an image is, and what is said of it. No image is read here.
"""

import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from core.config import SettingError, UserError
from core.csv_rows import open_csv, plain
from core.file_kinds import READ as IMAGES
from core.records import Split
from core.runs import digest
from core.tables import of_a_user
from pipelines.dealing import FEW, Piece, Row, few_of
from pipelines.loose_files import MAX_BYTES

# Names by which columns are found, in this order; PMC-OA, ROCO, MedICaT and Hugging Face's folders use some of them.
NAMES: dict[str, tuple[str, ...]] = {
    "image": ("image", "file_name", "image_path", "filename", "file", "path", "img", "jpg", "png"),
    "text": ("text", "caption", "report", "txt", "subcaption", "sentence"),
    "id": ("pair_id", "id", "image_id", "key", "__key__", "name"),
    "group": ("article_id", "pmcid", "patient_id", "group", "paper_id", "pdf_hash"),
    "split": ("split",),
    "licence": ("licence", "license"),
    "attribution": ("attribution", "credit", "source"),
}
SPLITS: dict[str, Split] = {"train": "train", "training": "train", "val": "val", "validation": "val", "valid": "val",
                            "dev": "val", "test": "test", "testing": "test"}  # fmt: skip
OF_CSV, OF_JSON = (".csv", ".tsv", ".txt"), (".jsonl", ".ndjson", ".json")
READ = 1_000  # rows of Parquet at once


@dataclass(frozen=True)
class GivenPair:
    """A row of a table: where its image is, and what is said of it."""

    id: str
    text: str
    image: str = ""  # a path below the folder of the table
    container: str = ""  # or the tar or Parquet file that holds it
    at: tuple[int, int] = (0, 0)  # of a tar: first byte and how many; of Parquet: row group and row
    column: str = ""  # of Parquet
    group: str = ""  # what one split keeps together; the id where nothing is known
    split: str = ""
    licence: str = ""
    attribution: str = ""
    code: str = ""  # why it cannot be read, where that is known beforehand
    message: str = ""


@dataclass(frozen=True)
class Given:
    """A table as it was found, and how its rows are dealt out to parts (dealing.Source)."""

    root: Path  # of its images
    columns: Mapping[str, str]
    pieces: Sequence[Piece]
    few: Sequence[Row] | None = None
    meet: Literal["id"] = "id"

    def read(self, piece: int) -> Iterator[Row]:
        """The rows of a piece; raises UserError where it is no table, or lacks a column."""
        for number, work in enumerate(_works(self.pieces[piece], self.root, self.columns)):
            yield _row(piece, number, work)

    def again(self, row: Row) -> Row:
        """A row whose id another one has is left out."""
        left_out = GivenPair(row.id, row.value["text"], code="twice", message=f"another row has the id {row.id}")
        return _row(row.piece, row.number, left_out)

    def part_of(self, key: str, parts: int) -> int:
        """By a hash of what belongs together."""
        return int(digest([key]), 16) % parts

    def inputs(self, values: Sequence[Any]) -> str:
        """A digest of some rows."""
        return digest([str([vars(work_of(value)) for value in values])])

    def counts(self, value: Mapping[str, Any]) -> list[str]:
        """Whether a row names its group and its split, and whether it is left out for its id."""
        return [name for name in ("group", "split") if value[name]] + ["twice"] * (value["code"] == "twice")


def given(table: Path, columns: Mapping[str, str], at_most: int = FEW) -> Given:
    """A file or folder as a table; columns: names of its columns by those of NAMES.

    Raises UserError for what the headers or the first rows, `at_most`, show to be wrong.
    """
    unknown = sorted(set(columns) - NAMES.keys())
    if unknown:
        raise SettingError(f"--column {unknown[0]}: there are {', '.join(NAMES)}")
    root = table if table.is_dir() else table.parent
    pieces = [piece for file in _files(table) for piece in _pieces(file, columns)]
    found = Given(root, columns, pieces)
    found = replace(found, few=few_of(found, at_most))
    if found.few is not None and not found.few:
        raise UserError(f"{table} has no row")
    return found


def work_of(value: Mapping[str, Any]) -> GivenPair:
    """A row from the plain values that a part is given as."""
    return GivenPair(**{**value, "at": tuple(value["at"])})


def _row(piece: int, number: int, work: GivenPair) -> Row:
    return Row(piece, number, work.group or work.id, work.id, dict(vars(work)))


def _files(table: Path) -> list[Path]:
    """The files of a table: itself, or those of one kind in a folder."""
    if table.is_file():
        return [table]
    if not table.is_dir():
        raise UserError(f"there is no {table}")
    for kinds in ((".parquet",), (".tar",), (".jsonl", ".ndjson"), (".csv", ".tsv"), (".json",)):
        found = sorted(
            path for path in table.rglob("*") if path.suffix.lower() in kinds and not path.name.startswith(".")
        )
        found = [path for path in found if path.name not in ("ATTRIBUTION.csv", "sizes.jsonl")]
        if found:
            return found
    raise UserError(f"{table} has no Parquet, WebDataset (.tar), JSON or CSV")


def _pieces(file: Path, columns: Mapping[str, str]) -> list[Piece]:
    """A file as one piece, of Parquet each row group; raises UserError where its header shows that it is no table."""
    kind = file.suffix.lower()
    if kind == ".parquet":
        table = of_a_user(str(file))
        _found(table.schema_arrow.names, columns, file)
        sizes = [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
        before = accumulate(sizes, initial=0)
        return [
            Piece(str(file), group, own) for group, (size, own) in enumerate(zip(sizes, before, strict=False)) if size
        ]
    if kind in OF_CSV:
        _found(open_csv(file, ()).names, columns, file)
    elif kind not in (".tar", *OF_JSON):
        raise UserError(f"{file}: a table is Parquet, WebDataset (.tar), JSON, JSON lines or CSV")
    return [Piece(str(file))]


def _works(piece: Piece, root: Path, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    file = Path(piece.file)
    kind = file.suffix.lower()
    if kind == ".parquet":
        yield from _of_parquet(piece, columns)
    elif kind == ".tar":
        yield from _of_tar(file)
    elif kind in OF_CSV:
        yield from _of_csv(file, root, columns)
    else:
        yield from _of_json(file, root, columns)


def _found(names: Sequence[str], columns: Mapping[str, str], file: Path) -> dict[str, str]:
    """The columns of a table by what they are; raises UserError where image or text is not found."""
    by_plain = {plain(name): name for name in names}
    found = {}
    for what, guesses in NAMES.items():
        asked = columns.get(what)
        if asked is not None and asked not in names:
            raise UserError(f"{file} has no column {asked}; there are {', '.join(names)}")
        own = asked or next((by_plain[plain(guess)] for guess in guesses if plain(guess) in by_plain), None)
        if own is not None:
            found[what] = own
    missing = [what for what in ("image", "text") if what not in found]
    if missing:
        raise UserError(f"{file} has no column of the {missing[0]}: name it by --column {missing[0]}=NAME; there are "
                        f"{', '.join(names)}")  # fmt: skip
    return found


def _of_csv(file: Path, root: Path, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    table = open_csv(file, ())
    found = _found(table.names, columns, file)
    for number, row in enumerate(table.rows(), 1):
        yield _work({what: row.get(own, "") for what, own in found.items()}, file, root, number)


def _of_json(file: Path, root: Path, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    """JSON lines, or one list of objects; each object may have columns of its own."""
    names, found = list[str](), dict[str, str]()
    for number, row in enumerate(_objects(file), 1):
        if not isinstance(row, dict):
            raise UserError(f"{file}, row {number}: no object")
        if number == 1 or list(row) != names:  # most often those of the row before
            names = list(row)
            found = _found(names, columns, file)
        yield _work({what: row[own] for what, own in found.items()}, file, root, number)


def _objects(file: Path) -> Iterator[Any]:
    """The values of a file, line by line; of one list, which is read whole, its own."""
    line, begun = 0, False
    try:
        with file.open(encoding="utf-8-sig") as text:
            for line, own in enumerate(text, 1):
                if not begun and own.lstrip().startswith("["):
                    whole, line = "\n" * (line - 1) + own + text.read(), 1
                    yield from json.loads(whole)
                    return
                if own.strip():
                    begun = True
                    yield json.loads(own)
    except json.JSONDecodeError as error:
        where = f"line {line + error.lineno - 1}, character {error.colno}"
        raise UserError(f"{file}, {where}: {error.msg}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"{file}, after line {line}: {error}") from error


def _work(row: Mapping[str, Any], file: Path, root: Path, number: int) -> GivenPair:
    """A row whose image is a path, beside its table or below its folder."""
    told = {what: _text(value) for what, value in row.items()}
    image = told["image"]
    beside = file.parent.relative_to(root) if file.parent != root and file.is_relative_to(root) else Path()
    name = str(PurePosixPath(beside.as_posix()) / image) if image else ""
    return _checked(told, image=name.removeprefix("./"), number=number, file=file)


def _checked(told: Mapping[str, str], *, number: int, file: Path, **where: Any) -> GivenPair:
    text = " ".join(told.get("text", "").split())
    code, message = ("", "") if text else ("no_text", "the row has no text")
    if not where.get("image") and not where.get("container"):
        code, message = "missing_image", "the row names no image"
    return GivenPair(
        id=told.get("id") or where.get("image") or f"{file.stem}/{number}", text=text, group=told.get("group", ""),
        split=SPLITS.get(told.get("split", "").lower(), ""), licence=told.get("licence", ""),
        attribution=told.get("attribution", ""), code=code, message=message, **where,
    )  # fmt: skip


def _of_parquet(piece: Piece, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    """Rows whose image is bytes, Hugging Face's {bytes, path}, or a path."""
    file = Path(piece.file)
    table = of_a_user(piece.file)
    found = _found(table.schema_arrow.names, columns, file)
    others = {what: own for what, own in found.items() if what != "image"}
    batches = table.iter_batches(READ, row_groups=[piece.group], columns=list(others.values()))
    for index, row in enumerate(row for batch in batches for row in batch.to_pylist()):
        told = {what: _text(row[own]) for what, own in others.items()}
        number = piece.before + index + 1
        told["id"] = told.get("id") or f"{file.stem}/{number}"
        yield _checked(
            told, number=number, file=file, container=piece.file, at=(piece.group, index), column=found["image"]
        )


def _of_tar(file: Path) -> Iterator[GivenPair]:
    """Samples of a WebDataset: files of one name, an image, a text, and facts as JSON."""
    sample: dict[str, Any] = {}
    try:
        with tarfile.open(file) as tar:
            for member in filter(tarfile.TarInfo.isfile, _members(tar)):
                key, _, suffix = member.name.partition(".")
                if sample and sample["key"] != key:
                    yield _sampled(sample, file)
                    sample = {}
                sample |= {"key": key} | _told(tar, member, suffix)
    except tarfile.TarError as error:
        raise UserError(f"{file}: {error}") from error
    if sample:
        yield _sampled(sample, file)


def _members(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members of an archive, none of which it keeps."""
    while (member := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # as a stream of any length needs it
        yield member


def _told(tar: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> dict[str, Any]:
    """What one file says of its sample: where its image is, or a text; nothing where it is neither."""
    if f".{suffix.lower()}" in IMAGES:
        return {"at": (member.offset_data, member.size)}
    if suffix not in ("txt", "text", "caption", "json") or member.size > MAX_BYTES:
        return {}
    data = tar.extractfile(member)
    assert data is not None
    return {suffix: data.read().decode("utf-8", "replace")}


def _sampled(sample: Mapping[str, Any], file: Path) -> GivenPair:
    try:
        facts = json.loads(sample.get("json", "{}"))
    except ValueError:
        facts = {}
    facts = facts if isinstance(facts, dict) else {}
    told = {what: _text(next((facts[name] for name in names if facts.get(name)), "")) for what, names in NAMES.items()}
    told["text"] = sample.get("txt") or sample.get("text") or sample.get("caption") or told["text"]
    told["id"] = told["id"] or sample["key"]
    where = {"container": str(file), "at": sample["at"]} if "at" in sample else {}
    told["split"] = told["split"] or file.name.partition("-")[0]
    return _checked(told, number=0, file=file, **where)


def _text(value: Any) -> str:
    """A cell as text; of several captions the first."""
    if isinstance(value, list):
        value = value[0] if value else ""
    return "" if value is None else str(value).strip()
