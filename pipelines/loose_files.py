"""A user's own figures and captions as pieces of work, each checked for what it lacks."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyarrow import fs

from core.images import ImageError
from core.places import Place
from core.records import Span

MAX_BYTES = 256 * 2**20  # of one file
SUFFIXES = (".jpg", ".jpeg", ".png", ".gif", ".tif", ".tiff", ".webp")  # images.FORMATS, as files are named


@dataclass(frozen=True)
class FigureWork:
    """A figure to read: its path below the folder, and its caption if pairs are wanted."""

    image: str
    caption: str | None = None
    code: str = ""  # why it cannot be read, where that is known beforehand
    message: str = ""


@dataclass(frozen=True)
class CaptionWork:
    """A caption to split, with its emphasised stretches where they are known."""

    id: str
    caption: str
    emphasis: list[Span] = field(default_factory=list)


def images_in(folder: Place) -> list[str]:
    """The paths of all image files below a folder, by their suffix, in order; links to folders are not followed."""
    if isinstance(folder.filesystem, fs.LocalFileSystem):
        # Not by pyarrow, which follows links in circles, leaves out broken ones, and stops at names that are not UTF-8.
        files = (f"{place}/{name}" for place, _, names in os.walk(folder.path) for name in names)
    else:
        found = folder.filesystem.get_file_info(fs.FileSelector(folder.path, recursive=True))
        files = (info.path for info in found if info.is_file)
    return sorted(path[len(folder.path) + 1 :] for path in files if path.lower().endswith(SUFFIXES))


def loose_bytes(folder: Place, name: str) -> bytes:
    """The bytes of a file from a stranger, below a folder; raises ImageError where they cannot be had.

    A link that leads out of the folder is not followed, and what is no file, such as a pipe that nobody writes into,
    is not opened.
    """
    file = folder / name
    try:
        if folder.is_local:
            root, path = Path(folder.path).resolve(), Path(file.path).resolve()
            if not path.is_relative_to(root):
                raise ImageError("unreadable", f"{name} leads out of the folder")
            if path.exists() and not path.is_file():
                raise ImageError("unreadable", f"{name} is no file")
        info = file.filesystem.get_file_info(file.path)
        if (info.size or 0) > MAX_BYTES:
            raise ImageError("too_large", f"{info.size} bytes; at most {MAX_BYTES}")
        return file.read_bytes()
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # of links in a circle; pyarrow takes no path that is not UTF-8
        raise ImageError("unreadable", str(error)) from error


def with_captions(images: Sequence[str], captions: Mapping[str, str | None]) -> list[FigureWork]:
    """Images with their captions by name, in order; one without the other keeps a row that says so."""
    meant = named(images, captions)
    of_image = {image: captions[name] for name, image in meant.items()}
    works = []
    for image in images:
        caption = of_image.get(image)
        if caption is None:
            works.append(FigureWork(image, code="no_caption", message="no caption has its name alone"))
        else:
            works.append(FigureWork(image, caption))
    for name in captions:
        if name not in meant:
            works.append(FigureWork(name, code="no_image", message="no image has its name alone; name it by its path"))
    return sorted(works, key=lambda work: work.image)


def named(images: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """The image that each name means: the one of this path, else of this file name where both have it alone."""
    by_name, asked = _by_file_name(images), _by_file_name(names)
    paths = {image for alike in by_name.values() for image in alike}
    found = {}
    for file_name, alike in asked.items():
        for name in alike:
            if name in paths:
                found[name] = name
            elif len(alike) == 1 and len(by_name.get(file_name, [])) == 1:
                found[name] = by_name[file_name][0]
    return found


def _by_file_name(paths: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path in paths:
        found.setdefault(path.rpartition("/")[2], []).append(path)
    return found
