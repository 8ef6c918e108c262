"""Pieces of work, and who does them: this process here, tasks of Ray in pipelines/stream.py."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

Row = dict[str, Any]
Do = Callable[[Row], Any]  # of the fields of a work: a JSON value
Each = Callable[[Sequence[Any], Do], Iterable[Any]]  # works, dataclasses of JSON values: what is made, in their order

INLINE = 4  # works that this process does; more are tasks of Ray


def here(works: Sequence[Any], do: Do) -> Iterator[Any]:
    """The works one after the other, in this process."""
    return (do(asdict(work)) for work in works)
