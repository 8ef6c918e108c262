"""Article ids by Europe PMC's search, page by page along its cursor (europepmc.org/RestfulWebService)."""

import json
from typing import Any

from core.settings import SourceSettings
from pipelines.sources.transport import FetchError, PassingError, Transport

PAGE = 1000  # of one reply, the most
DRIFT = 0.01  # of the hits: the index moves while it is read


def ids(source: SourceSettings, transport: Transport, query: str, *, wanted: int | None = None) -> list[str]:
    """PMC ids that a query finds, at most `wanted`; raises FetchError, europepmc_short where pages end early."""
    found: dict[str, None] = {}
    mark, seen, hits = "*", 0, 0
    while True:
        page = _ask(source, transport, query, mark, PAGE)
        results, hits = page["resultList"]["result"], max(hits, int(page["hitCount"]))
        seen += len(results)
        for each in results:
            if each.get("pmcid"):
                found[str(each["pmcid"])] = None
                if len(found) == wanted:
                    return list(found)
        following = page.get("nextCursorMark")
        if not results or not following or following == mark:
            break
        mark = str(following)
    if seen < hits * (1 - DRIFT):
        raise FetchError("europepmc_short", f"{seen} results of {hits} that Europe PMC counted")
    return list(found)


def count(source: SourceSettings, transport: Transport, query: str) -> int:
    """How many a query finds."""
    return int(_ask(source, transport, query, "*", 1)["hitCount"])


def _ask(source: SourceSettings, transport: Transport, query: str, mark: str, size: int) -> dict[str, Any]:
    asked = {
        "query": query, "format": "json", "resultType": "lite", "pageSize": str(size), "cursorMark": mark,
        **({"email": source.email} if source.email else {}),
    }  # fmt: skip
    return _page(transport.get(source.europepmc_url, asked, per_second=source.esearch_per_second, check=_page))


def _page(reply: bytes) -> dict[str, Any]:
    try:
        page: dict[str, Any] = json.loads(reply)
        if "errMsg" in page:
            raise FetchError("europepmc", f"Europe PMC: {str(page['errMsg'])[:300]}")
        int(page["hitCount"]), page["resultList"]["result"]
    except (ValueError, LookupError, TypeError) as error:
        raise PassingError("europepmc", f"Europe PMC's reply is not its JSON: {type(error).__name__}") from error
    return page
