"""Faults of networks and hosts, from a server of raw bytes on loopback."""

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from pipelines.sources.s3 import HttpBucket
from pipelines.sources.transport import Transport
from tests.faults.fault import Fault, end_of

Answer = bytes | Callable[[socket.socket], None]
OK = b"HTTP/1.1 200 OK\r\nConnection: close\r\n"


@contextmanager
def answering(answers: Sequence[Answer]) -> Iterator[str]:
    """A server whose connections get these answers in turn, the last for ever; its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    asked = [0]

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            answer = answers[min(asked[0], len(answers) - 1)]
            asked[0] += 1
            threading.Thread(target=_answer, args=(connection, answer), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        listening.close()


def _answer(connection: socket.socket, answer: Answer) -> None:
    try:
        with connection:
            while b"\r\n\r\n" not in connection.recv(65536):
                pass
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)
    except OSError:
        pass


def transport(address: str, *, deadline: float = 5.0, attempts: int = 2) -> Transport:
    return Transport([address], attempts=attempts, deadline=deadline, max_bytes=10**6, backoff=0.01)


def fetched(answers: Sequence[Answer], _: Path, *, deadline: float = 5.0) -> str:
    with answering(answers) as address:
        begun = time.monotonic()
        told = end_of(lambda: transport(address, deadline=deadline).get(f"{address}/x"))
        took = time.monotonic() - begun
        return told if took < 2 * deadline + 3 else f"only after {took:.0f} s: {told}"


def listed(pages: Sequence[bytes], _: Path) -> str:
    with answering([body(page) for page in pages]) as address:
        return end_of(lambda: HttpBucket(address, transport(address, attempts=1)).list("PMC1."))


def refused(_: Path) -> str:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    return end_of(lambda: transport(address).get(f"{address}/x"))


def body(data: bytes, headers: bytes = b"") -> bytes:
    return OK + headers + b"Content-Length: " + str(len(data)).encode() + b"\r\n\r\n" + data


def status(number: int, headers: bytes = b"") -> bytes:
    return f"HTTP/1.1 {number} x\r\nConnection: close\r\nContent-Length: 0\r\n".encode() + headers + b"\r\n"


def page(token: str) -> bytes:
    return (
        f"<ListBucketResult><Contents><Key>PMC1.1</Key></Contents><IsTruncated>true</IsTruncated>"
        f"<NextContinuationToken>{token}</NextContinuationToken></ListBucketResult>"
    ).encode()


def drip(first: bytes, drop: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(first)
        for _ in range(200):
            connection.sendall(drop)
            time.sleep(0.1)

    return answer


def reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def silent(connection: socket.socket) -> None:
    time.sleep(20)


PACKED = gzip.compress(b"one ") + gzip.compress(b"two")
PASSES = (408, 425, 429, 500, 502, 503, 504)
FAULTS = [
    *(Fault(f"HTTP {n}, always", f"http_{n}: ", partial(fetched, [status(n)])) for n in PASSES),
    *(
        Fault(f"HTTP {n} once, then the file", "read: b'file'", partial(fetched, [status(n), body(b"file")]))
        for n in (429, 503)
    ),
    Fault("HTTP 404: the article is withdrawn", "gone: ", partial(fetched, [status(404)])),
    Fault("HTTP 410", "gone: ", partial(fetched, [status(410)])),
    Fault("HTTP 403", "http_403: ", partial(fetched, [status(403)])),
    Fault("nobody listens", "connection: ", refused),
    Fault("the connection is reset", "connection: ", partial(fetched, [reset])),
    Fault("the connection is reset once", "read: b'file'", partial(fetched, [reset, body(b"file")])),
    Fault("the host accepts and says nothing", "timeout: ", partial(fetched, [silent], deadline=0.5)),
    Fault(
        "headers that drip, a byte each tenth of a second",
        "timeout: ",
        partial(fetched, [drip(b"HTTP/1.1 200 OK\r\nX-Long: ", b"a")], deadline=0.7),
    ),
    Fault(
        "a body that drips",
        "timeout: ",
        partial(fetched, [drip(OK + b"Content-Length: 1000\r\n\r\n", b"a")], deadline=0.7),
    ),
    Fault(
        "a body in chunks that drip",
        "timeout: ",
        partial(fetched, [drip(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n")], deadline=0.7),
    ),
    Fault("fewer bytes than stated", "connection: ", partial(fetched, [OK + b"Content-Length: 100\r\n\r\nabc"])),
    Fault("no HTTP at all", "connection: ", partial(fetched, [b"\0\1\2\3 what is this\r\n\r\n"])),
    Fault("redirects without end", "redirects: ", partial(fetched, [status(302, b"Location: /x\r\n")])),
    Fault(
        "a redirect to another host of the network",
        "ssrf: ",
        partial(fetched, [status(302, b"Location: http://169.254.169.254/latest\r\n")]),
    ),
    Fault("a redirect to a file", "ssrf: ", partial(fetched, [status(302, b"Location: file:///etc/passwd\r\n")])),
    Fault("a body larger than the cap", "too_large: ", partial(fetched, [body(bytes(2 * 10**6))])),
    Fault(
        "a gzip bomb",
        "too_large: ",
        partial(fetched, [body(gzip.compress(bytes(10**8)), b"Content-Encoding: gzip\r\n")]),
    ),
    Fault(
        "gzip of several members", "read: b'one two'", partial(fetched, [body(PACKED, b"Content-Encoding: gzip\r\n")])
    ),
    Fault("gzip that ends early", "connection: ", partial(fetched, [body(PACKED[:-9], b"Content-Encoding: gzip\r\n")])),
    Fault("gzip that is none", "encoding: ", partial(fetched, [body(b"plain", b"Content-Encoding: gzip\r\n")])),
    Fault("a coding that was not asked for", "encoding: ", partial(fetched, [body(b"x", b"Content-Encoding: br\r\n")])),
    Fault("a page of a proxy instead of a listing", "not_a_listing: ", partial(listed, [b"<html>Sign in</html>"])),
    Fault("a listing whose page follows itself", "bad_listing: ", partial(listed, [page("a")])),
    Fault(
        "a listing whose pages follow in a circle", "bad_listing: ", partial(listed, [page("a"), page("b"), page("a")])
    ),
]
