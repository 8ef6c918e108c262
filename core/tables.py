"""The rows of Parquet files that strangers may have written: by their declared schema, checksums verified.

Of a file nothing is read before its footer is: a column of an extension type, by which Arrow lets a file say how its
values become Python objects, is refused. So is what is no Parquet file. No other module opens a table of a run.
"""

import base64
import binascii
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow import fs

from core.config import UserError
from core.places import Place
from core.records import arrow_schema

READERS = 16  # of footers at once
EXTENSION = b"ARROW:extension"  # in the Arrow schema that a footer carries, where a column has such a type
VERIFIED = ds.ParquetFileFormat(
    default_fragment_scan_options=ds.ParquetFragmentScanOptions(page_checksum_verification=True)
)


class TableError(UserError):
    """A file that a table names cannot be read, or must not be; the message names it."""


def rows_of(files: Sequence[str], record: type) -> ds.Dataset:
    """The rows of Parquet files, each a path or a URI, in their order: those columns of the record that they have.

    Raises TableError where a file is missing, no Parquet, or has a column of an extension type.
    """
    filesystem, paths = located(files)
    with ThreadPoolExecutor(READERS) as threads:
        found = list(threads.map(lambda path: _columns(_footer(filesystem, path), path), paths))
    there = {name for columns in found for name in columns}
    schema = pa.schema([field for field in arrow_schema(record) if field.name in there])
    return ds.dataset(paths, format=VERIFIED, filesystem=filesystem, schema=schema)


def parsed(data: bytes, record: type, name: str) -> pa.Table:
    """The rows of one Parquet file's bytes, every column of the record; raises TableError, which calls it by name."""
    _columns(_metadata(io.BytesIO(data), name), name)
    try:
        return pq.read_table(io.BytesIO(data), schema=arrow_schema(record), page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, error) from error


def of_a_user(file: str) -> pq.ParquetFile:
    """A Parquet file of any columns, its footer looked at first; raises TableError."""
    with open(file, "rb") as data:  # noqa: PTH123  a path as it was given
        _columns(_metadata(data, file), file)
    return pq.ParquetFile(file, page_checksum_verification=True)


def written(table: pa.Table) -> bytes:
    """A table as the bytes of a Parquet file, the same for the same rows."""
    buffer = io.BytesIO()
    # Images are compressed already; page checksums find a flipped bit that Parquet would otherwise read without a word.
    pq.write_table(table, buffer, compression="snappy", write_page_checksum=True)
    return buffer.getvalue()


def located(files: Sequence[str]) -> tuple[fs.FileSystem, list[str]]:
    """The filesystem of files that are each a path or a URI, all of one, and their paths in it."""
    places = [Place.at(file) for file in files]
    return (places[0].filesystem if places else fs.LocalFileSystem()), [place.path for place in places]


def _footer(filesystem: fs.FileSystem, path: str) -> pq.FileMetaData:
    try:
        with filesystem.open_input_file(path) as file:
            return _metadata(file, path)
    except FileNotFoundError as error:
        raise TableError(f"{path} is missing, and a manifest names it; `figray verify` says what to do") from error
    except OSError as error:
        raise _damaged(path, error) from error


def _metadata(file: object, name: str) -> pq.FileMetaData:
    try:
        return pq.read_metadata(file)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(name, error) from error


def _columns(footer: pq.FileMetaData, name: str) -> set[str]:
    """The columns of a file; raises TableError where one has an extension type."""
    try:
        schema = base64.b64decode((footer.metadata or {}).get(b"ARROW:schema", b""))
    except binascii.Error as error:
        raise _damaged(name, error) from error
    if EXTENSION in schema:
        raise TableError(
            f"{name} has a column of an extension type, by which a file can run commands where it is read; figray "
            "writes none, and reads none"
        )
    return {footer.schema.column(number).path.partition(".")[0] for number in range(footer.num_columns)}


def _damaged(name: str, error: Exception) -> TableError:
    reason = " ".join(str(error).split())[:200]
    return TableError(f"{name} is damaged, or no Parquet file ({reason}); `figray verify` says what to do")
