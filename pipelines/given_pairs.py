"""Images that come with their texts, in a table of a user's own: CSV, JSON, Parquet or WebDataset to pairs.

In: a file or folder of one of these kinds, and its columns. Out: a piece of work for each row, and a pair of each work,
or the reason why there is none. Nothing is separated or split: text and image belong together already.
"""

import hashlib
import json
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from core.config import SettingError, UserError
from core.csv_rows import open_csv, plain
from core.file_kinds import READ
from core.images import ImageFacts, encode_jpeg, encode_small, facts_apart, open_image
from core.places import Place
from core.records import Figure, Pair, Split
from core.rejection import RejectionError
from core.runs import digest
from core.split import split_of
from core.tables import of_a_user
from pipelines.captions.modality import modality_of
from pipelines.copies.picture_kind import picture_kind
from pipelines.loose_files import MAX_BYTES, loose_bytes

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
Row = dict[str, Any]


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
    """A table as it was found."""

    root: Path  # of its images
    works: list[GivenPair]
    notes: list[str]


def given(table: Path, columns: Mapping[str, str]) -> Given:
    """The rows of a file or folder; columns: names of its columns by those of NAMES. Raises UserError."""
    unknown = sorted(set(columns) - NAMES.keys())
    if unknown:
        raise SettingError(f"--column {unknown[0]}: there are {', '.join(NAMES)}")
    files = _files(table)
    root = table if table.is_dir() else table.parent
    works = [work for file in files for work in _works(file, root, columns)]
    if not works:
        raise UserError(f"{table} has no row")
    found, twice = set[str](), 0
    for number, work in enumerate(works):
        if work.id in found:
            twice += 1
            works[number] = GivenPair(work.id, work.text, code="twice", message=f"another row has the id {work.id}")
        found.add(work.id)
    notes = [f"{len(works):,} rows of {len(files)} file{'s' if len(files) > 1 else ''}"]
    if not any(work.group for work in works):
        notes.append("no column says which rows belong together; name one by --column group=NAME (article, patient)")
    if twice:
        notes.append(f"left out because another row has the same id: {twice:,}")
    return Given(root, works, notes)


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


