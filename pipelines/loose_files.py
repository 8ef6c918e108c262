"""A user's own figures and captions as pieces of work, each checked for what it lacks."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from pyarrow import fs

from core.file_kinds import HEAD, is_other, is_read, is_read_by_bytes, not_read, unread_by_bytes, unread_by_name
from core.file_names import files_below, is_hidden, one_form
from core.images import ImageError
from core.places import Place
from core.records import Span

MAX_BYTES = 256 * 2**20  # of one file
NO_NAME = ""  # the image or id of a row that states none


@dataclass(frozen=True)
class FigureWork:
    """A figure to read: its path below the folder, and its caption if pairs are wanted."""

    image: str
    caption: str | None = None
    code: str = ""  # why it cannot be read, where that is known beforehand
    message: str = ""


@dataclass(frozen=True)
class CaptionWork:
    """A caption as stated, with its emphasised stretches where they are known."""

    id: str
    caption: str
    emphasis: list[Span] = field(default_factory=list)
    code: str = ""  # why it cannot be split, where that is known beforehand
    message: str = ""


def figures_below(folder: Place) -> list[FigureWork]:
    """Every image below a folder, by its name or its first bytes, in order; those of kinds not read with that reason.

    Hidden files are passed over, links to folders followed, each folder once. UserError if one cannot be read.
    """
    works = (_figure(folder, path) for path in sorted(_files(folder)))
    return [work for work in works if work is not None]


def images_in(folder: Place) -> list[str]:
    """The paths of all images below a folder that are of a kind that is read, in order."""
    return [work.image for work in figures_below(folder) if not work.code]


def loose_bytes(folder: Place, name: str) -> bytes:
    """The bytes of a file from a stranger, below a folder; raises ImageError where they cannot be had.

    A link to a file that lies neither below the folder nor beside the link is not followed, and what is no file, such
    as a pipe that nobody writes into, is not opened. Links to folders are the user's own.
    """
    file = folder / name
    try:
        if folder.is_local:
            path, homes = Path(file.path).resolve(), (Path(folder.path).resolve(), Path(file.path).parent.resolve())
            if ".." in PurePosixPath(name).parts or not any(path.is_relative_to(home) for home in homes):
                raise ImageError("unreadable", f"{name} leads out of the folder")
            if path.exists() and not path.is_file():
                raise ImageError("unreadable", f"{name} is no file")
        info = file.filesystem.get_file_info(file.path)
        if (info.size or 0) > MAX_BYTES:
            raise ImageError("too_large", f"{info.size} bytes; at most {MAX_BYTES}")
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ImageError("unreadable", f"{name}: there is no such file") from error
    # RuntimeError: of links in a circle; ValueError: pyarrow takes no path that is not UTF-8.
    except (OSError, RuntimeError, ValueError) as error:
        raise ImageError("unreadable", str(error)) from error


def with_captions(figures: Sequence[FigureWork], captions: Sequence[CaptionWork]) -> list[FigureWork]:
    """Figures with their captions by name, in order; one without the other keeps a row that says so."""
    stated = {caption.id: caption for caption in reversed(captions) if not caption.code}  # the first counts
    meant = named([figure.image for figure in figures], stated)
    of_image = {image: stated[name] for name, image in meant.items()}
    refused = named([figure.image for figure in figures], _refused(captions))
    why_not = set(refused.values())
    works = []
    for figure in figures:
        caption = of_image.get(figure.image)
        if figure.code:
            works.append(figure)
        elif caption is not None:
            works.append(replace(figure, caption=caption.caption))
        elif figure.image not in why_not:  # else the row of the caption says why
            works.append(replace(figure, code="no_caption", message="no caption has its name alone"))
    for caption in captions:
        if caption.code:
            works.append(FigureWork(refused.get(caption.id, caption.id), code=caption.code, message=caption.message))
        elif caption.id not in meant:
            message = "no image has its name alone; name it by its path"
            works.append(FigureWork(caption.id, code="no_image", message=message))
    return sorted(works, key=lambda work: work.image)


def _refused(captions: Sequence[CaptionWork]) -> list[str]:
    """The names of which no caption can be used."""
    used = {caption.id for caption in captions if not caption.code}
    return list(dict.fromkeys(each.id for each in captions if each.code and each.id not in used and each.id != NO_NAME))


def named(images: Iterable[str], names: Iterable[str]) -> dict[str, str]:
    """The image that each name means: the one of this path, else the one that is named so alone, and by it alone.

    Accents in either form, \\ for /, then whatever the case, then by the file's name, then without its suffix.
    """
    all_images, all_names = list(dict.fromkeys(images)), list(dict.fromkeys(names))
    found: dict[str, str] = {}
    taken: set[str] = set()
    for alike in ALIKE:
        counts = Counter(map(alike, all_names))
        places: dict[str, list[str]] = {}
        for image in all_images:
            places.setdefault(alike(image), []).append(image)
        for name in all_names:
            there = places.get(alike(name), [])
            if name not in found and len(there) == 1 and counts[alike(name)] == 1 and there[0] not in taken:
                found[name] = there[0]
                taken.add(there[0])
    return found


def _path(name: str) -> str:
    return re.sub(r"^(?:\./)+", "", one_form(name).replace("\\", "/"))


def _file_name(name: str) -> str:
    return _path(name).rpartition("/")[2]


def _stem(name: str) -> str:
    """A file's name without the suffix of an image: "fig.2" has none."""
    file_name = _file_name(name)
    is_image = is_read(file_name) or unread_by_name(file_name)
    return (PurePosixPath(file_name).stem if is_image else file_name).casefold()


ALIKE: tuple[Callable[[str], str], ...] = (
    str, _path, lambda name: _path(name).casefold(), _file_name, lambda name: _file_name(name).casefold(), _stem,
)  # fmt: skip


def _files(folder: Place) -> Iterator[str]:
    """The paths of all files below a folder but hidden ones."""
    if isinstance(folder.filesystem, fs.LocalFileSystem):
        # Not by pyarrow, which follows links in circles, leaves out broken ones, and stops at names that are not UTF-8.
        yield from files_below(Path(folder.path))
        return
    found = folder.filesystem.get_file_info(fs.FileSelector(folder.path, recursive=True))
    below = (info.path[len(folder.path) + 1 :] for info in found if info.is_file)
    yield from (path for path in below if not is_hidden(path))


def _figure(folder: Place, path: str) -> FigureWork | None:
    """A file as work; None where it is no image."""
    if is_read(path):
        return FigureWork(path)
    kind = unread_by_name(path)
    if not kind and is_other(path):
        return None
    head = b"" if kind else _head(folder / path)
    if is_read_by_bytes(head):
        return FigureWork(path)
    kind = kind or unread_by_bytes(head)
    return FigureWork(path, code="not_read", message=not_read(kind)) if kind else None


def _head(file: Place) -> bytes:
    """The first bytes of a file; none where it cannot be read."""
    try:
        if file.is_local:
            with Path(file.path).open("rb") as stream:
                return stream.read(HEAD)
        with file.filesystem.open_input_file(file.path) as stream:
            return bytes(stream.read(HEAD))
    except (OSError, ValueError):
        return b""
