"""Rows as CSV that a spreadsheet takes for text, whatever a caption begins with."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV that a spreadsheet takes for text, whatever a caption begins with."""
    names = dict.fromkeys(name for row in rows for name in row)  # rows of one table may differ in columns
    return b"".join(csv_pieces([rows], list(names) or ["item_id"]))


def csv_pieces(pieces: Iterable[Iterable[Mapping[str, Any]]], names: Sequence[str]) -> Iterator[bytes]:
    """The same of more rows than one wants to hold, piece by piece. names: of all columns."""
    yield _lines([dict(zip(names, names, strict=True))], names)
    for rows in pieces:
        yield _lines(rows, names)


def _lines(rows: Iterable[Mapping[str, Any]], names: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=names)
    for row in rows:
        writer.writerow({name: inert(value) for name, value in row.items()})
    return text.getvalue().encode()


def inert(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
