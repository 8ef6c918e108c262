"""Articles of a part fetched and committed: all of them, those alone that failed before, or those that have changed."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

from core.failures import is_of_host, reject_of
from core.records import Figure, Reject, from_table, to_table
from core.rejection import RejectionError
from core.runs import Part, Table
from core.settings import Config
from core.split import pmcid_of
from pipelines.sources import pmc
from pipelines.sources.inventory import Noted
from pipelines.sources.selection import article_types
from pipelines.sources.topics import keyword_of
from pipelines.sources.turns import Turns

DOWN_AFTER = 10  # articles one after the other that a host fails; then it is down, and no more are asked for
FEWEST = 3  # articles of a smaller part, where it has failed all of them
Row = dict[str, Any]
Fetched = tuple[list[Figure], list[Reject]]
Fetch = Callable[[str], Fetched]


@dataclass(frozen=True)
class Work:
    """A part that is still to be made."""

    part: int
    inputs: str
    articles: list[str]  # of `collect`; other stations read the part of the table before
    only: list[str] | None = None  # of a part that stands: the articles to fetch again; None: all
    version: int = 0  # how often what stood was made again since it was first committed


class Breaker:
    """Stops asking a host that fails one article after the other; several threads may ask."""

    def __init__(self, after: int = DOWN_AFTER) -> None:
        self._after, self._failed, self._served, self._lock = after, 0, 0, Lock()
        self.said = ""  # by what it failed, once it is down

    def fetched(self, fetch: Fetch, pmcid: str) -> Fetched:
        """What fetch finds, or that the host is down."""
        if self.said:
            return [], [reject_of(pmcid, pmcid, pmc.STAGE, RejectionError("host_down", self.said))]
        figures, rejects = fetch(pmcid)
        failed = [reject for reject in rejects if is_of_host(reject.code)]
        with self._lock:
            self._failed = self._failed + 1 if failed and not figures else 0
            self._served += not failed
            if self._failed >= self._after:
                self.said = failed[-1].message
        return figures, rejects

    def settle(self) -> str:
        """By what the host is down, "" where it is not: of a small part where it has failed every article."""
        if not self.said and not self._served and self._failed >= FEWEST:
            self.said = f"all of {self._failed} articles failed"
        return self.said


def collect_part(
    row: Row, *, config: Config, table: Table, connections: int, turns: Mapping[str, Turns] = pmc.NO_TURNS
) -> Row:
    """Fetch one part's articles and commit their figures; {part, down}: why the host is asked for no more, if so."""
    work = Work(**row)
    bucket = Noted(pmc.open_bucket(config.source, turns))
    types = article_types(config.select, config.source)
    wanted = {"article_types": types, "keyword": keyword_of(config.select, config.source)}
    fetch = partial(pmc.fetch, bucket, select=config.select.model_copy(update=wanted))
    breaker = Breaker()
    asked = work.articles if work.only is None else work.only
    with ThreadPoolExecutor(connections) as threads:
        fetched = list(threads.map(partial(breaker.fetched, fetch), asked))
    notes = table.place / f"metadata-{work.part:05d}.json"
    known: dict[str, str] = {}
    if work.only is not None:
        kept = standing(table, work, fetched)
        fetched = [kept, *fetched]
        known = notes.read_json() if notes.exists() else {}
    notes.write_json(known | bucket.etags)
    part = commit(table, work, fetched)
    return {"part": part.model_dump_json(), "down": breaker.settle()}


def standing(table: Table, work: Work, fetched: Sequence[Fetched]) -> Fetched:
    """What stays of a part of which some articles were fetched again.

    An article that was kept and now fails stays as it was. Of one that has another version, or is withdrawn, the old
    rows go, with a reason.
    """
    again = set(work.only or ())
    figures = from_table(table.read_part(work.part), Figure)
    rejects = from_table(table.rejects_of(work.part), Reject)
    old: list[Figure] = [figure for figure in figures if pmcid_of(figure.article_id) not in again]
    gone = [reject for reject in rejects if pmcid_of(reject.article_id) not in again]
    for pmcid, (found, why) in zip(work.only or (), fetched, strict=True):
        before = [figure for figure in figures if pmcid_of(figure.article_id) == pmcid]
        past = [reject for reject in rejects if pmcid_of(reject.article_id) == pmcid]
        gone += [reject for reject in past if reject.code == "superseded"]
        if before and not found and any(reject.kind == "failed" for reject in why):
            old += before
            gone += [reject for reject in past if reject.code != "superseded"]
            why.clear()
            continue
        _count_attempts(why, past)
        gone += _superseded(before, found)
    return old, gone


