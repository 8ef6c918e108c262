"""Careful HTTP downloads: retries with full jitter, pauses of a whole host, a deadline, a cap, a list of hosts."""

import logging
import os
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.request import getproxies, proxy_bypass

import certifi
import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.rejection import RejectionError
from pipelines.sources.deadline import limited, until
from pipelines.sources.turns import ThreadTurns, Turns

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
GONE = frozenset({404, 410})
REDIRECTS = 3
LONGEST_WAIT = 120.0  # seconds; a host that asks for hours is asked again after this
LONGEST_BACKOFF = 60.0  # seconds
GZIP = 16 + zlib.MAX_WBITS  # zlib's sign for a gzip header

# Both log whole addresses, and an api_key stands in the query.
for chatty in ("httpx", "httpcore"):
    logging.getLogger(chatty).setLevel(logging.WARNING)


def https_proxy() -> str | None:
    """The proxy that the environment names for https, as HTTPS_PROXY or ALL_PROXY."""
    named = getproxies()
    return named.get("https") or named.get("all")


def _host(origin: str) -> str:
    return httpx.URL(origin).host


def certificates() -> ssl.SSLContext:
    """The certificates that are believed: those of the system, and of SSL_CERT_FILE and SSL_CERT_DIR where set."""
    context = ssl.create_default_context(cafile=certifi.where())
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        context.load_verify_locations(cafile=file, capath=folder)
    return context


def surroundings() -> list[str]:
    """What of the environment's proxies and certificates is used, in words, without passwords."""
    proxy = https_proxy()
    told = [f"proxy for https: {httpx.URL(proxy).host}" if proxy else "no proxy for https"]
    told += [f"{name}: {os.environ[name]}" for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if os.environ.get(name)]
    if proxy and (direct := getproxies().get("no")):
        told.append(f"without it: {direct}")
    if getproxies().get("http"):
        told.append("the proxy for plain http is not used: it would see keys")
    return told


class FetchError(RejectionError):
    """Something could not be fetched; the message holds no query, where keys stand."""


class PassingError(FetchError):
    """A fault that may be over at the next attempt."""

    attempts = 1  # that were made


