"""figray search and compare: a run's model asked for images by words or by an image, or for the words that fit one."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from app import steps
from app.report.contact_sheet import data_uri
from app.report.templates import templates
from core.config import SettingError, UserError
from core.file_kinds import is_read, unread_by_name
from core.images import facts_apart, open_image
from core.places import Place
from core.records import Pair
from core.rejection import RejectionError
from core.settings import Config
from trainers.asking import Asked, Hit, nearest

MOST = 200  # hits of a page
SIDE = 220  # px of an image on it


def search(config: Config, run: Place, query: str, *, name: str, split: str, top: int) -> list[Hit]:
    """The pairs whose images are nearest to words, or to an image where the query is a file."""
    if not 0 < top <= MOST:
        raise SettingError(f"--top {top}: from 1 to {MOST}")
    if not query.strip():
        raise SettingError("name words or an image file to search for")
    is_file = os.path.isfile(query)  # noqa: PTH113 - where words are too long for a name, Path raises
    if not is_file and (is_read(query) or unread_by_name(query)):
        raise UserError(f"{query}: there is no such file")
    table = steps.table(run, "pairs", Pair)
    folders = [f"split={split}"] if split else [f"split={each}" for each in ("train", "val", "test")]
    files = [file for folder in folders for file in table.files(folder)]
    if not files:
        raise UserError(f"{table.place} has no pair{f' in split {split}' if split else ''}")
    asked = Asked(steps.checkpoint(run, name))
    vector = asked.image(_image(Path(query))) if is_file else asked.texts([query])
    return nearest(asked, vector, files, top=top, batch_size=config.evaluate.batch_size)


def compare(run: Place, image: Path, texts: Sequence[str], *, name: str) -> list[tuple[float, str]]:
    """Cosines of an image and texts, the best first."""
    if not texts or not all(text.strip() for text in texts):
        raise SettingError("name at least one text to compare, and none that is empty")
    folder, shown = steps.checkpoint(run, name), _image(image)
    asked = Asked(folder)
    scores = (asked.image(shown) @ asked.texts(texts).T)[0].tolist()
    found = [(round(score, 4), text) for score, text in zip(scores, texts, strict=True)]
    return sorted(found, key=lambda each: -each[0])


def _image(file: Path) -> Any:
    """A user's image, RGB; UserError where it is none."""
    try:
        data = file.read_bytes()
        facts_apart(data)
        return open_image(data).image
    except OSError as error:
        raise UserError(f"{file}: {error.strerror or error}") from error
    except RejectionError as error:
        raise UserError(f"{file}: {error.message}") from error


def page(hits: Sequence[Hit], query: str, name: str) -> str:
    """The hits as a page of its own."""
    shown = []
    for hit in hits:
        image = open_image(hit.row["image"]).image
        image.thumbnail((2 * SIDE, 2 * SIDE))
        facts = {key: hit.row.get(key, "") for key in ("pair_id", "text", "modality", "licence", "attribution")}
        shown.append({**facts, "image": data_uri(image), "score": f"{hit.score:.3f}"})
    about = f"The {len(hits)} images nearest to “{query}” by the model {name}; the number is the cosine."
    return templates("app").get_template("search.html").render(title=f"figray: {query}", about=about, hits=shown)


def lines(hits: Sequence[Hit]) -> list[str]:
    """The hits, a line each."""
    return [
        f"{place:3} {hit.score:6.3f} {hit.row['pair_id']}  {hit.row['text'][:90]}" for place, hit in enumerate(hits, 1)
    ]
