"""Downloads over a bad network: what is waited for, what is tried again, what is refused (fault matrix, 1 to 15)."""

import gzip
import logging
import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from pipelines.sources import transport as module
from pipelines.sources.transport import FetchError, PassingError, Transport

Answer = Callable[[BaseHTTPRequestHandler], None]


def say(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return answer


class Loopback:
    """A server that gives the scripted answers in turn, the last one for ever, and notes when it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer] = [say(200, b"whole")]
        self.asked: list[tuple[float, str]] = []
        loopback = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                loopback.asked.append((time.monotonic(), self.path))
                answer = loopback.answers.pop(0) if len(loopback.answers) > 1 else loopback.answers[0]
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def transport(self, *, attempts: int = 3, deadline: float = 5.0, max_bytes: int = 10**6) -> Transport:
        return Transport([self.url], attempts=attempts, deadline=deadline, max_bytes=max_bytes, backoff=0.01)


@contextmanager
def listening() -> Iterator[Loopback]:
    loopback = Loopback()
    thread = threading.Thread(target=loopback.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield loopback
    loopback.server.shutdown()
    loopback.server.server_close()


@pytest.fixture
def server() -> Iterator[Loopback]:
    with listening() as loopback:
        yield loopback


def refusal(transport: Transport, url: str) -> FetchError:
    with pytest.raises(FetchError) as refused:
        transport.get(url)
    return refused.value


def test_a_body_comes_back_whole_and_its_query_arrives(server: Loopback) -> None:
    assert server.transport().get(f"{server.url}/a b", {"term": "brain[x] & y"}) == b"whole"
    assert server.asked[0][1] == "/a%20b?term=brain%5Bx%5D+%26+y"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_faults_that_pass_are_tried_again_and_then_named(server: Loopback, status: int) -> None:
    server.answers = [say(status), say(status), say(200, b"whole")]
    assert server.transport().get(server.url) == b"whole"
    server.answers = [say(status)]
    assert refusal(server.transport(), server.url).code == f"http_{status}"
    assert len(server.asked) == 6


def test_what_is_gone_or_forbidden_is_asked_for_once(server: Loopback) -> None:
    for status, code in ((404, "gone"), (410, "gone"), (403, "http_403"), (400, "http_400")):
        server.answers = [say(status)]
        assert refusal(server.transport(), server.url).code == code
    assert len(server.asked) == 4


def test_retry_after_holds_back_every_thread(server: Loopback) -> None:
    server.answers = [say(429, Retry_After="1"), say(200, b"whole")]
    transport = server.transport()
    threads = [threading.Thread(target=transport.get, args=(server.url,)) for _ in range(4)]
    for thread in threads:
        thread.start()
        time.sleep(0.1)  # the later ones meet the pause that the first one caused
    for thread in threads:
        thread.join()
    first, *later = [moment for moment, _ in server.asked]
    assert len(later) == 4
    assert min(later) - first >= 1.0


def test_retry_after_as_a_date_is_understood(server: Loopback) -> None:
    server.answers = [
        say(503, Retry_After=format_datetime(datetime.now(UTC) + timedelta(seconds=3), usegmt=True)),
        say(200),
    ]
    server.transport().get(server.url)
    assert 0.9 < server.asked[1][0] - server.asked[0][0] < 3.5  # a date has whole seconds, and asking takes a while


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("7", 7), ("21600", 120), ("-5", 0), ("soon", 0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), ("nan", 0)],
)
def test_the_wait_asked_for_has_bounds(header: str | None, seconds: float) -> None:
    assert module._asked_wait(header) == seconds


def test_requests_keep_their_pace_over_all_threads(server: Loopback) -> None:
    transport = server.transport()
    threads = [threading.Thread(target=transport.get, args=(server.url,), kwargs={"per_second": 20}) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    moments = sorted(moment for moment, _ in server.asked)
    assert moments[-1] - moments[0] >= 7 / 20 - 0.03


def test_retries_keep_the_pace_too(server: Loopback) -> None:
    server.answers = [say(500), say(500), say(200)]
    server.transport().get(server.url, per_second=5)
    assert server.asked[2][0] - server.asked[0][0] >= 0.4 - 0.03


def test_a_silent_server_is_a_timeout(server: Loopback) -> None:
    server.answers = [lambda handler: time.sleep(1)]
    assert refusal(server.transport(attempts=1, deadline=0.2), server.url).code == "timeout"


def drip(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b"x")
        time.sleep(0.05)


def test_a_slow_drip_ends_at_the_deadline(server: Loopback) -> None:
    server.answers = [drip]
    begun = time.monotonic()
    assert refusal(server.transport(attempts=2, deadline=0.3), server.url).code == "timeout"
    assert time.monotonic() - begun < 2
    assert len(server.asked) == 2


def test_a_port_where_nobody_listens_is_a_connection_fault() -> None:
    with listening() as closed:
        url = closed.url
    assert refusal(Transport([url], attempts=2, deadline=1, max_bytes=10, backoff=0.01), url).code == "connection"


def short(handler: BaseHTTPRequestHandler) -> None:
    say(200, b"half", Content_Length="8")(handler)
    handler.close_connection = True


def test_a_body_shorter_than_announced_is_tried_again(server: Loopback) -> None:
    server.answers = [short, say(200, b"whole")]
    assert server.transport().get(server.url) == b"whole"
    server.answers = [short]
    assert refusal(server.transport(), server.url).code == "connection"


def test_a_body_that_fails_its_check_is_tried_again(server: Loopback) -> None:
    def check(body: bytes) -> None:
        if body != b"whole":
            raise PassingError("damaged", "not whole")

    server.answers = [say(200, b"damaged"), say(200, b"whole")]
    assert server.transport().get(server.url, check=check) == b"whole"
    server.answers = [say(200, b"damaged")]
    with pytest.raises(FetchError) as refused:
        server.transport().get(server.url, check=check)
    assert refused.value.code == "damaged"


def test_redirects_stay_on_the_host_and_end(server: Loopback) -> None:
    server.answers = [say(302, Location="/elsewhere"), say(307, Location=f"{server.url}/there"), say(200, b"whole")]
    assert server.transport().get(server.url) == b"whole"
    assert [path for _, path in server.asked] == ["/", "/elsewhere", "/there"]
    server.answers = [say(301, Location="/again")]
    assert refusal(server.transport(), server.url).code == "redirects"
    assert len(server.asked) == 3 + 4


@pytest.mark.parametrize(
    "location",
    [
        "http://169.254.169.254/",
        "file:///etc/passwd",
        "http://127.0.0.1:1/",
        "//evil.example/x",
        "http://[",
        "ftp://x/",
    ],
)
def test_redirects_to_other_hosts_are_never_followed(server: Loopback, location: str) -> None:
    server.answers = [say(302, Location=location)]
    assert refusal(server.transport(), server.url).code == "ssrf"
    assert len(server.asked) == 1


def test_another_port_of_an_allowed_host_is_another_host(server: Loopback) -> None:
    with listening() as other:
        assert refusal(server.transport(), other.url).code == "ssrf"
        server.answers = [say(302, Location=other.url)]
        assert refusal(server.transport(), server.url).code == "ssrf"
        assert other.asked == []


def test_a_gzip_bomb_stops_at_the_cap(server: Loopback) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 1)
    server.answers = [say(200, bomb, Content_Encoding="gzip")]
    assert refusal(server.transport(), server.url).code == "too_large"
    server.answers = [say(200, gzip.compress(b"whole"), Content_Encoding="gzip")]
    assert server.transport().get(server.url) == b"whole"


def test_gzip_that_breaks_or_ends_early_is_tried_again(server: Loopback) -> None:
    packed = gzip.compress(b"whole" * 100)
    server.answers = [
        say(200, packed[:-10], Content_Encoding="gzip"),
        say(200, b"\x1f\x8bnonsense", Content_Encoding="gzip"),
    ]
    server.answers.append(say(200, packed, Content_Encoding="gzip"))
    assert server.transport().get(server.url) == b"whole" * 100


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "zstd"])
def test_codings_that_were_not_asked_for_are_refused(server: Loopback, encoding: str) -> None:
    server.answers = [say(200, b"x", Content_Encoding=encoding)]
    assert refusal(server.transport(), server.url).code == "encoding"


def test_more_bytes_than_the_cap_are_refused(server: Loopback) -> None:
    server.answers = [say(200, b"x" * 1001)]
    assert refusal(server.transport(max_bytes=1000), server.url).code == "too_large"


def test_the_key_stands_in_no_message_and_in_no_log(server: Loopback, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = [
        say(500),
        say(400),
        say(404),
        short,
        say(302, Location="http://evil.example/?api_key=SENTINEL"),
        say(200, b"x" * 99),
    ]
    for answer in answers:
        server.answers = [answer]
        with pytest.raises(FetchError) as refused:
            server.transport(max_bytes=20).get(server.url, {"api_key": "SENTINEL"})
        assert "SENTINEL" not in f"{refused.value} {refused.value!r}"
    assert "SENTINEL" not in caplog.text
    assert "SENTINEL" in server.asked[0][1]


def test_proxies_of_the_environment_are_not_used(server: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    with listening() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("ALL_PROXY", proxy.url)
        assert server.transport().get(server.url) == b"whole"
        assert proxy.asked == []


@pytest.fixture
def unsigned(tmp_path: Path) -> Iterator[str]:
    """An https server whose certificate nobody signed, by its address."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to sign a certificate")
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with listening() as server:
        server.server.socket = context.wrap_socket(server.server.socket, server_side=True)
        yield server.url.replace("http:", "https:")


def test_a_certificate_that_nobody_signed_is_not_tried_twice(unsigned: str) -> None:
    found = refusal(Transport([unsigned], attempts=3, deadline=3, max_bytes=10, backoff=0.01), unsigned)
    assert found.code == "tls"


@pytest.mark.parametrize(("direct", "code"), [("", "connection"), ("example.org,127.0.0.1", "tls")])
def test_hosts_of_no_proxy_are_asked_without_the_proxy(
    unsigned: str, monkeypatch: pytest.MonkeyPatch, direct: str, code: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # where nobody listens
    monkeypatch.setenv("NO_PROXY", direct)
    found = refusal(Transport([unsigned], attempts=1, deadline=3, max_bytes=10, backoff=0.01), unsigned)
    assert found.code == code
    assert (f"without it: {direct}" in module.surroundings()) == bool(direct)
