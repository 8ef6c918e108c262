"""The bucket's inventory: which state of it a run was collected from, and what has changed since.

PMC writes a report of all objects with their ETags, and keeps it for a month (README of pmc-oa-opendata).
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pipelines.sources.pmc import Bucket
from pipelines.sources.transport import FetchError

PREFIX = "inventory-reports/pmc-oa-opendata/metadata/"


@dataclass(frozen=True)
class Inventory:
    """One report: where its manifest lies, when it was made, and the files that list the objects."""

    manifest: str
    made: str  # as its folder says, "2026-11-01T01-00Z"
    etag: str  # MD5 of the manifest, which for an object of one piece is S3's ETag
    files: tuple[str, ...]


def newest(bucket: Bucket) -> Inventory | None:
    """The newest report; None where the bucket has none, as a folder on disk. Raises FetchError."""
    folders = [key for key in bucket.list(PREFIX) if key.endswith("Z/")]
    if not folders:
        return None
    key = f"{max(folders)}manifest.json"
    manifest = bucket.get(key)
    try:
        files = tuple(str(file["key"]) for file in json.loads(manifest)["files"])
    except (ValueError, LookupError, TypeError) as error:
        raise FetchError("bad_inventory", f"{key} is not an inventory's manifest: {type(error).__name__}") from error
    etag = hashlib.md5(manifest, usedforsecurity=False).hexdigest()
    return Inventory(key, max(folders).rstrip("/").rpartition("/")[2], etag, files)


def etags(bucket: Bucket, inventory: Inventory) -> Iterator[tuple[str, str]]:
    """Key and ETag of every object that a report lists, file by file; raises FetchError."""
    for file in inventory.files:
        with gzip.open(io.BytesIO(bucket.get(file)), "rt", encoding="utf-8", newline="") as rows:
            for _, key, _, etag in csv.reader(rows):
                yield key, etag.strip('"')


def changed(bucket: Bucket, inventory: Inventory, known: Mapping[str, str]) -> list[str]:
    """The keys whose object is another one now, or gone, than when `known` (key -> ETag) was written down."""
    now = {key: etag for key, etag in etags(bucket, inventory) if key in known}
    return sorted(key for key, etag in known.items() if now.get(key) != etag)


class Noted:
    """A bucket that notes the MD5 of all metadata that is read from it: what the inventory's ETags are held against."""

    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.etags: dict[str, str] = {}  # key -> MD5

    def get(self, key: str) -> bytes:
        """The bytes of an object; raises FetchError."""
        content = self.bucket.get(key)
        if key.startswith("metadata/"):
            self.etags[key] = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return content

    def list(self, prefix: str, delimiter: str = "/") -> list[str]:
        """Keys that begin with a prefix; raises FetchError."""
        return self.bucket.list(prefix, delimiter)
