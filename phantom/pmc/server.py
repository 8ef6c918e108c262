"""Serves a bucket on loopback as NCBI, Europe PMC and the PMC Cloud (Amazon S3) answer, faults included."""

import gzip
import json
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from phantom.pmc.answers import Answer, Ncbi, europepmc
from phantom.pmc.faults import FaultDraw, Faults
from phantom.pmc.listing import LAST_MODIFIED, list_objects, no_such_key
from phantom.pmc.search_index import Entry, read_index

EUTILS = "/entrez/eutils/"
IDCONV = "/tools/idconv/api/v1/articles/"
EUROPEPMC = "/europepmc/webservices/rest/search"
BUCKET = "/pmc-oa-opendata"
INVENTORY = "inventory-reports/pmc-oa-opendata/metadata"


@dataclass(frozen=True)
class Served:
    """Where the services listen, and every request's path and query so far, in order of arrival."""

    esearch_url: str
    bucket_url: str
    idconv_url: str
    europepmc_url: str
    requests: list[str]

    @property
    def settings(self) -> dict[str, str]:
        """The settings by which figray asks here."""
        urls = ("esearch_url", "bucket_url", "idconv_url", "europepmc_url")
        return {f"source.{name}": getattr(self, name) for name in urls}


@contextmanager
def serve(bucket: Path, *, faults: Faults | None = None) -> Iterator[Served]:
    """The services over a bucket on disk, on a free port of 127.0.0.1, until the block ends."""
    server = _Server(bucket, FaultDraw(faults))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield Served(
            address + EUTILS + "esearch.fcgi",
            address + BUCKET,
            address + IDCONV,
            address + EUROPEPMC,
            server.requests,
        )
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
        self.ncbi = Ncbi(self.index)
        keys = sorted(path.relative_to(bucket).as_posix() for path in bucket.rglob("*") if path.is_file())
        self.made = inventory_of(self.bucket, keys)
        self.keys = sorted([*keys, *self.made])

    def answer(self, path: str, query: dict[str, list[str]]) -> Answer:
        first = {name: values[0] for name, values in query.items()}
        if path.startswith(EUTILS):
            return self.eutil(path.removeprefix(EUTILS), first, query.get("id", []))
        if path == IDCONV:
            return self.ncbi.idconv(first)
        if path == EUROPEPMC:
            return europepmc(self.index, first)
        if path.rstrip("/") == BUCKET and "list-type" in query:
            return Answer(200, list_objects(self.read, self.keys, first), "application/xml")
        if path.startswith(f"{BUCKET}/"):
            return self.read_object(unquote(path.removeprefix(f"{BUCKET}/")))
        return Answer(404, b"not found", "text/plain")

    def eutil(self, name: str, query: dict[str, str], ids: Sequence[str]) -> Answer:
        if name == "elink.fcgi":
            return self.ncbi.elink(query, ids)
        known = {"esearch.fcgi": self.ncbi.esearch, "einfo.fcgi": self.ncbi.einfo}
        return known[name](query) if name in known else Answer(404, b"not found", "text/plain")

    def read(self, key: str) -> bytes | None:
        """An object of the bucket or of its inventory; None where there is none."""
        if key in self.made:
            return self.made[key]
        place = (self.bucket / key).resolve()
        return place.read_bytes() if place.is_relative_to(self.bucket) and place.is_file() else None

    def read_object(self, key: str) -> Answer:
        content = self.read(key)
        if content is None:
            return Answer(404, no_such_key(key), "application/xml")
        tag = f'"{md5(content, usedforsecurity=False).hexdigest()}"'
        return Answer(200, content, "application/octet-stream", (("ETag", tag), ("Accept-Ranges", "bytes")))


def inventory_of(bucket: Path, keys: Sequence[str]) -> dict[str, bytes]:
    """The newest inventory of a bucket's metadata as S3 writes it: a manifest, and a CSV of keys and ETags, packed."""
    listed = [key for key in keys if key.startswith("metadata/")]
    tags = (md5((bucket / key).read_bytes(), usedforsecurity=False).hexdigest() for key in listed)
    rows = [f'"pmc-oa-opendata","{key}","{LAST_MODIFIED}","{tag}"\n' for key, tag in zip(listed, tags, strict=True)]
    data, made = f"{INVENTORY}/data/00000000.csv.gz", f"{INVENTORY}/2026-11-01T01-00Z/manifest.json"
    manifest = {"sourceBucket": "pmc-oa-opendata", "version": "2016-11-30", "files": [{"key": data}]}
    return {data: gzip.compress("".join(rows).encode(), mtime=0), made: json.dumps(manifest).encode()}


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
        query = parse_qs(parts.query, keep_blank_values=True)
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
