"""The forms in which images and texts leave: what is written of one shard, and what joins the shards in the end.

A shard writes its images, or one file with them, and hands over lines; lines of all shards become one file. Sources of
the forms: webdataset's README, Hugging Face's pages "Image dataset" and "datasets.Image", salesforce/BLIP's and
haotian-liu/LLaVA's data pages.
"""

import csv
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from app.csv_text import inert
from app.exports.items import Item, whole_items
from app.exports.pointing import pointed
from core.places import Place
from core.runs import Table

ASK = "Describe this medical image."  # what LLaVA's human says
FEATURES = {"image": {"_type": "Image"}, "text": {"dtype": "string", "_type": "Value"}}
Lines = dict[str, list[str]]  # file below the export -> lines of it


@dataclass(frozen=True)
class Shard:
    """A slice of one split: the number of the slice, and of how many."""

    split: str
    number: int
    of: int


@dataclass(frozen=True)
class Form:
    """How one form is written. write: a shard's own files, and lines.

    around: of a file of lines, what stands before the first, between two, and after the last. files: a pattern of what
    holds a split, as loaders name it; mime: of those files. items: rows of some files of a table as what is written.
    """

    write: Callable[[Sequence[Item], Place, Shard], Lines]
    files: str
    mime: str
    around: tuple[str, str, str] = ("", "\n", "\n")
    listed: str = ""  # the same of the files with the rows alone, where images lie among them
    columns: tuple[str, ...] = ()  # of a row as it is written, where they are not image, text and the facts
    items: Callable[[Table, Sequence[str], Sequence[Mapping[str, Any]]], list[Item]] = whole_items


def webdataset(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """A tar: key.jpg or key.png, key.txt, key.json; its name and number of samples as a line of sizes.jsonl."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for each in items:
            _add(tar, each.file, each.image)
            _add(tar, f"{each.key}.txt", each.text.encode())
            _add(tar, f"{each.key}.json", _json({**each.facts, "text": each.text}).encode())
    name = f"{shard.split}-{shard.number:05d}.tar"
    (out / name).write_bytes(file.getvalue())
    return {"sizes.jsonl": [_json({"file": name, "samples": len(items)})]}


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)  # no time and no owner: the same items make the same bytes
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def parquet(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """A Parquet file that `datasets.load_dataset` shows images of: columns image, text and the facts."""
    rows = [
        {"image": {"bytes": each.image, "path": each.file}, "text": each.text, **_flat(each.facts)} for each in items
    ]
    table = pa.Table.from_pylist(rows, schema=_schema(rows))
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=100)  # readers take a row group at a time
    (out / f"data/{shard.split}-{shard.number:05d}-of-{shard.of:05d}.parquet").write_bytes(file.getvalue())
    return {}


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as values of one type in all rows: lists and objects as JSON, times and None as they are."""
    return {name: _json(value) if isinstance(value, list | dict) else value for name, value in facts.items()}


def _schema(rows: Sequence[Mapping[str, Any]]) -> pa.Schema:
    fields = [pa.field("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())]))]
    features: dict[str, Any] = {"image": FEATURES["image"]}
    for name in (name for name in rows[0] if name != "image"):
        seen = {type(row[name]) for row in rows if row[name] is not None}
        kind = pa.int64() if seen == {int} else pa.float64() if seen and seen <= {int, float} else pa.string()
        kind = pa.bool_() if seen == {bool} else kind
        fields.append(pa.field(name, kind))
        features[name] = {
            "dtype": {pa.bool_(): "bool"}.get(kind, str(kind).replace("double", "float64")),
            "_type": "Value",
        }
    return pa.schema(fields, metadata={"huggingface": _json({"info": {"features": features}})})


def imagefolder(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """SPLIT/key.jpg, and SPLIT/metadata.jsonl with file_name and text, as `load_dataset("imagefolder")` reads it."""
    _write_images(items, out / shard.split)
    lines = [_json({"file_name": each.file, "text": each.text, **_flat(each.facts)}) for each in items]
    return {f"{shard.split}/metadata.jsonl": lines}


def jsonl(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """images/SPLIT/key.jpg, and a line of SPLIT.jsonl each."""
    _write_images(items, out / f"images/{shard.split}")
    return {f"{shard.split}.jsonl": [_json({"image": _path(each), "text": each.text, **each.facts}) for each in items]}


def as_csv(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """images/SPLIT/key.jpg, and a line of SPLIT.csv each."""
    _write_images(items, out / f"images/{shard.split}")
    rows = [{"image": _path(each), "text": each.text, **_flat(each.facts)} for each in items]
    lines = [_csv_line([inert(value) for value in row.values()]) for row in rows]
    return {f"{shard.split}.csv": [_csv_line(list(rows[0])), *lines] if shard.number == 0 else lines}


def _csv_line(values: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(values)
    return text.getvalue()


def blip(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """BLIP's annotations: SPLIT.json with {image, caption, image_id}; of val and test the captions are lists."""
    _write_images(items, out / f"images/{shard.split}")
    said = (lambda text: text) if shard.split == "train" else (lambda text: [text])
    rows = [{"image": _path(each), "caption": said(each.text), "image_id": each.key} for each in items]
    return {f"{shard.split}.json": [_json(row) for row in rows]}


def llava(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """LLaVA's conversations: SPLIT.json with {id, image, conversations}."""
    _write_images(items, out / f"images/{shard.split}")
    return {f"{shard.split}.json": [_json(_conversation(each)) for each in items]}


def _conversation(each: Item) -> dict[str, Any]:
    asked = {"from": "human", "value": f"<image>\n{ASK}"}
    return {"id": each.key, "image": _path(each), "conversations": [asked, {"from": "gpt", "value": each.text}]}


def pointers(items: Sequence[Item], out: Place, shard: Shard) -> Lines:
    """A line of SPLIT.jsonl each, without image and text: see pipelines/pointers.py."""
    return {f"{shard.split}.jsonl": [_json(each.facts) for each in items]}


def _write_images(items: Sequence[Item], folder: Place) -> None:
    for each in items:
        (folder / each.file).write_bytes(each.image)


def _path(each: Item) -> str:
    return f"images/{each.split}/{each.file}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


POINTERS = "pointers"
ONE_LIST = ("[\n", ",\n", "\n]\n")  # a JSON array of the lines
FORMS: dict[str, Form] = {
    "webdataset": Form(webdataset, "{split}-*.tar", "application/x-tar"),
    "parquet": Form(parquet, "data/{split}-*.parquet", "application/x-parquet"),
    "imagefolder": Form(imagefolder, "{split}/**", "application/jsonlines", listed="{split}/metadata.jsonl"),
    "jsonl": Form(jsonl, "{split}.jsonl", "application/jsonlines"),
    "csv": Form(as_csv, "{split}.csv", "text/csv"),
    "blip": Form(blip, "{split}.json", "application/json", ONE_LIST, columns=("image", "caption", "image_id")),
    "llava": Form(llava, "{split}.json", "application/json", ONE_LIST, columns=("id", "image", "text")),
    POINTERS: Form(pointers, "{split}.jsonl", "application/jsonlines", items=pointed),
}
