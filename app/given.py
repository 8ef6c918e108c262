"""figray dataset pairs: a user's own table of images and texts to the tables of a run.

As they are: to `pairs/`, where copies are sought, and to `whole/`, the same rows under the name of the other scheme.
To be separated: to `figures/`, of which `pair` makes the other tables.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, get_args

from app import steps
from app.attribution import write_attribution
from core.config import UserError
from core.failures import reject_of
from core.places import Place
from core.records import Figure, Pair, Reject, Split, from_table, to_table
from core.runs import RunConflict, Table, claim, digest
from core.settings import Config
from core.split import by_split
from pipelines.given_pairs import Given, GivenPair, figure_of, pair_of

IN_A_PART = 500  # rows
STATION = "dataset pairs"


@dataclass(frozen=True)
class Slice:
    """A part that is still to be made."""

    part: int
    inputs: str
    works: list[dict[str, Any]]


def write_pairs(config: Config, run: Place, found: Given, progress: steps.Progress) -> Table:
    """The rows of a table as pairs of a run; what is there already stays. Raises UserError where no row is of use."""
    table = Table(run / "pairs", Pair)
    val, test = config.split.val, config.split.test
    side = config.tables.train_side
    made_with = {"station": STATION, "seed": config.seed, "val": val, "test": test, "rows": len(found.works)}
    claim(table.place, {**made_with, "train_side": side}, before={"train_side": side})
    make = partial(pair_of, root=found.root, seed=config.seed, val=val, test=test, train_side=side)
    _make(config, run, table, found, make, progress)
    return table


def settle(config: Config, run: Place, table: Table) -> list[str]:
    """Seek copies among the pairs, and make `whole/` of what stands then; what is said of it."""
    from pipelines.build import asked_of
    from pipelines.copies import given

    told = given.settle(table, asked_of(config), config.dedupe)
    if not table.rows:
        raise UserError(f"no pair is left: {'; '.join(told)}; {table.place}/rejects-*.parquet says more")
    whole = Table(run / "whole", Pair)
    claim(whole.place, {"station": STATION, "of": "pairs"})
    for part in table.parts():
        stands = whole.part(part.part)
        if stands is None or stands.inputs != part.digest:
            pairs = from_table(table.read_part(part.part), Pair)
            whole.commit(
                part.part, tables=by_split(pairs, Pair), rejects=[], inputs=part.digest, counts=given.counts_of(pairs),
                taken=len(pairs), version=part.version,
            )  # fmt: skip
    write_attribution(run, run)
    return told


def write_figures(config: Config, run: Place, found: Given, progress: steps.Progress) -> Table:
    """The rows of a table as figures of a run, to be separated; UserError where no row is of use."""
    stands = run / "pairs" / "settings.json"
    if stands.exists() and stands.read_json().get("station") == STATION:
        raise RunConflict(f"{run} has pairs that were taken as they are; with --separate name another run")
    table = Table(run / "figures", Figure)
    claim(table.place, {"station": STATION, "rows": len(found.works)})
    _make(config, run, table, found, partial(figure_of, root=found.root), progress)
    return table


def _make(
    config: Config, run: Place, table: Table, found: Given, make: Callable[[GivenPair], Any], progress: steps.Progress
) -> None:
    """Make what is missing of a table, part by part; UserError where no row is of use. make: of a row its record."""
    from pipelines.stages import by_tasks, make_missing  # not before Ray's environment is set: they import it

    name = table.place.name
    task = partial(make_part, table=table, make=make)
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=config.tables.readers[1])
    with steps.timed(run, name):
        make_missing(name, table, slices(found.works), progress, stage)
    if not table.rows:
        reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(table.left_out.items()))
        raise UserError(f"no row could be used: {reasons}; {table.place}/rejects-*.parquet says more")


def told_of_separating(found: Given) -> list[str]:
    """What of a table does not count where its images are separated."""
    stated = sum(bool(work.split) for work in found.works)
    told = f"{stated:,} rows name a split; with --separate groups are divided by split.val and split.test instead"
    return [told] if stated else []


def work_of(told: Mapping[str, Any]) -> GivenPair:
    """A row of a table from the plain values that a part is given as."""
    return GivenPair(**{**told, "at": tuple(told["at"])})


def slices(works: Sequence[GivenPair]) -> list[Slice]:
    """Rows dealt out to parts by a hash of what belongs together."""
    parts = max(1, -(-len(works) // IN_A_PART))
    dealt: list[list[dict[str, Any]]] = [[] for _ in range(parts)]
    for work in works:
        dealt[int(digest([work.group or work.id]), 16) % parts].append(asdict(work))
    return [Slice(number, digest([str(own)]), own) for number, own in enumerate(dealt)]


def make_part(row: Mapping[str, Any], *, table: Table, make: Callable[[GivenPair], Any]) -> dict[str, Any]:
    """Make the records of a part, pairs by their split, and commit them."""
    made: list[Any] = []
    rejects: list[Reject] = []
    for work in map(work_of, row["works"]):
        try:
            made.append(make(work))
        except Exception as error:  # noqa: BLE001  what one row brings up costs that row, and is told
            rejects.append(reject_of(work.id, work.group or work.id, "dataset", error))
    pairs = table.record is Pair
    tables = by_split(made, Pair) if pairs else {"": to_table(made, table.record)}
    counts = Counter(f"pairs_{each.split}" for each in made) if pairs else {}
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
