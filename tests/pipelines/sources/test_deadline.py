"""A deadline that no byte renews."""

import time

import httpx
import pytest

from pipelines.sources.deadline import limited, until
from tests.faults.network import OK, answering, body, drip


def test_bytes_that_drip_end_at_the_deadline_and_what_comes_in_time_is_read() -> None:
    client = httpx.Client(transport=limited(httpx.HTTPTransport()))
    with answering([body(b"whole"), drip(OK + b"Content-Length: 900\r\n\r\n", b"a")]) as address:
        with until(time.monotonic() + 5):
            assert client.get(address).content == b"whole"
        begun = time.monotonic()
        with pytest.raises(httpx.ReadTimeout), until(begun + 0.5):
            client.get(address, timeout=5)
        assert time.monotonic() - begun < 3


def test_a_moment_that_has_passed_asks_for_nothing() -> None:
    with answering([body(b"x")]) as address, pytest.raises(httpx.ReadTimeout), until(time.monotonic() - 1):
        httpx.Client(transport=limited(httpx.HTTPTransport())).get(address)
