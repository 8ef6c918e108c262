"""The articles of a run: asked for once and kept, and dealt out to parts of about the same size."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from core.config import UserError
from core.places import Place
from core.settings import SelectSettings, SourceSettings
from core.split import part_of
from pipelines.sources import inventory, pmc
from pipelines.sources.transport import FetchError
from pipelines.sources.turns import Turns
from pipelines.sources.ways import Found, find

IN_A_PART = 100  # articles; whole figures of all kinds are some 80 MB; what a task holds of them: bench/held.py
OLDER = 250  # of runs of before December 2026
FEWEST_PARTS = 16
ADDED = "added-"  # lists of articles that joined later
MOST_LOOKED_AT = 200  # folders, where a bucket is not


def listed(
    folder: Place, source: SourceSettings, select: SelectSettings, turns: Mapping[str, Turns] = pmc.NO_TURNS
) -> list[str]:
    """The articles of this run: as listed when it began, else asked for now; raises UserError, also where none are.

    `articles.json` holds them; `found.json`, written before it, the queries, what each step found, the day, and the
    inventory that tells which state of the bucket this is.
    """
    file = folder / "articles.json"
    if not file.exists():
        refuse_unnamed(source)
        try:
            found = _ask(source, select, turns)
            report = inventory.newest(pmc.open_bucket(source, turns))
        except FetchError as error:
            raise UserError(f"no articles from {source.origin}: {error.message}") from error
        except NotADirectoryError as error:
            raise UserError(str(error)) from error
        if not found.articles:
            raise UserError(_nothing(source, found))
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        told = {
            "day": day,
            "index": source.index,
            "in_a_part": IN_A_PART,
            **asdict(found),
            "inventory": asdict(report) if report else None,
        }
        del told["articles"]
        (folder / "found.json").write_json(told)
        file.write_json(found.articles)
    return folder_list(file)


@dataclass(frozen=True)
class Refreshed:
    """What a source says when it is asked again."""

    day: str
    new: tuple[str, ...] = ()  # articles that it did not list before
    changed: tuple[str, ...] = ()  # articles whose version is another one now, or withdrawn


def ask_again(
    folder: Place, source: SourceSettings, select: SelectSettings, turns: Mapping[str, Turns] = pmc.NO_TURNS
) -> Refreshed:
    """Ask for the articles of a run that stands; new ones are kept as `added-001.json`, in parts of their own."""
    refuse_unnamed(source)
    known = {*folder_list(folder / "articles.json"), *(pmcid for part in added(folder) for pmcid in part)}
    try:
        found = _ask(source, select, turns)
    except FetchError as error:
        raise UserError(f"no articles from {source.origin}: {error.message}") from error
    new = [pmcid for pmcid in found.articles if pmcid not in known]
    if new:
        times = sum(name.startswith(ADDED) for name in folder.files())
        (folder / f"{ADDED}{times + 1:03d}.json").write_json(new)
    return Refreshed(datetime.now(UTC).strftime("%Y-%m-%d"), tuple(new))


def added(folder: Place) -> list[list[str]]:
    """The articles that joined a run after it was listed, part by part."""
    lists = [folder_list(folder / name) for name in folder.files() if name.startswith(ADDED)]
    most = in_a_part(folder)
    return [each[at : at + most] for each in lists for at in range(0, len(each), most)]


def folder_list(file: Place) -> list[str]:
    """The articles that a file lists; raises UserError, naming it, where it is damaged."""
    try:
        found = file.read_json()
        if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
            raise ValueError("not a list of articles")
    except FileNotFoundError as error:
        raise UserError(f"{file} is missing: the run has no list of its articles") from error
    except ValueError as error:
        raise UserError(
            f"{file} is damaged ({error}); delete it, and `figray collect` asks for the articles again"
        ) from error
    return found


def refuse_unnamed(source: SourceSettings) -> None:
    """NCBI asks callers to name themselves: raise UserError where nobody does."""
    asks_ncbi = source.origin == "pmc" and (source.index != "europepmc" or source.links == "idconv")
    if asks_ncbi and (urlsplit(source.esearch_url).hostname or "").endswith("ncbi.nlm.nih.gov") and not source.email:
        raise UserError(
            "NCBI asks every caller for an e-mail address: --set source.email=you@example.org "
            "(a key in the environment, NCBI_API_KEY, makes it faster)"
        )


def dealt(articles: Sequence[str], parts: int) -> list[list[str]]:
    """The articles of each part: an article's part depends on its id alone."""
    slices: list[list[str]] = [[] for _ in range(parts)]
    for article in articles:
        slices[part_of(article, parts)].append(article)
    return slices


def parts_for(articles: int, asked: int | None, *, each: int = IN_A_PART) -> int:
    """How many parts a corpus has: as many as asked, or so many that a part stays the same size however it grows."""
    return asked or max(FEWEST_PARTS, -(-articles // each))


def in_a_part(folder: Place) -> int:
    """How many articles a part of a run has at most, as was decided when its articles were listed."""
    file = folder / "found.json"
    return int(file.read_json().get("in_a_part", OLDER)) if file.exists() else OLDER


def _ask(source: SourceSettings, select: SelectSettings, turns: Mapping[str, Turns]) -> Found:
    if source.origin == "pmc":
        return find(source, select, pmc.open_transport(source, turns))
    articles = pmc.listed(pmc.open_bucket(source, turns))
    return Found(articles[: source.max_articles], {"articles": len(articles)})


def _nothing(source: SourceSettings, found: Found) -> str:
    """What is said where there are no articles: what was asked, or where a bucket lies if not there."""
    if source.origin == "pmc":
        counts = "; ".join(f"{name}: {number:,}" for name, number in found.counts.items())
        asked = "; ".join(f"{index} was asked: {query}" for index, query in found.queries.items())
        return f"no article was found ({counts}); {asked}"
    root = source.origin.removeprefix("bucket:")
    near = "" if "://" in root else _bucket_near(Path(root))
    hint = f"; {near} has: --source bucket:{near}" if near else ""
    return f"{source.origin} has no articles: there is no metadata/PMC….json in it, as PMC's bucket has them{hint}"


def _bucket_near(root: Path) -> str:
    """A folder that holds a bucket, one or two levels above or below a folder that does not; "" where there is none."""
    below = (path for pattern in ("*", "*/*") for path in sorted(root.glob(pattern)) if path.is_dir())
    places = (*root.resolve().parents[:2], *islice(below, MOST_LOOKED_AT))
    return next((str(place) for place in places if next(place.glob("metadata/PMC*.json"), None)), "")
