"""Parts to tasks and actors of Ray Data, with what each asks of a machine; what is there already is passed over.

In: a piece of work for each part of a table. Out: the parts that were committed, as they are done.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import ray
from ray.data import ActorPoolStrategy, TaskPoolStrategy

from core.cluster import nodes
from core.config import UserError
from core.runs import Part, RunConflict, Table
from core.stations import told_plainly

# Bytes that a worker holds, one with a reader beside it, and what each byte of a part adds: `python -m bench.held`.
TASK, READER, GROWTH = 3 * 2**27, 5 * 2**27, 8
Progress = Callable[[str, Part, int], None]  # station, the part just done, parts in all
Row = dict[str, Any]
Stage = Callable[[Any], Any]  # from one dataset of Ray to the next


class HostDown(UserError):
    """A host has failed one article after the other; what was not asked for any more is kept as failed."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"the host fails one article after the other ({reason}); what was fetched stays, and the same command "
            "goes on from there, with what failed first"
        )


class Slice(Protocol):
    """A part that is still to be made: a dataclass, with whatever else its stage takes."""

    @property
    def part(self) -> int:
        """Its number in the table."""

    @property
    def inputs(self) -> str:
        """A digest of what it is made from."""


def make_missing(station: str, table: Table, work: Sequence[Slice], progress: Progress, stage: Stage) -> None:
    """Make the parts that are missing."""
    todo = []
    for one in work:
        stands = table.part(one.part)
        if stands is None or getattr(one, "only", None) or getattr(one, "version", 0) > stands.version:
            todo.append(one)
        elif stands.inputs != one.inputs:
            raise RunConflict(
                f"part {one.part} of {table.place} was made from other inputs than stand before it; "
                "remove that folder to make it again, or use another run"
            )
        else:
            progress(station, stands, len(work))
    for part in _stream(station, todo, stage):
        progress(station, part, len(work))


def by_tasks(task: Callable[[Row], Row], *, cpus: float, at_once: int, largest: int = 0) -> Stage:
    """A stage in which a task takes each part, on so many logical CPUs, at most so many at a time.

    largest: bytes of the largest part that comes in.
    """
    asked = {"num_cpus": cpus, "resources": nodes("pipelines"), "memory": memory_of(TASK, largest)}
    return lambda rows: rows.map(task, compute=TaskPoolStrategy(size=at_once), **asked)


def size_of(part: Part) -> int:
    """Bytes of a part's files."""
    return sum(file.bytes for file in part.files)


def largest_of(parts: Sequence[Part]) -> int:
    """Bytes of the largest part."""
    return max(map(size_of, parts), default=0)


def reader_pool(fewest: int, most: int) -> ActorPoolStrategy:
    """From the fewest to the most actors; each has one part at a time, the next when it is through.

    Ray would queue a second part with each: at the end one waits behind a long one, beside actors that are idle.
    """
    return ActorPoolStrategy(min_size=fewest, max_size=most, max_tasks_in_flight_per_actor=1)


def by_actors(
    actor: type, made_with: tuple[Any, ...], *, cpus: float, pool: ActorPoolStrategy, largest: int = 0
) -> Stage:
    """A stage in which actors, each made once and on so many logical CPUs, take part after part; largest: see above."""
    asked = {"num_cpus": cpus, "resources": nodes("pipelines"), "memory": memory_of(READER, largest)}
    return lambda rows: rows.map(actor, compute=pool, fn_constructor_args=made_with, **asked)


def memory_of(base: int, largest: int) -> int:
    """Bytes that Ray keeps free for a task or actor, so that no node takes more of them than it has room for.

    No more than the smallest node has, where Ray was not started by cluster.yaml: it has to run somewhere.
    """
    asked = base + GROWTH * largest
    if nodes("pipelines") or not ray.is_initialized():
        return asked
    # A node that gives out none takes no task; those that are gone have no resources.
    return min([asked, *(int(node["Resources"]["memory"]) for node in ray.nodes() if "memory" in node["Resources"])])


def _stream(station: str, todo: Sequence[Slice], stage: Stage) -> Iterator[Part]:
    if not todo:
        return
    rows = ray.data.from_items([vars(work) for work in todo], override_num_blocks=len(todo))
    with told_plainly(station, "what was committed stays"):
        for row in stage(rows).iter_rows():
            yield Part.model_validate_json(row["part"])
            if row.get("down"):
                raise HostDown(row["down"])
