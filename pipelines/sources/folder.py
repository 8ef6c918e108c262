"""A bucket on disk, laid out as PubMed Central's (facts of the layout: pmc-oa-opendata's README)."""

import re
from pathlib import Path

from core.file_names import found_below
from pipelines.sources.transport import FetchError

Keys = list[str]
KEY = re.compile(r"(?!/)[^\x00-\x1f\x7f-\x9f\\:?*\"<>|]{1,1024}")


class FolderBucket:
    """Objects as files below a root; the key is the path."""

    def __init__(self, root: str | Path, *, max_bytes: int | None = None) -> None:
        """Raises NotADirectoryError where the root is no folder."""
        self._root = Path(root).resolve()
        self._max_bytes = max_bytes
        if not self._root.is_dir():
            raise NotADirectoryError(f"{root} is no folder; bucket:PATH names one laid out as PMC's bucket")

    def get(self, key: str) -> bytes:
        """The bytes of an object; raises FetchError: gone, bad_key, too_large, unreadable."""
        try:
            path = found_below(self._root, checked_key(key)).resolve()  # its accents in either form
            if not path.is_relative_to(self._root):
                raise FetchError("bad_key", f"{key}: leads out of the bucket")
            if not path.is_file():
                raise FetchError("gone", f"{key}: not in the bucket")
            if self._max_bytes is not None and path.stat().st_size > self._max_bytes:
                raise FetchError("too_large", f"{key}: more than {self._max_bytes} bytes")
            return path.read_bytes()
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
            raise FetchError("unreadable", f"{key}: {type(error).__name__}") from error

    def list(self, prefix: str, delimiter: str = "/") -> Keys:
        """Keys that begin with a prefix, cut after the delimiter as S3 cuts them, sorted; "": all below. FetchError."""
        folder = self._root / (checked_key(prefix).rpartition("/")[0] if prefix else "")
        if not folder.resolve().is_relative_to(self._root) or not folder.is_dir():
            return []
        try:
            found = folder.iterdir() if delimiter == "/" else (path for path in folder.rglob("*") if path.is_file())
            keys = [path.relative_to(self._root).as_posix() + ("/" if path.is_dir() else "") for path in found]
        except OSError as error:
            raise FetchError("unreadable", f"{folder}: {error.strerror}") from error
        return sorted(key for key in keys if key.startswith(prefix))


def checked_key(key: str) -> str:
    """The key itself, if it names a place inside a bucket; raises FetchError bad_key."""
    if not KEY.fullmatch(key) or {"..", "."} & set(key.split("/")):
        raise FetchError("bad_key", f"{key[:100]!r} is no key of a bucket")
    return key