def _count_attempts(now: list[Reject], before: Iterable[Reject]) -> None:
    """Add the attempts of earlier commands to those of this one."""
    made = {reject.item_id: reject.attempts for reject in before if reject.kind == "failed"}
    for number, reject in enumerate(now):
        if reject.kind == "failed" and reject.item_id in made:
            now[number] = replace(reject, attempts=reject.attempts + made[reject.item_id])


def _superseded(before: Sequence[Figure], now: Sequence[Figure]) -> list[Reject]:
    versions = {figure.article_id for figure in now}
    return [
        Reject(item_id=figure.figure_id, article_id=figure.article_id, stage=pmc.STAGE, code="superseded",
               message=f"{', '.join(sorted(versions))} has taken the place of this version")
        for figure in before if versions and figure.article_id not in versions
    ]  # fmt: skip


def commit(table: Table, work: Work, fetched: Sequence[Fetched]) -> Part:
    """A part's figures and what is missing from them, counted: every article is in one of the two, or both."""
    figures = [figure for found, _ in fetched for figure in found]
    rejects = [reject for _, left_out in fetched for reject in left_out]
    told = {pmcid_of(each.article_id) for each in figures} | {pmcid_of(each.article_id) for each in rejects}
    for pmcid in work.articles:
        if pmcid not in told:  # never: an article without figures is a reject of its own
            rejects.append(reject_of(pmcid, pmcid, pmc.STAGE, RejectionError("bug", "nothing was said of it")))
    if work.only is not None:
        figures.sort(key=lambda figure: work.articles.index(pmcid_of(figure.article_id)))
        rejects.sort(key=lambda reject: work.articles.index(pmcid_of(reject.article_id)))
    kept = {pmcid_of(figure.article_id) for figure in figures}
    counts = {"articles": len(work.articles), "articles_kept": len(kept), **unkept(work.articles, kept, rejects)}
    return table.commit(
        work.part, tables={"": to_table(figures, Figure)}, rejects=rejects, inputs=work.inputs, counts=counts,
        taken=len(figures) + len(rejects), version=work.version,
    )  # fmt: skip


def unkept(articles: Sequence[str], kept: Collection[str], rejects: Iterable[Reject]) -> dict[str, int]:
    """Articles that the index promised and of which no figure was kept, by the reason of the first of their rejects."""
    first: dict[str, str] = {}
    for reject in rejects:
        first.setdefault(pmcid_of(reject.article_id), reject.code)
    told = Counter(first.get(pmcid, "no_figures") for pmcid in articles if pmcid not in kept)
    return {f"unkept_{code}": number for code, number in sorted(told.items())}


def failed_of(table: Table, part: Part) -> list[str]:
    """The articles of a committed part of which something failed."""
    if not part.failed:
        return []
    rejects = from_table(table.rejects_of(part.part), Reject)
    return sorted({pmcid_of(reject.article_id) for reject in rejects if reject.kind == "failed"})


def changed_since(config: Config, table: Table, part: Part, turns: Mapping[str, Turns] = pmc.NO_TURNS) -> list[str]:
    """The articles of a part whose best version is no longer the one that was kept, or is none; FetchError."""
    bucket = pmc.open_bucket(config.source, turns)
    versions = {pmcid_of(each): each for each in table.read_part(part.part)["article_id"].unique().to_pylist()}
    found = []
    for pmcid, version in sorted(versions.items()):
        try:
            if pmc.best_version(bucket, pmcid, manuscripts=config.select.manuscripts).article_id != version:
                found.append(pmcid)
        except RejectionError as rejection:
            if not is_of_host(rejection.code):
                found.append(pmcid)
    return found
