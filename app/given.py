"""figray dataset pairs: a user's own table of images and texts to the table `pairs/` of a run."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, get_args

from app import steps
from core.config import UserError
from core.failures import reject_of
from core.places import Place
from core.records import Pair, Reject, Split
from core.runs import Table, claim, digest
from core.settings import Config
from pipelines.given_pairs import Given, GivenPair, pair_of
from trainers.datasets.tables import by_split

IN_A_PART = 500  # rows


@dataclass(frozen=True)
class Slice:
    """A part that is still to be made."""

    part: int
    inputs: str
    works: list[dict[str, Any]]


def write_pairs(config: Config, run: Place, found: Given, progress: steps.Progress) -> Table:
    """The rows of a table as pairs of a run; what is there already stays. Raises UserError where no row is of use."""
    from pipelines.build import by_tasks, make_missing  # not before Ray's environment is set: they import it

    table = Table(run / "pairs", Pair)
    val, test = config.split.val, config.split.test
    side = config.tables.train_side
    made_with = {"station": "dataset pairs", "seed": config.seed, "val": val, "test": test, "rows": len(found.works)}
    claim(table.place, {**made_with, "train_side": side}, before={"train_side": side})
    make = partial(pair_of, root=found.root, seed=config.seed, val=val, test=test, train_side=side)
    task = partial(make_part, table=table, make=make)
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=config.tables.readers[1])
    with steps.timed(run, "pairs"):
        make_missing("pairs", table, slices(found.works), progress, stage)
    if not table.rows:
        reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(table.left_out.items()))
        raise UserError(f"no row could be used: {reasons}; {table.place}/rejects-*.parquet says more")
    return table


def slices(works: Sequence[GivenPair]) -> list[Slice]:
    """Rows dealt out to parts by a hash of what belongs together."""
    parts = max(1, -(-len(works) // IN_A_PART))
    dealt: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for work in works:
        dealt[int(digest([work.group or work.id]), 16) % parts].append(asdict(work))
    return [Slice(number, digest([str(own)]), own) for number, own in enumerate(dealt)]


def make_part(row: Mapping[str, Any], *, table: Table, make: Callable[[GivenPair], Pair]) -> dict[str, Any]:
    """Make the pairs of a part, and commit them."""
    pairs: list[Pair] = []
    rejects: list[Reject] = []
    for told in row["works"]:
        work = GivenPair(**{**told, "at": tuple(told["at"])})
        try:
            pairs.append(make(work))
        except Exception as error:  # noqa: BLE001  what one row brings up costs that row, and is told
            rejects.append(reject_of(work.id, work.group or work.id, "dataset", error))
    tables = by_split(pairs, Pair)
    counts = Counter(f"pairs_{pair.split}" for pair in pairs)
    done = table.commit(
        row["part"], tables=tables, rejects=rejects, inputs=row["inputs"], counts=counts, taken=len(row["works"])
    )
    return {"part": done.model_dump_json()}


def summary(table: Table) -> list[str]:
    """What was made, line by line."""
    counts: Counter[str] = Counter()
    for part in table.parts():
        counts.update(part.counts)
    lines = [f"{split}: {counts[f'pairs_{split}']:,} pairs" for split in get_args(Split)]
    return lines + [f"left out: {count:,} {code}" for code, count in sorted((table.left_out | table.failed).items())]
