"""A run's model asked for images by words or by an image, or for the words that fit one."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from app import steps
from app.session import GOES_ON, connected, say, without_training
from core.config import SettingError, UserError
from core.file_kinds import is_read, unread_by_name
from core.images import facts_apart, open_image
from core.places import Place
from core.records import Pair
from core.rejection import RejectionError
from core.runs import PartFile
from core.settings import Config
from trainers.asking import Asked
from trainers.flops import LEAST_ON_RAY, evaluation_flops
from trainers.index import Hit, Index, made, nearest

INDEX = "index"  # the folder beside a model with the vectors of its run's images
MOST = 200  # hits of a page


@dataclass(frozen=True)
class Fit:
    """How a text fits an image."""

    score: float  # cosine
    text: str
    heat: NDArray[np.floating] | None  # (h, w), 0 to 1, of the image letterboxed to a square


def search(config: Config, run: Place, query: str, *, name: str, split: str, top: int) -> list[Hit]:
    """The pairs whose images are nearest to words, or to an image where the query is a file."""
    refuse_question(query, top)
    is_file = os.path.isfile(query)  # noqa: PTH113 - where words are too long for a name, Path raises
    if not is_file and (is_read(query) or unread_by_name(query)):
        raise UserError(f"{query}: there is no such file")
    files, folder = searched(run, split), steps.checkpoint(run, name)
    image = opened_image(Path(query)) if is_file else None
    asked = Asked(folder, device=steps.device_of(config))
    vector = asked.texts([query]) if image is None else asked.image(image)
    index = indexed(config, run, name, files, lambda: asked)
    return nearest(index, vector, top=top)[0]


def refuse_question(text: str, top: int) -> None:
    """SettingError for no words, and for more hits than a page has."""
    refuse_top(top)
    if not text.strip():
        raise SettingError("name words or an image file to search for")


def refuse_top(top: int) -> None:
    """SettingError for more hits than a page has, or none."""
    if not 0 < top <= MOST:
        raise SettingError(f"--top {top}: from 1 to {MOST}")


def searched(run: Place, split: str) -> dict[str, PartFile]:
    """The files of a run's pairs, path or URI -> file. split: "" for all. Raises UserError where there are none."""
    table = steps.table(run, "pairs", Pair)
    found = {
        (table.place / file.name).uri: file
        for part in table.parts()
        for file in part.files
        if file.rows and (not split or file.name.startswith(f"split={split}/"))
    }
    if not found:
        raise UserError(f"{table.place} has no pair{f' in split {split}' if split else ''}")
    return found


def indexed(config: Config, run: Place, name: str, files: Mapping[str, PartFile], opened: Callable[[], Asked]) -> Index:
    """The images of files as vectors of a model; what is missing is made, here, or by Ray where it is much.

    opened: the model, asked for where this process encodes.
    """

    def encode(missing: Sequence[str]) -> Iterator[Tensor]:
        if not missing:
            return
        images = sum(files[file].rows for file in missing)
        say(f"encoding {images:,} images, once for the model {name}")
        if images * evaluation_flops(config, 0) < LEAST_ON_RAY:
            yield from opened().files(missing, batch_size=config.evaluate.batch_size)
            return
        with connected(without_training(config), stopped=GOES_ON):
            from trainers.evaluation.on_ray import encode_images  # not before Ray's environment is set

            yield from encode_images(config, steps.checkpoint(run, name), missing)

    return made([(uri, file.sha256) for uri, file in files.items()], run / "models" / name / INDEX, encode)


def refuse_texts(texts: Sequence[str]) -> None:
    """SettingError without texts, or with an empty one."""
    if not texts or not all(text.strip() for text in texts):
        raise SettingError("name at least one text to compare, and none that is empty")


def fits(asked: Asked, image: Image.Image, texts: Sequence[str]) -> list[Fit]:
    """How well texts fit an image, the best first."""
    scores = (asked.image(image) @ asked.texts(texts).T)[0].tolist()
    maps: Sequence[Tensor | None] = asked.maps(image, texts) or [None] * len(texts)
    found = [
        Fit(round(score, 4), text, None if heat is None else heat.numpy())
        for score, text, heat in zip(scores, texts, maps, strict=True)
    ]
    return sorted(found, key=lambda each: -each.score)


def opened_image(file: Path) -> Image.Image:
    """A user's image, RGB; UserError where it is none."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}") from error
    return image_of(data, str(file))


def image_of(data: bytes, called: str) -> Image.Image:
    """An image file's bytes, RGB; UserError, with what it is called, where they are no image."""
    try:
        facts_apart(data)
        return open_image(data).image
    except RejectionError as error:
        raise UserError(f"{called}: {error.message}") from error
