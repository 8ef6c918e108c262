"""What may pass and what may not, and the row that says so."""

import pytest

from core.failures import cure, is_of_host, reject_of
from core.rejection import RejectionError


@pytest.mark.parametrize(
    ("code", "passes", "of_host"),
    [
        ("timeout", True, True), ("connection", True, True), ("host_down", True, True), ("http_408", True, True),
        ("http_429", True, True), ("http_500", True, True), ("http_599", True, True), ("checksum", True, False),
        ("incomplete", True, False), ("encoding", True, False), ("not_a_listing", True, False),
        ("unreadable", True, False), ("http_403", False, False), ("gone", False, False), ("licence", False, False),
        ("too_large", False, False), ("bug", False, False), ("crashed", False, False), ("tls", False, False),
    ],
)  # fmt: skip
def test_a_reason_is_one_that_may_pass_or_not(code: str, passes: bool, of_host: bool) -> None:
    assert bool(cure(code)) == passes and is_of_host(code) == of_host
    row = reject_of("i", "PMC1.1", "figures", RejectionError(code, "m"))
    assert row.kind == ("failed" if passes else "left_out")
    assert bool(row.time) == bool(row.cure) == passes


def test_an_error_that_nobody_foresaw_is_a_reason_too() -> None:
    row = reject_of("i", "PMC1.1", "figures", KeyError("x" * 900))
    assert (row.code, row.kind) == ("bug", "left_out") and row.message.startswith("KeyError: 'xx")
    assert len(row.message) == 500