class Transport:
    """HTTP GET from the hosts of the given addresses and no others; one instance serves many threads."""

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        attempts: int,
        deadline: float,
        max_bytes: int,
        connections: int = 8,
        backoff: float = 1.0,
    ) -> None:
        """Allow the origins of `addresses`; deadline and backoff in seconds, max_bytes after decompression."""
        self._turns: dict[str, Turns] = {origin(address): ThreadTurns() for address in addresses}
        self._deadline = deadline
        self._max_bytes = max_bytes
        self._retrying = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=stop_after_attempt(attempts),
            wait=wait_random_exponential(multiplier=backoff, max=LONGEST_BACKOFF),
            reraise=True,
        )
        limits, proxy = httpx.Limits(max_connections=connections), https_proxy()
        # Of the environment's proxies those of https alone: through a tunnel they see the host, and no address or key.
        # A proxy of plain http would see both, and what is asked by http lies on this machine or network.
        tunnel = limited(httpx.HTTPTransport(proxy=proxy, verify=certificates(), limits=limits)) if proxy else None
        direct = limited(httpx.HTTPTransport(verify=certificates(), limits=limits, trust_env=False))
        mounts = {"https://": tunnel} if tunnel else {}
        mounts |= {f"https://{host}": direct for host in map(_host, self._turns) if tunnel and proxy_bypass(host)}
        self._client = httpx.Client(
            transport=direct,
            headers={"User-Agent": "figray", "Accept-Encoding": "gzip"},
            trust_env=False,
            mounts=mounts,
            follow_redirects=False,
        )

    def share(self, turns: Mapping[str, Turns]) -> Self:
        """Take turns with other processes at these hosts, "https://host:443"; one that is not allowed stays so."""
        self._turns |= {host: each for host, each in turns.items() if host in self._turns}
        return self

    def get(
        self,
        url: str,
        params: Mapping[str, str | Sequence[str]] | None = None,
        *,
        per_second: float | None = None,
        check: Callable[[bytes], object] | None = None,
    ) -> bytes:
        """The body of an address; raises FetchError.

        per_second: requests at most to this host, over all who take turns there. check: raises PassingError for a
        body that another attempt may better. Codes: gone, ssrf, redirects, too_large, encoding, tls, timeout,
        connection, http_NNN.
        """
        retrying = self._retrying.copy()
        try:
            return retrying(self._follow, httpx.URL(url, params=params or None), per_second, check)
        except PassingError as error:
            error.attempts = int(retrying.statistics.get("attempt_number", 1))
            raise

    def _follow(self, url: httpx.URL, per_second: float | None, check: Callable[[bytes], object] | None) -> bytes:
        give_up_at = time.monotonic() + self._deadline
        for _ in range(REDIRECTS + 1):
            turns = self._turns.get(_origin(url))
            if turns is None:
                raise FetchError("ssrf", f"{_origin(url)} is none of the configured hosts")
            give_up_at += turns.enter(1 / per_second if per_second else 0.0)  # waiting for a turn is no slow download
            answer = self._answer(url, give_up_at)
            if isinstance(answer, bytes):
                if check is not None:
                    check(answer)
                return answer
            url = answer
        raise FetchError("redirects", f"{_shown(url)}: more than {REDIRECTS} redirects")

    def _answer(self, url: httpx.URL, give_up_at: float) -> bytes | httpx.URL:
        """The body, or where it is said to be.

        httpx counts a timeout anew with each byte that comes, so that headers or a body that drip would take for ever;
        the deadline is of every read of the connection (deadline.py).
        """
        left = max(give_up_at - time.monotonic(), 0.001)
        try:
            with until(give_up_at), self._client.stream("GET", url, timeout=left) as response:
                if response.has_redirect_location:
                    return url.join(response.headers["Location"])
                self._check_status(response)
                return b"".join(self._body(response, give_up_at))
        except httpx.TimeoutException as error:
            raise PassingError("timeout", f"{_shown(url)}: {type(error).__name__}") from error
        except httpx.TransportError as error:
            if isinstance(_root_cause(error), ssl.SSLCertVerificationError):
                raise FetchError("tls", f"{_shown(url)}: {error}") from error
            raise PassingError("connection", f"{_shown(url)}: {type(error).__name__}: {error}") from error
        except httpx.InvalidURL as error:
            raise FetchError("ssrf", f"{_shown(url)}: redirect to something that is no address") from error

    def _check_status(self, response: httpx.Response) -> None:
        status, shown = response.status_code, _shown(response.url)
        if status == 200:
            return
        if status in GONE:
            raise FetchError("gone", f"{shown}: HTTP {status}")
        if status in RETRIED:
            self._turns[_origin(response.url)].close_for(_asked_wait(response.headers.get("Retry-After")))
            raise PassingError(f"http_{status}", f"{shown}: HTTP {status}")
        raise FetchError(f"http_{status}", f"{shown}: HTTP {status}")

    def _body(self, response: httpx.Response, give_up_at: float) -> Iterator[bytes]:
        shown, size = _shown(response.url), 0
        for chunk in _decoded(response, self._max_bytes + 1):
            size += len(chunk)
            if size > self._max_bytes:
                raise FetchError("too_large", f"{shown}: more than {self._max_bytes} bytes")
            if time.monotonic() > give_up_at:
                raise PassingError("timeout", f"{shown}: not complete after {self._deadline:g} s")
            yield chunk


def _decoded(response: httpx.Response, at_most: int) -> Iterator[bytes]:
    """The chunks of a body, decompressed without ever holding more than `at_most` bytes in one piece.

    httpx would decompress a chunk whole, and codings one within the other, before its size can be seen.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        yield from response.iter_raw()
        return
    if encoding != "gzip":
        raise FetchError("encoding", f"{_shown(response.url)}: Content-Encoding {encoding[:40]!r} was not asked for")
    decoder, is_begun = zlib.decompressobj(GZIP), False
    try:
        for chunk in response.iter_raw():
            while chunk:
                is_begun = True
                if decoder.eof:  # one member after another, as `cat a.gz b.gz` makes them
                    decoder = zlib.decompressobj(GZIP)
                yield decoder.decompress(chunk, at_most)
                chunk = decoder.unconsumed_tail or decoder.unused_data
    except zlib.error as error:
        raise PassingError("encoding", f"{_shown(response.url)}: broken gzip: {error}") from error
    if is_begun and not decoder.eof:
        raise PassingError("connection", f"{_shown(response.url)}: gzip ends early")


def _asked_wait(retry_after: str | None) -> float:
    """The seconds that a Retry-After header asks for, as a number or a date, within bounds; 0 for none."""
    if not retry_after:
        return 0.0
    seconds = float(retry_after) if retry_after.strip().isdecimal() else _seconds_until(retry_after)
    return min(max(seconds, 0.0), LONGEST_WAIT)


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()


def origin(address: str) -> str:
    """The host of an address, "https://host:443"."""
    return _origin(httpx.URL(address))


def _origin(url: httpx.URL) -> str:
    """Scheme, host and port: what an address must share with a configured one."""
    port = url.port or {"http": 80, "https": 443}.get(url.scheme)
    return f"{url.scheme}://{url.host}:{port}"


def _shown(url: httpx.URL) -> str:
    """An address fit for messages: without its query, where keys stand, and without a user's name."""
    return str(url.copy_with(query=None, fragment=None, userinfo=b""))


def _root_cause(error: BaseException) -> BaseException:
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__ or error
    return error
