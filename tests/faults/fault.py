"""A fault that is injected for real, with its expected end; and how ends are told."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.rejection import RejectionError


@dataclass(frozen=True)
class Fault:
    """One row of docs/reliability.md. inject: into an empty folder; what it returns, the end, holds `end`."""

    what: str
    end: str
    inject: Callable[[Path], str]


def end_of(does: Callable[[], object]) -> str:
    """How something ends: the code and message of a rejection, the line of an error that a user can mend, or `read`."""
    from core.config import UserError

    try:
        done = does()
    except RejectionError as error:
        return f"{error.code}: {error.message}"
    except UserError as error:
        return str(error)
    return f"read: {done!r}"
