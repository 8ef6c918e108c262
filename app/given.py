"""figray dataset pairs: a user's own table of images and texts to the tables of a run.

As they are: to `pairs/`, where copies are sought, and to `whole/`, the same rows under the name of the other scheme.
To be separated: to `figures/`, of which `pair` makes the other tables.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from app import steps
from app.attribution import write_attribution
from core.config import UserError
from core.failures import reject_of
from core.places import Place
from core.records import Figure, Pair, Reject, Split, from_table, to_table
from core.runs import Part, RunConflict, Table, claim
from core.settings import Config
from core.split import by_split
from pipelines.copies.given import counts_of
from pipelines.dealing import Dealt, Slice, values_of
from pipelines.given_pairs import figure_of, pair_of
from pipelines.given_rows import Given, GivenPair, work_of

IN_A_PART = 500  # rows
STATION = "dataset pairs"


@dataclass(frozen=True)
class Whole:
    """A part of `whole/` that is to be made of the same of `pairs/`."""

    part: int


def write_pairs(config: Config, run: Place, found: Given, dealt: Dealt, progress: steps.Progress) -> Table:
    """The rows of a table as pairs of a run; what is there already stays. Raises UserError where no row is of use."""
    table = Table(run / "pairs", Pair)
    val, test = config.split.val, config.split.test
    side = config.tables.train_side
    made_with = {"station": STATION, "seed": config.seed, "val": val, "test": test, "rows": dealt.rows}
    claim(table.place, {**made_with, "train_side": side}, before={"train_side": side})
    make = partial(pair_of, root=found.root, seed=config.seed, val=val, test=test, train_side=side)
    _make(config, run, table, dealt, make, progress)
    return table


def settle(config: Config, run: Place, table: Table) -> list[str]:
    """Seek copies among the pairs, and make `whole/` of what stands then; what is said of it."""
    from pipelines.build import asked_of  # not before Ray's environment is set
    from pipelines.copies import given
    from pipelines.stream import of_parts

    each = of_parts(config, given.STAGE, table.parts())
    told = given.settle(table, asked_of(config), config.dedupe, each)
    if not table.rows:
        raise UserError(f"no pair is left: {'; '.join(told)}; {table.place}/rejects-*.parquet says more")
    whole = Table(run / "whole", Pair)
    claim(whole.place, {"station": STATION, "of": "pairs"})
    todo = [Whole(part.part) for part in table.parts() if not _stands(part, whole.part(part.part))]
    for _ in each(todo, partial(make_whole, pairs=table, whole=whole)):
        pass
    write_attribution(run, run)
    return told


def make_whole(row: Mapping[str, Any], *, pairs: Table, whole: Table) -> int:
    """The pairs of a part as they are, under the name of the other scheme; its number."""
    part = pairs.part(row["part"])
    assert part is not None  # it was listed
    made = from_table(pairs.read_part(part.part), Pair)
    whole.commit(
        part.part, tables=by_split(made, Pair), rejects=[], inputs=part.digest, counts=counts_of(made),
        taken=len(made), version=part.version,
    )  # fmt: skip
    return part.part


def _stands(part: Part, made: Part | None) -> bool:
    return made is not None and made.inputs == part.digest


def write_figures(config: Config, run: Place, found: Given, dealt: Dealt, progress: steps.Progress) -> Table:
    """The rows of a table as figures of a run, to be separated; UserError where no row is of use."""
    stands = run / "pairs" / "settings.json"
    if stands.exists() and stands.read_json().get("station") == STATION:
        raise RunConflict(f"{run} has pairs that were taken as they are; with --separate name another run")
    table = Table(run / "figures", Figure)
    claim(table.place, {"station": STATION, "rows": dealt.rows})
    _make(config, run, table, dealt, partial(figure_of, root=found.root), progress)
    return table


def _make(
    config: Config, run: Place, table: Table, dealt: Dealt, make: Callable[[GivenPair], Any], progress: steps.Progress
) -> None:
    """Make what is missing of a table, part by part; UserError where no row is of use. make: of a row its record."""
    from pipelines.stages import by_tasks, make_missing  # not before Ray's environment is set: they import it

    name = table.place.name
    task = partial(make_part, table=table, make=make)
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=config.tables.readers[1])
    with steps.timed(run, name):
        make_missing(name, table, dealt.slices, progress, stage)
    if not table.rows:
        reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(table.left_out.items()))
        raise UserError(f"no row could be used: {reasons}; {table.place}/rejects-*.parquet says more")


def parts_for(rows: int, keys: int) -> int:
    """How many parts a table of so many rows has."""
    return max(1, -(-rows // IN_A_PART))


def notes(found: Given, dealt: Dealt, *, separate: bool) -> list[str]:
    """What is said of a table before anything is made of it."""
    files = len({piece.file for piece in found.pieces})
    told = [f"{dealt.rows:,} rows of {files:,} file{'s' if files > 1 else ''}"]
    if not dealt.counts.get("group"):
        told.append("no column says which rows belong together; name one by --column group=NAME (article, patient)")
    if twice := dealt.counts.get("twice"):
        told.append(f"left out because another row has the same id: {twice:,}")
    if separate and (stated := dealt.counts.get("split")):
        told.append(
            f"{stated:,} rows name a split; with --separate groups are divided by split.val and split.test instead"
        )
    return told


def make_part(row: Mapping[str, Any], *, table: Table, make: Callable[[GivenPair], Any]) -> dict[str, Any]:
    """Make the records of a part, pairs by their split, and commit them."""
    given = Slice(**row)
    works = list(map(work_of, values_of(given)))
    made: list[Any] = []
    rejects: list[Reject] = []
    for work in works:
        try:
            made.append(make(work))
        except Exception as error:  # noqa: BLE001  what one row brings up costs that row, and is told
            rejects.append(reject_of(work.id, work.group or work.id, "dataset", error))
    pairs = table.record is Pair
    tables = by_split(made, Pair) if pairs else {"": to_table(made, table.record)}
    counts = Counter(f"pairs_{each.split}" for each in made) if pairs else {}
    done = table.commit(
        given.part, tables=tables, rejects=rejects, inputs=given.inputs, counts=counts, taken=len(works)
    )
    return {"part": done.model_dump_json()}


def summary(table: Table) -> list[str]:
    """What was made, line by line."""
    counts: Counter[str] = Counter()
    for part in table.parts():
        counts.update(part.counts)
    lines = [f"{split}: {counts[f'pairs_{split}']:,} pairs" for split in get_args(Split)]
    return lines + [f"left out: {count:,} {code}" for code, count in sorted((table.left_out | table.failed).items())]
