"""A source of one's own: whatever has `get(key)` and `list(prefix)` is a bucket of articles.

    python examples/custom_source.py BUCKET.zip

A source that many runs should use is a file in pipelines/sources/, and one line in `pmc.open_bucket`.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

from core.records import Figure, Reject
from core.settings import SelectSettings
from pipelines.sources.pmc import fetch, listed
from pipelines.sources.transport import FetchError


class ZipBucket:
    """A bucket laid out as PMC's, in one ZIP file; it is read in place, nothing is unpacked."""

    def __init__(self, file: Path) -> None:
        self.zip = ZipFile(file)

    def get(self, key: str) -> bytes:
        """The bytes of an object; raises FetchError where it is not there."""
        try:
            return self.zip.read(key)
        except KeyError as error:
            raise FetchError("gone", f"{key}: not in {self.zip.filename}") from error

    def list(self, prefix: str, delimiter: str = "/") -> list[str]:
        """Keys that begin with a prefix, cut after the delimiter as S3 cuts them, sorted."""
        names = (name for name in self.zip.namelist() if name.startswith(prefix) and not name.endswith("/"))
        return sorted({_cut(name, prefix, delimiter) for name in names})


def _cut(name: str, prefix: str, delimiter: str) -> str:
    head, found, _ = name[len(prefix) :].partition(delimiter) if delimiter else (name[len(prefix) :], "", "")
    return f"{prefix}{head}{found}"


def figures_of(file: Path, select: SelectSettings) -> Iterator[Figure | Reject]:
    """Every figure of every article in a ZIP file, or why it was left out."""
    bucket = ZipBucket(file)
    for article in listed(bucket):
        figures, rejects = fetch(bucket, article, select=select)
        yield from figures
        yield from rejects


if __name__ == "__main__":
    for item in figures_of(Path(sys.argv[1]), SelectSettings(keyword="")):
        print(item.figure_id if isinstance(item, Figure) else f"{item.item_id}: {item.code}")  # noqa: T201
