"""Captions in files as people have them: JSON, a JSON object a line, or CSV; what is wrong with a row costs it alone.

JSON: a list of {"id": ..., "caption": ..., "emphasis": [...]}, or an object {name: caption}. CSV: columns id and
caption. For id also image, file, file_name, filename, figure or name; for caption also text; whatever their case.
"""

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from core.config import UserError
from core.csv_rows import MARKS, NOT_CSV, CsvError, as_id, is_empty, open_csv, plain
from core.records import Span
from pipelines.loose_files import NO_NAME, CaptionWork

IDS = ("id", "image", "file", "file_name", "figure", "name")  # in the order of preference; and as plain() has them
CAPTIONS = ("caption", "text")
LINES = (".jsonl", ".ndjson")
TABLES = (".csv", ".tsv", ".tab", ".gz")
SHAPE = '[{"id": "...", "caption": "..."}, ...] or {"name": "caption", ...} was expected'
_SPANS = TypeAdapter(list[Span])

Named = tuple[Any, Any, Any]  # id, caption, emphasis as stated


class FileError(UserError):
    """A file or folder that was named cannot be used; the message says which and why."""


def captions_in(file: Path) -> list[CaptionWork]:
    """The captions of a file, in order, bad rows with the reason; FileError or CsvError where it is no such file."""
    if not file.is_file():
        raise FileError(f"{file} is a folder" if file.is_dir() else f"{file}: No such file")
    if file.suffix.lower() in TABLES:
        return _checked(_of_csv(file))
    text = text_of(file)
    if text.lstrip()[:1] not in ("[", "{") and file.suffix.lower() != ".json" and file.suffix.lower() not in LINES:
        return _checked(_of_csv(file))
    return _checked(_of_lines(text) if file.suffix.lower() in LINES else _of_json(file, text))


def text_of(file: Path) -> str:
    """A file of text in UTF-8, or in the encoding that its first bytes state; FileError where it is none."""
    try:
        data = file.read_bytes()
        kind = next((name for mark, name in NOT_CSV if data.startswith(mark)), "")
        if kind:
            raise FileError(f"{file} is {kind}; JSON, JSON lines or CSV was expected")
        return data.decode(next((name for mark, name in MARKS if data.startswith(mark)), "utf-8"))
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FileError(f"{file}, line {line}: byte {data[error.start]:#x} is no UTF-8; save it in UTF-8") from error


def _checked(rows: Iterator[CaptionWork]) -> list[CaptionWork]:
    """The rows; of several with one id the first counts, and the others say so."""
    listed: list[CaptionWork] = []
    seen: dict[str, int] = {}
    for number, row in enumerate(rows, 1):
        before = seen.setdefault(row.id, number) if row.id != NO_NAME and not row.code else number
        listed.append(
            row if before == number else _bad(row.id, "duplicate_id", f"row {before} has the id {row.id} too")
        )
    return listed


def _of_csv(file: Path) -> Iterator[CaptionWork]:
    table = open_csv(file, (), (*IDS, *CAPTIONS))
    name = next((each for each in IDS if each in table.found), None)
    caption = next((each for each in CAPTIONS if each in table.found), None)
    if name is None or caption is None:
        wanted = f"{', '.join(IDS)} for the name" if name is None else f"{' or '.join(CAPTIONS)} for the caption"
        raise CsvError(f"{file} has no column {wanted}; it has {', '.join(table.names)}")
    for number, row in enumerate(table.rows(), 1):
        yield _work(number, (row[name], row[caption], None))


def _of_lines(text: str) -> Iterator[CaptionWork]:
    """A JSON value a line; a line that is none is a bad row."""
    number = 0
    for line in text.split("\n"):
        if line.strip():
            number += 1
            try:
                yield _work(number, _stated(json.loads(line)))
            except (ValueError, RecursionError) as error:
                yield _bad(NO_NAME, "bad_row", f"row {number} is no JSON: {error}")


