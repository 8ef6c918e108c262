"""Article ids by NCBI's ESearch, from windows of dates small enough to be paged to their end (NCBI, E-utilities)."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from core.settings import SourceSettings
from pipelines.sources.known import advice
from pipelines.sources.transport import FetchError, PassingError, Transport

CAP = 9_999  # ids of one query that ESearch hands out
PAGE = 2_000  # ids of one reply
FIRST_DAY, LAST_DAY = date(1700, 1, 1), date(2199, 12, 31)  # of publication; wider than PMC
DRIFT = 0.01  # of a count: the index moves between two queries
UNKNOWN = (("errorlist", "fieldsnotfound"), ("errorlist", "phrasesnotfound"), ("warninglist", "quotedphrasesnotfound"))

Ask = Callable[[Mapping[str, str]], dict[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What a query finds in a range of publication dates: how much, and where NCBI keeps it."""

    dates: dict[str, str]
    count: int
    history: dict[str, str]


def ids(source: SourceSettings, transport: Transport, db: str, term: str, *, wanted: int | None = None) -> list[str]:
    """The ids that a query finds in a database of NCBI, pmc or pubmed, at most `wanted`; raises FetchError.

    Codes beside the transport's: esearch (the reply is an error), esearch_query (names that the database does not
    know), esearch_dates (windows that do not add up), esearch_cap (too many in one day), esearch_short (fewer than
    counted).
    """
    ask = partial(_ask, source, transport, db, term)
    found: dict[str, None] = {}
    for window in _windows(ask, wanted):
        for number in _numbers(ask, window):
            found[number] = None
            if len(found) == wanted:
                return list(found)
    return list(found)


def count(source: SourceSettings, transport: Transport, db: str, term: str) -> int:
    """How many a query finds, without fetching any; raises FetchError as ids() does."""
    return _window(partial(_ask, source, transport, db, term), {}).count


def caller(source: SourceSettings) -> dict[str, str]:
    """How figray names itself to NCBI: tool, e-mail and key, of those there are.

    The key of the environment goes to NCBI alone, and to this machine: settings of a stranger's run may name any host.
    """
    host = urlsplit(source.esearch_url).hostname or ""
    is_trusted = host.endswith(".ncbi.nlm.nih.gov") or host in ("127.0.0.1", "localhost", "::1")
    kept = os.environ.get("NCBI_API_KEY") if is_trusted else None
    key = source.api_key.get_secret_value() if source.api_key else kept
    named = {"tool": "figray", "email": source.email, "api_key": key}
    return {name: value for name, value in named.items() if value}


def _windows(ask: Ask, wanted: int | None) -> Iterator[Window]:
    """Windows that together hold what the query finds, each within the cap."""
    whole = _window(ask, {})
    if min(whole.count, wanted or whole.count) <= CAP:
        yield whole
    else:
        yield from _halves(ask, FIRST_DAY, LAST_DAY, count=whole.count)


def _halves(ask: Ask, first: date, last: date, *, count: int) -> Iterator[Window]:
    """A range of days with `count` articles, halved until each part is within the cap."""
    if first == last:
        raise FetchError("esearch_cap", f"{count} articles of {first}, at most {CAP} of one day; narrow the query")
    middle = first + (last - first) // 2
    ranges = [(first, middle), (middle + timedelta(days=1), last)]
    halves = [_window(ask, _dates(*days)) for days in ranges]
    # A window that ESearch ignores would find everything twice.
    if abs(sum(half.count for half in halves) - count) > DRIFT * count:
        raise FetchError(
            "esearch_dates", f"{count} articles, but {[half.count for half in halves]} before and after {middle}"
        )
    for half, days in zip(halves, ranges):
        if half.count > CAP:
            yield from _halves(ask, *days, count=half.count)
        else:
            yield half


def _dates(first: date, last: date) -> dict[str, str]:
    return {"datetype": "pdat", "mindate": f"{first:%Y/%m/%d}", "maxdate": f"{last:%Y/%m/%d}"}


def _window(ask: Ask, dates: dict[str, str]) -> Window:
    reply = ask(dates | {"retmax": "0"})
    history = {"WebEnv": reply.get("webenv", ""), "query_key": reply.get("querykey", "")}
    return Window(dates=dates, count=int(reply["count"]), history={name: key for name, key in history.items() if key})


def _numbers(ask: Ask, window: Window) -> Iterator[str]:
    """The ids of a window; pages may come short, so the next one starts where the last one ended."""
    start, end = 0, min(window.count, CAP)
    while start < end:
        place = {"retstart": str(start), "retmax": str(min(PAGE, end - start))}
        page = ask(window.dates | window.history | place)["idlist"]
        if not page:
            raise FetchError("esearch_short", f"{start} ids of {window.count} that ESearch counted")
        yield from page
        start += len(page)


def _ask(source: SourceSettings, transport: Transport, db: str, term: str, more: Mapping[str, str]) -> dict[str, Any]:
    """ESearch's result for the query with some parameters more."""
    named = caller(source)
    check = partial(_result, db=db, secret=named.get("api_key", ""))
    query = {"db": db, "term": term, "retmode": "json", "usehistory": "y"} | named
    return _result(
        transport.get(source.esearch_url, query | dict(more), per_second=source.esearch_per_second, check=check),
        db=db,
        secret=named.get("api_key", ""),
    )


def _result(reply: bytes, *, db: str, secret: str) -> dict[str, Any]:
    """The result in a reply; raises PassingError for errors, which come with HTTP 200 and may be over soon.

    The text of an error may hold raw newlines, and the key.
    """
    try:
        result = json.loads(reply, strict=False)["esearchresult"]
        error = result.get("ERROR") or (
            "" if str(result["count"]).isdigit() and "idlist" in result else "no count, no ids"
        )
    except (ValueError, LookupError, TypeError, AttributeError) as problem:
        raise PassingError("esearch", f"ESearch's reply is not its JSON: {type(problem).__name__}") from problem
    if error:
        shown = str(error).replace(secret, "***") if secret else str(error)
        raise PassingError("esearch", f"ESearch: {' '.join(shown.split())[:300]}")
    unknown = [name for group, kind in UNKNOWN for name in (result.get(group) or {}).get(kind) or []]
    if unknown:
        names = ", ".join(map(str, unknown))[:300]
        raise FetchError("esearch_query", f"ESearch of {db} does not know {names} in the query. {advice(db, unknown)}")
    return result
