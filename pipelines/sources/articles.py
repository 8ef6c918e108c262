"""The articles of a run: asked for once and kept, and dealt out to parts of about the same size."""

from collections.abc import Mapping, Sequence

from core.config import UserError
from core.places import Place
from core.runs import part_of
from core.settings import SourceSettings
from pipelines.sources import pmc
from pipelines.sources.transport import FetchError
from pipelines.sources.turns import Turns

IN_A_PART = 250  # articles; whole figures of all kinds are some 200 MB, which a task holds about three times
FEWEST_PARTS = 16


def listed(file: Place, source: SourceSettings, turns: Mapping[str, Turns]) -> list[str]:
    """The articles of this run: as listed when it began, else asked for now; raises UserError."""
    if not file.exists():
        try:
            file.write_json(_ask(source, turns))
        except FetchError as error:
            raise UserError(f"no articles from {source.origin}: {error.message}") from error
    return list(file.read_json())


def dealt(articles: Sequence[str], parts: int) -> list[list[str]]:
    """The articles of each part: an article's part depends on its id alone."""
    slices: list[list[str]] = [[] for _ in range(parts)]
    for article in articles:
        slices[part_of(article, parts)].append(article)
    return slices


def parts_for(articles: int, asked: int | None) -> int:
    """How many parts a corpus has: as many as asked, or so many that a part stays the same size however it grows."""
    return asked or max(FEWEST_PARTS, -(-articles // IN_A_PART))


def _ask(source: SourceSettings, turns: Mapping[str, Turns]) -> list[str]:
    if source.origin == "pmc":
        return pmc.search(source, pmc.open_transport(source, turns))
    return pmc.listed(pmc.open_bucket(source, turns))[: source.max_articles]
