"""ESearch: all ids of a query whatever their number, politely, and errors that come with HTTP 200."""

import json
import threading
import time
from collections.abc import Iterator
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from core.settings import SourceSettings
from pipelines.sources import esearch
from pipelines.sources.esearch import ids
from pipelines.sources.transport import FetchError, Transport


class Index:
    """Articles with days of publication, answering as ESearch does: 9,999 ids of a query at most."""

    def __init__(self) -> None:
        self.days: list[date] = []
        self.errors: list[str] = []  # of the next requests
        self.extra: dict[str, object] = {}
        self.ignores_dates = False
        self.page = 10_000
        self.queries: list[dict[str, str]] = []
        self.moments: list[float] = []

    def reply(self, query: dict[str, str]) -> str:
        self.queries.append(query)
        self.moments.append(time.monotonic())
        if self.errors:
            return '{"header":{},"esearchresult":{"ERROR":"' + self.errors.pop(0) + '"}}'
        start, size = int(query.get("retstart", 0)), min(int(query["retmax"]), self.page)
        if start > 9998:
            return '{"esearchresult":{"ERROR":"\'retstart\' cannot be\nlarger than 9998"}}'
        found = [str(number) for number, day in enumerate(self.days, start=1) if self.within(day, query)]
        page = found[start : min(start + size, 9999)]
        result = {"count": str(len(found)), "idlist": page, "webenv": "W", "querykey": "1"} | self.extra
        return json.dumps({"esearchresult": result})

    def within(self, day: date, query: dict[str, str]) -> bool:
        if self.ignores_dates or "mindate" not in query:
            return True
        first, last = (date(*map(int, query[name].split("/"))) for name in ("mindate", "maxdate"))
        return query["datetype"] == "pdat" and first <= day <= last


@pytest.fixture
def index() -> Index:
    return Index()


@pytest.fixture
def source(index: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[SourceSettings]:
    monkeypatch.delenv("NCBI_API_KEY", raising=False)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            body = index.reply(query).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}/esearch.fcgi"
    yield SourceSettings(esearch_url=url, query="brain[Figure/Table Caption]", esearch_per_second=1000)
    server.shutdown()
    server.server_close()


def found(source: SourceSettings) -> list[str]:
    numbers = ids(source, to(source), "pmc", source.query or "", wanted=source.max_articles)
    return [f"PMC{number}" for number in numbers]


def to(source: SourceSettings) -> Transport:
    return Transport([source.esearch_url], attempts=3, deadline=10, max_bytes=10**7, backoff=0.01)


def refusal(source: SourceSettings) -> FetchError:
    with pytest.raises(FetchError) as refused:
        found(source)
    return refused.value


def test_a_small_result_comes_in_pages_of_one_history(index: Index, source: SourceSettings) -> None:
    index.days = [date(2016, 1, 1)] * 4500
    assert found(source) == [f"PMC{number}" for number in range(1, 4501)]
    assert [query.get("retstart") for query in index.queries] == [None, "0", "2000", "4000"]
    assert {query.get("WebEnv") for query in index.queries[1:]} == {"W"}
    first = index.queries[0]
    assert (first["db"], first["term"], first["retmode"], first["tool"]) == ("pmc", source.query, "json", "figray")
    assert first["usehistory"] == "y"


def test_nothing_found_is_an_empty_list(source: SourceSettings) -> None:
    assert found(source) == []


def test_more_than_the_cap_is_divided_by_dates_and_found_whole(index: Index, source: SourceSettings) -> None:
    begin = date(2001, 1, 1)
    index.days = [begin + timedelta(days=number % 6000) for number in range(25_000)]
    identifiers = found(source)
    assert len(identifiers) == len(set(identifiers)) == 25_000
    assert all(int(query.get("retstart", 0)) < 9999 for query in index.queries)


def test_short_pages_lose_nothing(index: Index, source: SourceSettings) -> None:
    index.days, index.page = [date(2016, 1, 1)] * 3000, 700
    assert len(found(source)) == 3000


def test_no_more_articles_than_wanted_are_asked_for(index: Index, source: SourceSettings) -> None:
    index.days = [date(2016, 1, 1)] * 20_000
    assert found(source.model_copy(update={"max_articles": 7})) == [f"PMC{number}" for number in range(1, 8)]
    assert len(index.queries) == 2


def test_windows_that_are_ignored_are_noticed(index: Index, source: SourceSettings) -> None:
    index.days, index.ignores_dates = [date(2016, 1, 1)] * 20_000, True
    assert refusal(source).code == "esearch_dates"


def test_too_many_articles_of_one_day_are_an_error_and_not_a_loss(index: Index, source: SourceSettings) -> None:
    index.days = [date(2016, 1, 1)] * 10_000
    assert refusal(source).code == "esearch_cap"


def test_fewer_ids_than_counted_are_an_error(index: Index, source: SourceSettings) -> None:
    index.extra = {"count": "5"}
    assert refusal(source).code == "esearch_short"


def test_errors_with_raw_newlines_are_read_and_tried_again(index: Index, source: SourceSettings) -> None:
    index.days = [date(2016, 1, 1)]
    index.errors = ["Search Backend failed:\nException", "Database is not\tready"]
    assert found(source) == ["PMC1"]
    index.errors = ["Search Backend failed:\nException"] * 3
    error = refusal(source)
    assert (error.code, error.message) == ("esearch", "ESearch: Search Backend failed: Exception")


@pytest.mark.parametrize(
    "group", [{"errorlist": {"fieldsnotfound": ["x"]}}, {"warninglist": {"quotedphrasesnotfound": ["x"]}}]
)
def test_names_that_pmc_does_not_know_stop_the_search(
    index: Index, source: SourceSettings, group: dict[str, object]
) -> None:
    index.extra = group
    assert refusal(source).code == "esearch_query"


def test_the_caller_names_itself_and_its_key_stays_secret(index: Index, source: SourceSettings) -> None:
    named = source.model_copy(update={"email": "a@b.c", "api_key": SecretStr("SENTINEL")})
    assert found(named) == []
    assert (index.queries[0]["email"], index.queries[0]["api_key"]) == ("a@b.c", "SENTINEL")
    index.errors = ["API key SENTINEL is not valid"] * 3
    assert "SENTINEL" not in f"{refusal(named)!r}"


def test_the_key_may_stand_in_the_environment(
    index: Index, source: SourceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NCBI_API_KEY", "SENTINEL")
    assert found(source) == []
    assert index.queries[0]["api_key"] == "SENTINEL"


def test_no_second_sees_more_requests_than_allowed(index: Index, source: SourceSettings) -> None:
    index.days = [date(2016, 1, 1)] * (5 * esearch.PAGE - 1)
    found(source.model_copy(update={"esearch_per_second": 8.0}))
    assert len(index.moments) == 6
    # From the second on: the first has to make its connection, and arrives later than it was let go.
    assert index.moments[-1] - index.moments[1] >= 4 / 8 - 0.03
