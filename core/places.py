"""A file or folder anywhere pyarrow.fs reaches: this machine's disks, S3, Google Cloud Storage; by path or by URI."""

import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import pyarrow as pa
from pyarrow import fs

from core.config import UserError

CHUNK = 16 << 20  # bytes of a file copied at once
PATIENCE = "retry_limit_seconds=60"  # of Google's client, which else asks on for 15 minutes
ADVICE = {
    "s3": "check the bucket's name, and on every machine its role, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, "
    "AWS_REGION and, for storage other than Amazon's, AWS_ENDPOINT_URL",
    "gs": "check the bucket's name, and on every machine its service account, or GOOGLE_APPLICATION_CREDENTIALS",
    "file": "write file:///folder",
}


class StorageError(UserError):
    """Storage that was named cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Place:
    """A file or folder. Raises StorageError where its storage does not answer, or refuses."""

    filesystem: fs.FileSystem
    path: str
    scheme: str = ""  # "s3" or "gs"; "" on this machine's own disks
    options: str = ""  # of the URI, "endpoint_override=..."

    @classmethod
    def at(cls, uri: str | Path) -> Self:
        """A place by URI (s3://, gs://, file://) or by local path."""
        scheme, parted, rest = str(uri).partition("://")
        if not parted:
            return cls(fs.LocalFileSystem(), str(Path(uri).resolve()))
        if scheme not in ADVICE:
            raise StorageError(f"{uri}: there is no storage {scheme}://; write s3://, gs://, file:// or a path")
        if "@" in rest.partition("/")[0]:
            raise StorageError(f"{scheme}://...@: keys stand in no URI, for it is shown and kept; {ADVICE[scheme]}")
        is_endless = scheme == "gs" and "retry_limit_seconds=" not in rest
        patience = f"{'&' if '?' in rest else '?'}{PATIENCE}" if is_endless else ""
        with _answered(scheme, str(uri)):
            filesystem, path = fs.FileSystem.from_uri(f"{uri}{patience}")
        if not path:
            raise StorageError(f"{uri} names no bucket; write {scheme}://BUCKET/FOLDER")
        if isinstance(filesystem, fs.LocalFileSystem):
            return cls(filesystem, path)
        return cls(filesystem, path, scheme, rest.partition("?")[2])

    @property
    def uri(self) -> str:
        """What `at` makes the same place of: a URI, or a path of this machine."""
        if not self.scheme:
            return self.path
        return f"{self.scheme}://{quote(self.path, safe='/=')}" + (f"?{self.options}" if self.options else "")

    def __str__(self) -> str:
        return self.uri

    @property
    def is_local(self) -> bool:
        return not self.scheme

    def __truediv__(self, name: str) -> "Place":
        return Place(self.filesystem, f"{self.path}/{name}", self.scheme, self.options)

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def exists(self) -> bool:
        with self._answered():
            return self.filesystem.get_file_info(self.path).type != fs.FileType.NotFound

    def files(self) -> list[str]:
        """The names of the files right below, sorted; none if the folder is not there."""
        with self._answered():
            selector = fs.FileSelector(self.path, allow_not_found=True)
            return sorted(info.base_name for info in self.filesystem.get_file_info(selector) if info.is_file)

    def stamps(self) -> dict[str, str]:
        """Size and time of the last change of the files right below, by name; none if the folder is not there."""
        with self._answered():
            found = self.filesystem.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        return {info.base_name: f"{info.size} {info.mtime_ns}" for info in found if info.is_file}

    def folders(self) -> list[str]:
        """The names of the folders right below, sorted; none if it is not there."""
        with self._answered():
            found = self.filesystem.get_file_info(fs.FileSelector(self.path, allow_not_found=True))
        return sorted(info.base_name for info in found if info.type == fs.FileType.Directory)

    def names(self) -> list[str]:
        """The names of the files and folders right below, sorted; none if the folder is not there."""
        with self._answered():
            selector = fs.FileSelector(self.path, allow_not_found=True)
            return sorted(info.base_name for info in self.filesystem.get_file_info(selector))

    def is_file(self) -> bool:
        with self._answered():
            return bool(self.filesystem.get_file_info(self.path).type == fs.FileType.File)

    def is_empty(self) -> bool:
        """Whether nothing is there, or a folder without anything in it."""
        with self._answered():
            kind = self.filesystem.get_file_info(self.path).type
            selector = fs.FileSelector(self.path, allow_not_found=True)
            return kind != fs.FileType.File and not self.filesystem.get_file_info(selector)

    def read_bytes(self) -> bytes:
        with self._answered(), self.filesystem.open_input_file(self.path) as file:
            return file.read()

    def read_json(self) -> Any:
        return json.loads(self.read_bytes())

    def write_bytes(self, data: bytes) -> None:
        """Write a file whole or not at all: no reader ever sees half of it."""
        self.write_pieces([data])

    def write_pieces(self, pieces: Iterable[bytes]) -> None:
        """The same of a file that is made piece by piece."""
        if not self.is_local:  # an object appears when its upload is complete
            with self._answered(), self.filesystem.open_output_stream(self.path) as stream:
                for piece in pieces:
                    stream.write(piece)
            return
        folder = Path(self.path).parent
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=folder, prefix=f".{self.name}.", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).chmod(0o644)
            Path(temporary).replace(self.path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                Path(temporary).unlink()
            raise
        _sync_folder(folder)

    def write_json(self, value: Any) -> None:
        self.write_bytes(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False).encode())

    def delete(self) -> None:
        """A folder with all that is in it; nothing if it is not there."""
        with self._answered(), contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_dir(self.path)

    def delete_file(self) -> None:
        """One file; nothing if it is not there."""
        with self._answered(), contextlib.suppress(FileNotFoundError):
            self.filesystem.delete_file(self.path)

    @contextlib.contextmanager
    def near(self) -> Iterator[Path]:
        """It on this machine: itself, or a copy for as long as the block lasts; FileNotFoundError if there is none."""
        if self.is_local:
            yield Path(self.path)
            return
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder, self.name)
            with self._answered():
                fs.copy_files(self.path, str(copy), self.filesystem, fs.LocalFileSystem(), chunk_size=CHUNK)
            yield copy

    @contextlib.contextmanager
    def written(self, *, last: str) -> Iterator[Path]:
        """An empty folder of this machine to write into: what it holds after the block stands here, whole.

        last: a file of it. Where nothing can be renamed it goes first and comes last: while it is there, all is.
        """
        if not self.is_local:
            with tempfile.TemporaryDirectory() as folder:
                yield Path(folder)
                self._replace_by(Path(folder), last)
            return
        draft = Path(f"{self.path}.draft")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(parents=True)
        yield draft
        shutil.rmtree(self.path, ignore_errors=True)
        draft.rename(self.path)

    def _replace_by(self, folder: Path, last: str) -> None:
        mark, told = self / last, (folder / last).read_bytes()
        (folder / last).unlink()
        with self._answered():
            if mark.exists():
                self.filesystem.delete_file(mark.path)
            self.delete()
            fs.copy_files(str(folder), self.path, fs.LocalFileSystem(), self.filesystem, chunk_size=CHUNK)
        mark.write_bytes(told)

    def _answered(self) -> contextlib.AbstractContextManager[None]:
        return _answered(self.scheme, self.uri)


@contextlib.contextmanager
def _answered(scheme: str, uri: str) -> Iterator[None]:
    """Raise what storage elsewhere answers as a StorageError of one line, save that a file is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        if not scheme:
            raise
        reason = " ".join(re.split(r"\(Request ID|error_info=", str(error))[0].split())
        raise StorageError(f"{uri}: {reason}; {ADVICE[scheme]}{_proxy_unused(scheme)}") from error


def _proxy_unused(scheme: str) -> str:
    """What to add where the environment names a proxy: pyarrow takes none for buckets."""
    named = [name for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy") if os.environ.get(name)]
    return f"; {named[0]} is not used for {scheme}://, which has to be reached directly" if named else ""


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refuse_taken(place: Place) -> None:
    """Raise UserError where a folder cannot be written, since something is there."""
    if not place.is_empty():
        raise UserError(f"{place} is there already and not an empty folder: name another one, or delete it")
