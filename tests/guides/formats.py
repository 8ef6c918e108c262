"""docs/guides/formats.md, made from the records of the tables: `python -m tests.guides.formats` writes it.

The words of each column are its own comment in the code.
"""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from inspect import getsourcefile
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pyarrow as pa

from app.attribution import COLUMNS
from core.records import TABLES, Pair, Reject, Signature, arrow_schema
from tests.guides.page import GUIDES
from tests.guides.settings import cell, declared
from trainers.evaluation.predictions import Answer
from trainers.seen import Seen

PAGE = GUIDES / "formats.md"
HEAD = """# Formats: what is in a run

A run is a folder, on a disk or in a bucket. Everything in it can be read without figray: tables are Parquet, the
rest is JSON, CSV, YAML or HTML. Models are safetensors.

| in the run | what it is |
|---|---|
| `config.yaml` | the settings; itself a recipe |
| `version.json`, `made.json` | the version that began the run; what made each step |
| `figures/`, `separated/`, `pairs/`, `whole/`, `radiographs/` | the tables below |
| `left_out.csv` | what was left out of `figures/`, with the reason; columns as of `rejects-*.parquet` |
| `ATTRIBUTION.csv`, `DATA_CARD.md` | whom to name; where the data comes from |
| `contact_sheet.html`, `report.html`, `results.json` | pages to look at, and the numbers of the report |
| `models/NAME/checkpoint/` | a model: `model.safetensors`, `config.json`, `tokenizer/`, `seen.parquet` |
| `models/NAME/metrics.jsonl` | the training: `step`, `loss` and the single losses, `samples_per_s` |
| `models/NAME/validation/STEP.json` | recall of a checkpoint, where `train.background_validation` asks for it |
| `models/NAME/index/` | images as the model sees them, for `search` and `serve` |
| `models/NAME/retrieval-*.json`, `predictions-*.parquet` | recalls with intervals; a row for each query |
| `models/NAME/probe-*.json`, `probe-*.csv` | probes of radiographs; a row for each image and finding |
| `sweeps/NAME/` | `trials.csv`, `trials.parquet`, `best.yaml`, `sweep.html` |

**A table** is a folder of parts. `part-00003.parquet` holds rows. `part-00003.json` is its manifest, with a checksum
for each file: rows count once a manifest names them. `rejects-00003.parquet` says what was left out of this part.
Tables of pairs and radiographs have a folder for each split, such as `pairs/split=train/`.

```python
import pyarrow.parquet as pq

pairs = pq.read_table("runs/glioma/pairs/split=train", columns=["pair_id", "text", "score"])
```

**Types** are those of Arrow. `?` marks a column that may be empty (null). A box is four whole numbers: left, top,
right, bottom, in pixels.

This page is made from the code (`python -m tests.guides.formats`), and a test compares it with the code.
"""
OTHERS: dict[str, type] = {
    "rejects-*.parquet": Reject, "signatures/": Signature, "predictions-*.parquet": Answer, "seen.parquet": Seen,
}  # fmt: skip
PROBED = ("image", "target", "score", "present")
BOX = pa.list_(pa.field("item", pa.int32(), nullable=False), 4)


def page() -> str:
    """The text of the page."""
    parts = [HEAD]
    nested: dict[str, type] = {}
    tables = {f"{name}/": record for name, record in TABLES.items() if name != "whole"} | OTHERS
    for name, record in tables.items():
        title = "pairs/ and whole/" if record is Pair else name
        parts += [f"\n## {title}\n\n{told(record)}\n\n", *rows(record)]
        nested |= dict(within(record))
    parts += ["\n## Records within rows\n"]
    for name, record in nested.items():
        parts += [f"\n### {name}\n\n{told(record)}\n\n", *rows(record)]
    parts += [
        f"\n## ATTRIBUTION.csv\n\nA row for each pair: {', '.join(f'`{each}`' for each in COLUMNS)}.\n",
        f"\n## probe-*.csv\n\nA row for each image and finding: {', '.join(f'`{each}`' for each in PROBED)}.\n",
    ]
    return "".join(parts)


def told(record: type) -> str:
    """What a record is, in its own words."""
    return " ".join((record.__doc__ or "").split())


def rows(record: type) -> Iterator[str]:
    """A Markdown table of the columns of a record; of one that extends another, those that it adds."""
    base = record.__mro__[1]
    known = {each.name for each in fields(base)} if is_dataclass(base) else set()
    if known:
        yield f"All columns of {base.__name__}, and:\n\n"
    yield "| column | type | what it is |\n|---|---|---|\n"
    words = comments(record)
    for field in arrow_schema(record):
        if field.name in known:
            continue
        empty = " ?" if field.nullable and field.name in optional(record) else ""
        yield f"| `{field.name}` | {kind(record, field)}{empty} | {cell(words.get(field.name, ''))} |\n"


def optional(record: type) -> set[str]:
    """The columns of a record that may be null."""
    hints = get_type_hints(record)
    return {each.name for each in fields(record) if type(None) in get_args(hints[each.name])}


def kind(record: type, field: pa.Field) -> str:
    """The type of a column in words; the values of one that has few."""
    hint = get_type_hints(record)[field.name]
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    if choices:
        return ", ".join(f"`{each}`" for each in choices)
    inner = [each for each in parts_of(hint) if is_dataclass(each)]
    if inner:
        name = inner[0].__name__  # type: ignore[union-attr]
        return f"list of [{name}](#{name.lower()})" if pa.types.is_list(field.type) else f"[{name}](#{name.lower()})"
    if field.type == BOX:
        return "box"
    return (
        str(field.type)
        .replace("list<item: ", "list of ")
        .replace(">", "")
        .replace("large_", "")
        .replace(" not null", "")
    )


def parts_of(hint: Any) -> Iterator[Any]:
    """The types that a type is made of."""
    yield hint
    for each in get_args(hint):
        yield from parts_of(each)


def within(record: type) -> Iterator[tuple[str, type]]:
    """Records within the rows of a record, by name."""
    for hint in get_type_hints(record).values():
        for each in parts_of(hint):
            if is_dataclass(each) and isinstance(each, type):
                yield each.__name__, each
                yield from within(each)


def comments(record: type) -> dict[str, str]:
    """The comment of each column; of those of the record that this one extends, or else of a figure, too."""
    found: dict[str, str] = {}
    for base in (TABLES["figures"], *reversed(record.__mro__)):
        if is_dataclass(base) and (file := getsourcefile(base)):
            source = Path(file).read_text(encoding="utf-8")
            found |= {name: words for name, _, words in declared(source, base.__name__) if words}
    return found


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
