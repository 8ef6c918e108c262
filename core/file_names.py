"""Names of files as people and their machines write them: accents in two forms, hidden files, links to folders.

An "é" is one character (NFC), or on many Macs two (NFD; Unicode Standard Annex 15). Both name one file here.
"""

import os
import unicodedata
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path, PurePosixPath

from core.config import UserError

OF_ARCHIVES = "__MACOSX"  # what macOS adds to a ZIP: a ._ file beside each file


def one_form(name: str) -> str:
    """A name with its accents in one form, NFC, to compare it with others."""
    return unicodedata.normalize("NFC", name)


def is_hidden(path: str) -> bool:
    """Whether a path below a folder is none of the user's own: .DS_Store, ._figure.jpg, .git/x, __MACOSX/x."""
    return any(part.startswith(".") or part == OF_ARCHIVES for part in PurePosixPath(path).parts)


def files_below(root: Path) -> Iterator[str]:
    """The paths of all files below a folder but hidden ones, a folder's own in order; UserError if one cannot be read.

    Links to folders are followed, each folder once, so that circles end; by its own place rather than by a link.
    """
    folders, links, seen = deque([(root, "")]), deque[tuple[Path, str]](), set[tuple[int, int]]()
    while folders or links:
        folder, before = folders.popleft() if folders else links.popleft()
        for entry in _entries(folder, seen):
            name = f"{before}{entry.name}"
            if is_hidden(entry.name):
                continue
            if (folder / entry.name).is_dir() if entry.is_symlink() else entry.is_dir():
                (links if entry.is_symlink() else folders).append((folder / entry.name, f"{name}/"))
            else:
                yield name


def _entries(folder: Path, seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """What is in a folder, in order; nothing of one that was seen."""
    try:
        stat = folder.stat()
        if (stat.st_dev, stat.st_ino) in seen:
            return []
        seen.add((stat.st_dev, stat.st_ino))
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from error


def found_below(root: Path, name: str) -> Path:
    """The file that a path below a folder names, its accents in either form, its folders parted by / or \\.

    Where there is none, the path as it is named.
    """
    plain = root / name
    if os.path.lexists(plain):
        return plain
    for spelt in (name, name.replace("\\", "/")):
        place: Path | None = root
        for part in PurePosixPath(spelt).parts:
            place = _named(place, part) if place else None
        if place:
            return place
    return plain


def _named(folder: Path, name: str) -> Path | None:
    """The file or folder of a name in a folder, if it is there."""
    if os.path.lexists(folder / name):
        return folder / name
    there = _by_form(str(folder)).get(one_form(name))
    return folder / there if there else None


@lru_cache(64)
def _by_form(folder: str) -> dict[str, str]:
    """The names in a folder by their one form; a folder of many thousand files is listed once in a process."""
    try:
        return {one_form(path.name): path.name for path in sorted(Path(folder).iterdir())}
    except OSError:
        return {}
