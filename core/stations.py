"""What a user can mend while a station runs on Ray is said without Ray's trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from ray.data.exceptions import ExecutionTimeoutError
from ray.exceptions import RayTaskError

from core.config import UserError

ADDED = "\nFailed to apply UDF transform"


class StationStalled(UserError):
    """A station made no progress for cluster.progress_timeout seconds: too few CPUs, a dead service, a hung reader."""


@contextmanager
def told_plainly(station: str, stays: str) -> Iterator[None]:
    """While it runs: a stall is a StationStalled, a UserError or OSError of a task is raised as it was there."""
    try:
        yield
    except ExecutionTimeoutError as error:
        raise StationStalled(f"station {station} stands still; {stays}.\n{error}") from error
    except RayTaskError as error:
        if isinstance(error.cause, UserError | OSError):
            error.cause.args = tuple(_said(each) for each in error.cause.args)
            raise error.cause from None
        raise


def _said(told: object) -> object:
    """What was said before Ray Data wrote below it how often it has tried."""
    return told.partition(ADDED)[0] if isinstance(told, str) else told
