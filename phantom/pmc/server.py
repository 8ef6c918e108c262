"""Serves a bucket on loopback as NCBI's ESearch and the PMC Cloud (Amazon S3) answer, faults included."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from phantom.pmc.faults import FaultDraw, Faults
from phantom.pmc.listing import list_objects, no_such_key
from phantom.pmc.search_index import Entry, TermError, find, read_index

ESEARCH = "/entrez/eutils/esearch.fcgi"
BUCKET = "/pmc-oa-opendata"
LAST_START = 9998  # E-utilities answers no later retstart
# As NCBI sends it, a bare line break in a JSON string.
TOO_FAR = (
    "Search Backend failed: Exception:\n'retstart' cannot be larger than 9998. For PMC, ESearch can only retrieve "
    "the first 9,999 records matching the query."
)


@dataclass(frozen=True)
class Served:
    """Where the service listens, and every request's path and query so far, in order of arrival."""

    esearch_url: str
    bucket_url: str
    requests: list[str]


@dataclass(frozen=True)
class Answer:
    """A response before it is sent."""

    status: int
    content: bytes
    content_type: str
    headers: tuple[tuple[str, str], ...] = ()


@contextmanager
def serve(bucket: Path, *, faults: Faults | None = None) -> Iterator[Served]:
    """ESearch and the PMC Cloud over a bucket on disk, on a free port of 127.0.0.1, until the block ends."""
    server = _Server(bucket, FaultDraw(faults))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Served(address + ESEARCH, address + BUCKET, server.requests)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, bucket: Path, faults: FaultDraw) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.bucket, self.faults = bucket.resolve(), faults
        self.requests: list[str] = []
        self.index: list[Entry] = read_index(bucket)
        self.keys = sorted(path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file())
        self.history: dict[tuple[str, str], str] = {}  # (WebEnv, query_key) -> term

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path == ESEARCH:
            return self.search(query)
        if path.rstrip("/") == BUCKET and "list-type" in query:
            return Answer(200, list_objects(self.bucket, self.keys, query), "application/xml")
        if path.startswith(f"{BUCKET}/"):
            return self.read_object(unquote(path.removeprefix(f"{BUCKET}/")))
        return Answer(404, b"not found", "text/plain")

    def read_object(self, key: str) -> Answer:
        place = (self.bucket / key).resolve()
        if not place.is_relative_to(self.bucket) or not place.is_file():
            return Answer(404, no_such_key(key), "application/xml")
        content = place.read_bytes()
        tag = f'"{md5(content, usedforsecurity=False).hexdigest()}"'
        return Answer(200, content, "application/octet-stream", (("ETag", tag), ("Accept-Ranges", "bytes")))

    def search(self, query: dict[str, str]) -> Answer:
        term = self.history.get((query.get("WebEnv", ""), query.get("query_key", "")), query.get("term", ""))
        start, size = int(query.get("retstart", 0)), min(int(query.get("retmax", 20)), 10_000)
        if query.get("db") != "pmc" or query.get("retmode") != "json":
            return Answer(400, b"the phantom answers db=pmc and retmode=json", "text/plain")
        if start > LAST_START:
            text = json.dumps(_result({"ERROR": "@"})).replace("@", TOO_FAR)
            return Answer(200, text.encode(), "application/json")
        try:
            numbers = find(self._dated(query), term)
        except TermError as error:
            return Answer(200, json.dumps(_result({"ERROR": f"Invalid query: {error}"})).encode(), "application/json")
        page = numbers[start : min(start + size, LAST_START + 1)]
        found: dict[str, object] = {"count": str(len(numbers)), "retmax": str(len(page)), "retstart": str(start)}
        if query.get("usehistory") == "y":
            key = str(len(self.history) + 1)
            self.history["MCID_phantom", key] = term
            found |= {"querykey": key, "webenv": "MCID_phantom"}
        found |= {"idlist": [str(number) for number in page], "translationset": [], "querytranslation": term}
        return Answer(200, json.dumps(_result(found)).encode(), "application/json")

    def _dated(self, query: dict[str, str]) -> list[Entry]:
        """Articles between mindate and maxdate, to the year."""
        first, last = (int(query.get(name, default)[:4]) for name, default in (("mindate", "0"), ("maxdate", "9999")))
        return [entry for entry in self.index if first <= entry.year <= last]


def _result(found: dict[str, object]) -> dict[str, object]:
    return {"header": {"type": "esearch", "version": "0.3"}, "esearchresult": found}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._respond(body=True)

    def do_HEAD(self) -> None:
        self._respond(body=False)

    def _respond(self, *, body: bool) -> None:
        self.server.requests.append(self.path)
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        fault = self.server.faults.draw(parts.path, parts.query)
        if fault == "too_many":
            wait = str(self.server.faults.faults.retry_after)
            return self._send(
                Answer(429, b'{"error":"API rate limit exceeded"}', "application/json", (("Retry-After", wait),))
            )
        if fault == "unavailable":
            return self._send(Answer(503, b"<Error><Code>SlowDown</Code></Error>", "application/xml"))
        if fault == "slow":
            time.sleep(self.server.faults.faults.slow_seconds)
        answer = self.server.answer(parts.path, query)
        content = answer.content
        if fault == "corrupted":
            middle = len(content) // 2
            content = (
                content[:middle] + bytes(255 - byte for byte in content[middle : middle + 16]) + content[middle + 16 :]
            )
        if fault == "truncated" or not body:
            content = content[: len(content) // 2] if body else b""
        self._send(answer, content, close=fault == "truncated")

    def _send(self, answer: Answer, content: bytes | None = None, *, close: bool = False) -> None:
        """The answer; Content-Length is of the whole, however much of it is sent."""
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.content)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.content if content is None else content)
        self.close_connection = self.close_connection or close

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the requests are in Served.requests."""
