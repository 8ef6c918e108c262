"""What failed and may pass, and what is left out for good: the one place that says which reason is of which kind."""

import re
from datetime import UTC, datetime
from typing import Any

from core.records import Reject

AGAIN = "the same command again, or `figray retry`, fetches it"
# Reasons that say nothing of the item itself, with what mends them.
PASSING = {
    "timeout": AGAIN,
    "connection": f"see that the network is there; {AGAIN}",
    "host_down": f"wait until the host answers; {AGAIN}",
    "checksum": f"the file was damaged on its way, or is being replaced; {AGAIN}",
    "incomplete": f"the file was cut on its way; {AGAIN}",
    "encoding": f"the answer was damaged on its way; {AGAIN}",
    "not_a_listing": f"something else than the bucket has answered, such as a proxy; {AGAIN}",
    "unreadable": f"see that the file may be read; {AGAIN}",
}
OF_STATUS = re.compile(r"http_(408|425|429|5\d\d)")
OF_HOST = frozenset({"timeout", "connection", "host_down"})  # and its statuses: the host's, and not the file's


def cure(code: str) -> str:
    """What mends a failure, in words; "" for what is left out for good."""
    return AGAIN if OF_STATUS.fullmatch(code) else PASSING.get(code, "")


def is_of_host(code: str) -> bool:
    """Whether it is the host that fails: others of it will too."""
    return code in OF_HOST or bool(OF_STATUS.fullmatch(code))


def reject_of(item_id: str, article_id: str, stage: str, error: Exception) -> Reject:
    """The row of what an error cost; one that nobody foresaw is a reason too, `bug`, of the item that brought it up."""
    code, message = getattr(error, "code", "bug"), getattr(error, "message", f"{type(error).__name__}: {error}")
    told: dict[str, Any] = {}
    if cure(code):
        attempts = int(getattr(error, "attempts", 1))
        told = {"kind": "failed", "attempts": attempts, "time": _now(), "cure": cure(code)}
    return Reject(item_id=item_id, article_id=article_id, stage=stage, code=code, message=message[:500], **told)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
