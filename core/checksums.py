"""A folder of files with the checksum of each beside them, so that a cut or flipped one is known before it is used."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

from core.config import UserError
from core.places import Place

SEALED = "sha256.json"  # file -> SHA-256 of all others in the folder


class DamagedFolder(UserError):
    """A file of a sealed folder is not what it was; the message names it."""


def seal(folder: Path) -> None:
    """Write the checksums of all files of a folder, those of its subfolders too."""
    found = {path.relative_to(folder).as_posix(): _sha256(path) for path in _files(folder)}
    (folder / SEALED).write_text(json.dumps(found, indent=1, sort_keys=True))


def seal_more(folder: Path, names: Sequence[str]) -> None:
    """Add the checksums of files that came into a sealed folder later; those of the others stay as they were."""
    told = json.loads((folder / SEALED).read_text()) | {name: _sha256(folder / name) for name in names}
    (folder / SEALED).write_text(json.dumps(told, indent=1, sort_keys=True))


def damage(folder: Place, *, extra: tuple[str, ...] = ()) -> str:
    """What of a sealed folder is missing or changed, in words; "" where nothing is, or where it was never sealed.

    extra: files that may be missing: what is taken away when the folder is put elsewhere.
    """
    try:
        with folder.near() as near:
            return _damage(near, extra)
    except FileNotFoundError:
        return "the folder is missing"


def refuse_damaged(folder: Place, *, extra: tuple[str, ...] = ()) -> None:
    """Raise DamagedFolder, naming the file, where one is missing or changed."""
    reason = damage(folder, extra=extra)
    if reason:
        raise DamagedFolder(f"{folder}: {reason}; train it again, or take it from where it is whole")


def _damage(folder: Path, extra: tuple[str, ...]) -> str:
    if not (folder / SEALED).exists():
        return ""
    try:
        told = json.loads((folder / SEALED).read_text())
        names = {str(name): str(value) for name, value in told.items()}
    except (ValueError, AttributeError):
        return f"{SEALED} is damaged"
    for name, value in sorted(names.items()):
        path = folder / name
        if not path.is_file():
            if name in extra:
                continue
            return f"{name} is missing"
        if _sha256(path) != value:
            return f"{name} is damaged: its bytes are not those that were written"
    return ""


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != SEALED)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
