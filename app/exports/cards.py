"""What lies beside an export: README.md as Hugging Face reads it, croissant.json, statistics.json, export.json."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from app.exports.forms import FORMS, POINTERS
from core.places import Place

SPDX = {"CC0": "cc0-1.0", "CC BY": "cc-by-4.0", "CC BY-SA": "cc-by-sa-4.0", "CC BY-NC": "cc-by-nc-4.0"}
SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
LOADED = ("parquet", "imagefolder", "jsonl", "csv", "webdataset")  # forms that `datasets` loads from the folder
POINTED = (
    "pointers to images with their texts. There is no image here and no text: `figray fetch-pointers` fetches the "
    "figures where PMC keeps them, cuts the same panels and texts, and says why a pair is no longer the same."
)
SHOWN = 12  # values of a column in the card
CARD = """---
{front}---

# {title}

{rows} Written by figray {version} from the run `{run}`. `export.json` has the settings, `statistics.json` the numbers.

| | |
|---|---|
{table}

**Left out.** {left_out}

**Columns.** `text` is what the caption says of the image. `matched_by` says how it was found: by the printed letter, by
order, by words of place, as the only panel, or the whole caption. `score` is how likely it is right, from 0 to 1. `box`
is the panel in its figure, in pixels. Articles, and images that several articles show, are in one split only.

**Rights.** Each image keeps the licence of its article. `ATTRIBUTION.csv` names authors, title, DOI, licence and
version for each. A figure may hold parts that others own.

**Not for patients.** Case reports show rare and severe disease, and are no sample of patients. Do not use this to
diagnose or treat anyone, nor to find out who a patient is. Text and faces may be in images.
"""


def write_cards(
    out: Place, told: Mapping[str, Any], numbers: Mapping[str, Any], *, form: str, columns: Sequence[str]
) -> None:
    """Write all four. told: run, figray's version and what was asked; numbers: of written.statistics."""
    (out / "export.json").write_json(dict(told))
    (out / "statistics.json").write_json(dict(numbers))
    (out / "README.md").write_bytes(card(told, numbers, form).encode())
    (out / "croissant.json").write_json(croissant(told, numbers, form=form, columns=columns))


def card(told: Mapping[str, Any], numbers: Mapping[str, Any], form: str) -> str:
    """The README."""
    rows, by = numbers["rows"], numbers["by"]
    table = [f"| {split} | {number:,} |" for split, number in rows.items()]
    table += [f"| {name} | {_counts(counts)} |" for name, counts in by.items() if name != "split"]
    left_out = ", ".join(f"{count:,} by {name}" for name, count in numbers["left_out"].items())
    return CARD.format(
        front=_front(numbers, form),
        title=told["title"],
        rows=f"{sum(rows.values()):,} " + (POINTED if form == POINTERS else "images with their texts."),
        version=told["figray"],
        run=told["run"],
        table="\n".join(table),
        left_out=f"{left_out}." if left_out else "Nothing.",
    )


def _counts(counts: Mapping[str, int]) -> str:
    """Values and how many rows have each; a given table's values may hold HTML, and bars that would end the cell."""
    shown = ", ".join(
        f"{escape(value).replace('|', '&#124;')} {count:,}" for value, count in list(counts.items())[:SHOWN]
    )
    return f"{shown} and {len(counts) - SHOWN} others" if len(counts) > SHOWN else shown


def _front(numbers: Mapping[str, Any], form: str) -> str:
    """The YAML that Hugging Face's hub reads, written as JSON where values could be taken for something else."""
    licences = sorted({SPDX.get(name, "other") for name in numbers["by"].get("licence", {})}) or ["other"]
    total = sum(numbers["rows"].values())
    size = next((name for limit, name in SIZES if total < limit), "n>1M")
    lines = [
        f"license: {licences[0] if len(licences) == 1 else json.dumps(licences)}",
        "language: [en]",
        "task_categories: [image-to-text, zero-shot-image-classification]",
        "tags: [medical, radiology, figures]",
        f'size_categories: ["{size}"]',
    ]
    if form in LOADED:
        lines += ["configs:", "- config_name: default", "  data_files:"]
        for split in numbers["rows"]:
            name = {"val": "validation"}.get(split, split)
            lines += [f"  - split: {name}", f'    path: "{FORMS[form].files.format(split=split)}"']
    return "".join(f"{line}\n" for line in lines)


def croissant(
    told: Mapping[str, Any], numbers: Mapping[str, Any], *, form: str, columns: Sequence[str]
) -> dict[str, Any]:
    """The description by ML Commons' Croissant 1.0: where the files are, and what fields they have."""
    sets = [
        {
            "@type": "cr:FileSet",
            "@id": f"files-{split}",
            "name": f"files-{split}",
            "description": f"{number} images and texts",
            "containedIn": {"@id": "folder"},
            "encodingFormat": FORMS[form].mime,
            "includes": (FORMS[form].listed or FORMS[form].files).format(split=split),
        }
        for split, number in numbers["rows"].items()
    ]
    folder = {
        "@type": "cr:FileObject", "@id": "folder", "name": "folder", "description": "The folder of this file.",
        "contentUrl": ".", "encodingFormat": "local-directory", "sha256": "local-directory",
    }  # fmt: skip
    fields: list[dict[str, Any]] = [
        {"@type": "cr:Field", "@id": f"rows-{split}/{name}", "name": name, **_source(form, split, name)}
        for split in numbers["rows"]
        for name in columns
    ]
    records = [
        {
            "@type": "cr:RecordSet", "@id": f"rows-{split}", "name": f"rows-{split}",
            "field": [field for field in fields if field["@id"].startswith(f"rows-{split}/")],
        }
        for split in numbers["rows"]
    ]  # fmt: skip
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": told["title"],
        "description": f"{sum(numbers['rows'].values())} medical images with their texts, collected by figray.",
        "license": sorted(numbers["by"].get("licence", {})) or ["unknown"],
        "version": "1.0.0",
        "datePublished": told["day"],
        "distribution": [folder, *sets],
        "recordSet": records,
    }


def _source(form: str, split: str, name: str) -> dict[str, Any]:
    """Where a field of a row is found. An image is bytes in Parquet, and elsewhere the path of a file."""
    one_list = FORMS[form].around[0].startswith("[")
    path = "conversations[1].value" if form == "llava" and name == "text" else name
    extract = {"jsonPath": f"$[*].{path}"} if one_list else {"column": name}
    source: dict[str, Any] = {"fileSet": {"@id": f"files-{split}"}, "extract": extract}
    if name == "image" and form == "parquet":
        return {"dataType": "sc:ImageObject", "source": {**source, "transform": {"jsonPath": "bytes"}}}
    return {"dataType": "sc:Text", "source": source}


CONTEXT = {
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/", "dct": "http://purl.org/dc/terms/", "column": "cr:column",
    "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath", "key": "cr:key",
    "md5": "cr:md5", "parentField": "cr:parentField", "path": "cr:path", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "separator": "cr:separator", "source": "cr:source", "subField": "cr:subField", "transform": "cr:transform",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "citeAs": "cr:citeAs",
}  # fmt: skip
