"""The commands on a user's own files: figures to panels, captions to subcaptions, both to pairs; JSON in, JSON out."""

import codecs
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from pyarrow import fs
from pydantic import TypeAdapter, ValidationError

from app.caption_files import FileError, captions_in
from app.session import in_words
from core.cluster import refuse_missing_weights
from core.file_kinds import READ
from core.places import Place
from core.settings import Config
from pipelines.loose_files import CaptionWork, FigureWork, figures_below, with_captions
from pipelines.loose_rows import read_here, split_here

Row = dict[str, Any]
Progress = Callable[[str, int, int, int], None]  # station, rows done, failed, in all


def figures_in(folder: Place) -> list[FigureWork]:
    """Every image below a folder as work; raises FileError if there are none."""
    if folder.filesystem.get_file_info(folder.path).type != fs.FileType.Directory:
        raise FileError(f"{folder} is no folder")
    works = figures_below(folder)
    if not works:
        raise FileError(f"{folder} has no images: no file ends in {', '.join(READ)}, or begins as these do")
    return works


def captioned_figures(folder: Place, captions: Path) -> list[FigureWork]:
    """The images below a folder with their captions by name, of any form that captions_in() reads; or FileError."""
    return with_captions(figures_in(folder), captions_in(captions))


def separate(
    config: Config, folder: Place, works: Sequence[FigureWork], *, out: Path, progress: Progress
) -> Counter[str]:
    """Panels and letters of figures, to a file; how many figures were read (""), and failed, by reason."""
    rows = figure_rows(config, folder, works)
    panels = (_kept(row, "width", "height", found="subfigures") for row in rows)
    return write_rows(out, panels, "figures", len(works), progress)


def pair_figures(
    config: Config, folder: Place, works: Sequence[FigureWork], *, out: Path, progress: Progress
) -> Counter[str]:
    """Pairs of figures that have captions, to a file; counts as of separate()."""
    rows = figure_rows(config, folder, works)
    return write_rows(out, (_kept(row, found="pairs") for row in rows), "figures", len(works), progress)


def split_captions(config: Config, works: Sequence[CaptionWork], *, out: Path, progress: Progress) -> Counter[str]:
    """Subcaptions of captions, to a file; counts as of separate()."""
    return write_rows(out, caption_rows(config, works), "captions", len(works), progress)


def are_few(config: Config, *works: Sequence[object]) -> bool:
    """Whether works are read in this process: fewer of each than `cluster.inline_below`."""
    return all(len(each) < config.cluster.inline_below for each in works)


def figure_rows(config: Config, folder: Place, works: Sequence[FigureWork]) -> Iterator[Row]:
    """A row for each figure, in their order, see stream.read_figures(); by Ray if they are not few.

    Raises UserError where weights that the settings name are not there, or none of figray's.
    """
    refuse_missing_weights(config)
    if are_few(config, works):
        return read_here(config, folder, works)
    from pipelines.stream import read_figures

    return read_figures(config, folder, works)


def caption_rows(config: Config, works: Sequence[CaptionWork]) -> Iterator[Row]:
    """A row for each caption, in their order, see stream.split_captions(); by Ray if they are not few."""
    if are_few(config, works):
        return split_here(config, works)
    from pipelines import stream

    return stream.split_captions(config, works)


def images_below(folder: Place) -> list[str]:
    """The paths of the images below a folder that are of a kind that is read; raises FileError if there are none."""
    images = [work.image for work in figures_in(folder) if not work.code]
    if not images:
        raise FileError(f"{folder} has no images of a kind that is read: {', '.join(READ)}")
    return images


def read_json(file: Path, shape: Any) -> Any:
    """A JSON file as a type that pydantic knows, or FileError, which says where it differs."""
    try:
        return TypeAdapter(shape).validate_json(file.read_bytes().removeprefix(codecs.BOM_UTF8))
    except OSError as error:
        raise FileError(f"{file}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ", ".join(str(part) for part in first["loc"])
        raise FileError(f"{file}: {f'at {where}: ' if where else ''}{first['msg']}") from error


def writable(out: Path) -> Path:
    """A file's path, its folder made; raises FileError where nothing can be written there."""
    if out.is_dir():
        raise FileError(f"{out} is a folder; name a file to write")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot make the folder of {out}: {in_words(error)}") from error
    if not os.access(out.parent, os.W_OK):
        raise FileError(f"{out.parent} may not be written to")
    return out


def write_rows(out: Path, rows: Iterator[Row], station: str, total: int, progress: Progress) -> Counter[str]:
    """Rows as a JSON list, put in place whole when the last has come; counts of those read and failed, by reason."""
    told: Counter[str] = Counter()
    with _replacing(out) as file:
        file.write("[")
        for done, row in enumerate(rows):
            file.write((",\n" if done else "\n") + json.dumps(row, ensure_ascii=False))
            told[row["error"]["code"] if "error" in row else ""] += 1
            progress(station, done + 1, done + 1 - told[""], total)
        file.write("\n]\n")
    return told


@contextmanager
def _replacing(file: Path) -> Iterator[TextIO]:
    """A stream that becomes the file when all is written; until then what stood there stands."""
    unfinished = file.with_name(f".{file.name}.part")
    try:
        # What is not UTF-8 in the name of a file becomes the escape that JSON has for it.
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as stream:
            yield stream
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)


def _kept(row: Row, *names: str, found: str) -> Row:
    """The columns that a command promises; a figure that could not be read has found nothing, and says why."""
    if "error" in row:
        return {"image": row["image"], "error": row["error"], found: []}
    return {name: row[name] for name in ("image", *names, found)}
