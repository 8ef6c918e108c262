"""A deadline for all that a request does with its connection: a read has what is left of it, no byte renews it."""

import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ssl import SSLContext
from typing import Any

import httpcore
import httpx

NEVER = float("inf")


class _Current(threading.local):
    at = NEVER  # on this process's monotonic clock


_current = _Current()


@contextmanager
def until(moment: float) -> Iterator[None]:
    """What this thread asks of a limited transport ends at a moment of time.monotonic()."""
    before, _current.at = _current.at, moment
    try:
        yield
    finally:
        _current.at = before


def limited(transport: httpx.HTTPTransport) -> httpx.HTTPTransport:
    """The transport, whose connections keep to `until`."""
    pool: Any = transport._pool  # httpx hands no network backend on to httpcore, which has a place for one
    pool._network_backend = _Backend(pool._network_backend)
    return transport


def _left(timeout: float | None) -> float:
    left = _current.at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline of the request has passed")
    return left if timeout is None else min(timeout, left)


class _Backend(httpcore.NetworkBackend):
    def __init__(self, inner: httpcore.NetworkBackend) -> None:
        self.inner = inner

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        return _Stream(self.inner.connect_tcp(host, port, _left(timeout), local_address, socket_options))


class _Stream(httpcore.NetworkStream):
    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self.inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self.inner.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self.inner.write(buffer, _left(timeout))

    def close(self) -> None:
        self.inner.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self.inner.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)
