"""What a station brings up on Ray, as a user reads it."""

import pytest
from ray.data.exceptions import ExecutionTimeoutError
from ray.exceptions import RayTaskError

from core.config import UserError
from core.stations import StationStalled, told_plainly


def failed(cause: Exception) -> None:
    with told_plainly("pairs", "what was committed stays"):
        raise RayTaskError("task", "a trace", cause)


def test_a_station_that_stands_still_is_named() -> None:
    with (
        pytest.raises(StationStalled, match=r"(?s)station pairs stands still; what was committed stays.\nfor 300 s"),
        told_plainly("pairs", "what was committed stays"),
    ):
        raise ExecutionTimeoutError("for 300 s")


def test_what_a_user_can_mend_is_said_without_the_trace_and_a_bug_with_it() -> None:
    with pytest.raises(UserError, match=r"^no such folder$"):
        failed(UserError("no such folder\nFailed to apply UDF transform after 1/1 attempts (total backoff 0.0s).\nTo"))
    with pytest.raises(PermissionError):
        failed(PermissionError("no"))
    with pytest.raises(RayTaskError):
        failed(ValueError("a bug"))