def _works(file: Path, root: Path, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    kind = file.suffix.lower()
    if kind == ".parquet":
        yield from _of_parquet(file, columns)
    elif kind == ".tar":
        yield from _of_tar(file)
    elif kind in (".csv", ".tsv", ".txt"):
        yield from _of_csv(file, root, columns)
    elif kind in (".jsonl", ".ndjson", ".json"):
        yield from _of_json(file, root, columns)
    else:
        raise UserError(f"{file}: a table is Parquet, WebDataset (.tar), JSON, JSON lines or CSV")


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
    text = file.read_text(encoding="utf-8-sig")
    try:
        lines = (
            json.loads(text) if text.lstrip().startswith("[") else map(json.loads, filter(str.strip, text.splitlines()))
        )
        for number, row in enumerate(lines, 1):
            if not isinstance(row, dict):
                raise UserError(f"{file}, row {number}: no object")
            found = _found(list(row), columns, file)
            yield _work({what: row[own] for what, own in found.items()}, file, root, number)
    except ValueError as error:
        raise UserError(f"{file}: {error}") from error


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


def _of_parquet(file: Path, columns: Mapping[str, str]) -> Iterator[GivenPair]:
    """Rows whose image is bytes, Hugging Face's {bytes, path}, or a path."""
    table = of_a_user(str(file))
    found = _found(table.schema_arrow.names, columns, file)
    others = [own for what, own in found.items() if what != "image"]
    number = 0
    for group in range(table.num_row_groups):
        for index, row in enumerate(table.read_row_group(group, columns=others).to_pylist()):
            number += 1
            told = {what: _text(row[own]) for what, own in found.items() if what != "image"}
            told["id"] = told.get("id") or f"{file.stem}/{number}"
            yield _checked(
                told, number=number, file=file, container=str(file), at=(group, index), column=found["image"]
            )


def _of_tar(file: Path) -> Iterator[GivenPair]:
    """Samples of a WebDataset: files of one name, an image, a text, and facts as JSON."""
    sample: Row = {}
    try:
        with tarfile.open(file) as tar:
            for member in filter(tarfile.TarInfo.isfile, tar):
                key, _, suffix = member.name.partition(".")
                if sample and sample["key"] != key:
                    yield _sampled(sample, file)
                    sample = {}
                sample |= {"key": key} | _told(tar, member, suffix)
    except tarfile.TarError as error:
        raise UserError(f"{file}: {error}") from error
    if sample:
        yield _sampled(sample, file)


def _told(tar: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> Row:
    """What one file says of its sample: where its image is, or a text; nothing where it is neither."""
    if f".{suffix.lower()}" in READ:
        return {"at": (member.offset_data, member.size)}
    if suffix not in ("txt", "text", "caption", "json") or member.size > MAX_BYTES:
        return {}
    data = tar.extractfile(member)
    assert data is not None
    return {suffix: data.read().decode("utf-8", "replace")}


def _sampled(sample: Row, file: Path) -> GivenPair:
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


def pair_of(work: GivenPair, *, root: Path, seed: int, val: float, test: float, train_side: int | None = None) -> Pair:
    """The pair of a row; raises RejectionError where it has no image that can be read. train_side: see tables."""
    data, _ = _opened(work, root)
    image = open_image(data).image
    group = work.group or work.id
    return Pair(
        pair_id=work.id, figure_id=work.id, article_id=group,
        split=SPLITS.get(work.split) or split_of(digest([group]), seed=seed, val=val, test=test),
        image=encode_jpeg(image), small=encode_small(image, train_side),
        width=image.width, height=image.height, box=(0, 0, image.width, image.height),
        label=None, text=work.text, matched_by="given", score=1.0, reason="given with the image",
        licence=work.licence or "unknown", attribution=work.attribution, media_url=work.image or work.container,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(), kind=picture_kind(image)[0],
        modality=modality_of(work.text, work.text),
    )  # fmt: skip


def figure_of(work: GivenPair, *, root: Path) -> Figure:
    """The row as a figure whose panels and letters are still to be found; raises RejectionError as pair_of()."""
    data, facts = _opened(work, root)
    group = (work.group or work.id).replace(".", "_")  # a dot begins the version of an article
    return Figure(
        figure_id=f"{group}/{work.id}", article_id=group, title="", article_type="", doi=None, year=None,
        licence=work.licence or "unknown", attribution=work.attribution, media_url=work.image or work.container,
        md5=hashlib.md5(data, usedforsecurity=False).hexdigest(), image=data, image_format=facts.format,
        width=facts.width, height=facts.height, n_frames=facts.n_frames, label=None, caption=work.text, emphasis=[],
        mentions=[], notes=facts.notes,
    )  # fmt: skip


def _opened(work: GivenPair, root: Path) -> tuple[bytes, ImageFacts]:
    """The image of a row, as bytes that can be opened, and what is known of it; raises RejectionError."""
    if work.code:
        raise RejectionError(work.code, work.message)
    data = _bytes_of(work, root)
    return data, facts_apart(data)  # in a process of its own: what would end it, ends that


def _bytes_of(work: GivenPair, root: Path) -> bytes:
    if not work.container:
        return loose_bytes(Place.at(root), work.image)
    try:
        if not work.column:
            with Path(work.container).open("rb") as file:
                file.seek(work.at[0])
                return file.read(min(work.at[1], MAX_BYTES))
        value = _group(work.container, work.at[0], work.column)[work.at[1]].as_py()
    except (OSError, ValueError) as error:
        raise RejectionError("unreadable", f"{work.container}: {error}") from error
    found = value.get("bytes") or value.get("path") if isinstance(value, dict) else value
    if isinstance(found, str):
        return loose_bytes(Place.at(root), found)
    if not found:
        raise RejectionError("missing_image", "the row has no image")
    return bytes(found)


@lru_cache(maxsize=2)
def _group(file: str, group: int, column: str) -> Any:
    """The images of one row group."""
    return of_a_user(file).read_row_group(group, columns=[column]).column(column)