def _of_json(file: Path, text: str) -> Iterator[CaptionWork]:
    """A list, an object of names, or several objects after each other: JSON lines by another name."""
    try:
        value = json.loads(text, object_pairs_hook=_Object)
    except (ValueError, RecursionError) as error:
        lines = [line for line in text.split("\n") if line.strip()]
        if len(lines) > 1 and _is_object(lines[0]):
            yield from _of_lines(text)
            return
        raise FileError(f"{file}: Invalid JSON: {error}") from error
    if isinstance(value, _Object) and _key(value, IDS) and _key(value, CAPTIONS):
        value = [value]  # one row
    if isinstance(value, _Object):
        for number, (name, caption) in enumerate(value.pairs, 1):
            inner = _key(caption, CAPTIONS) if isinstance(caption, _Object) else ""
            emphasis = caption.get("emphasis") if inner else None
            yield _work(number, (name, caption[inner] if inner else caption, emphasis))
    elif isinstance(value, list):
        for number, row in enumerate(value, 1):
            yield _work(number, _stated(row))
    else:
        raise FileError(f"{file} holds {_kind(value)}; {SHAPE}")


class _Object(dict[str, Any]):
    """A JSON object that keeps what stands twice in it."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.pairs = list(pairs)


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (ValueError, RecursionError):
        return False


def _key(row: dict[str, Any], names: Sequence[str]) -> str:
    """The row's own word for one of the names, in the order of the names; "" where it has none."""
    spelt = {plain(own): own for own in reversed(list(row))}
    return next((spelt[plain(name)] for name in names if plain(name) in spelt), "")


def _stated(row: Any) -> Named | str:
    """What a row of a list states, or why it is none."""
    if not isinstance(row, dict):
        return f"is {_kind(row)}; an object with id and caption was expected"
    name, caption = _key(row, IDS), _key(row, CAPTIONS)
    if not name:
        return f"has no {', '.join(IDS[:-1])} or {IDS[-1]}"
    return row[name], row[caption] if caption else None, row.get("emphasis")


def _work(number: int, stated: Named | str) -> CaptionWork:
    """A row as work, or as work that says why it cannot be done."""
    if isinstance(stated, str):
        return _bad(NO_NAME, "bad_row", f"row {number} {stated}")
    name, caption, emphasis = stated
    named = _name(name)
    if named is None:
        kind = "empty" if isinstance(name, str) else _kind(name)
        return _bad(NO_NAME, "bad_row", f"row {number}: its id is {kind}; a text or a number was expected")
    if caption is None or caption != caption or (isinstance(caption, str) and is_empty(caption)):
        return _bad(named, "no_caption", f"row {number} has no caption")
    if not isinstance(caption, str):
        return _bad(named, "bad_row", f"row {number}: its caption is {_kind(caption)}; a text was expected")
    try:
        spans = _SPANS.validate_python(emphasis or [])
    except ValidationError as error:
        where = ", ".join(str(part) for part in error.errors()[0]["loc"])
        return _bad(named, "bad_row", f"row {number}: emphasis {where}: {error.errors()[0]['msg']}")
    outside = next((span for span in spans if not 0 <= span.start <= span.end <= len(caption)), None)
    if outside:
        said = f"emphasis {outside.start} to {outside.end} lies outside its {len(caption)} characters"
        return _bad(named, "bad_row", f"row {number}: {said}")
    return CaptionWork(named, caption, spans)


def _name(stated: Any) -> str | None:
    """An id as text: 7 and 7.0 are "7"; None where it is none."""
    if isinstance(stated, bool) or not isinstance(stated, str | int | float):
        return None
    if isinstance(stated, str):
        return stated if stated.strip() else None
    try:
        return as_id(repr(stated)) if math.isfinite(stated) else None
    except (ValueError, OverflowError):
        return str(stated)


def _bad(name: str, code: str, message: str) -> CaptionWork:
    return CaptionWork(name, "", code=code, message=message[:500])


def _kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "an object"}
    return next((name for kind, name in names.items() if isinstance(value, kind)), "no value of JSON")
