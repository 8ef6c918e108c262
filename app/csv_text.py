"""Rows as CSV that a spreadsheet takes for text, whatever a caption begins with."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any


def as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV that a spreadsheet takes for text, whatever a caption begins with."""
    text = io.StringIO()
    names = dict.fromkeys(name for row in rows for name in row)  # rows of one table may differ in columns
    writer = csv.DictWriter(text, fieldnames=list(names) or ["item_id"])
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _inert(value) for name, value in row.items()})
    return text.getvalue().encode()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value
