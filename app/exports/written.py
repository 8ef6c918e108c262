"""A table of a run into a folder, in one form: rows chosen, dealt into shards, permuted, written and described.

A shard is some files of a table, drawn without their order, and its rows are permuted: no shard holds more than it is
asked to, or than one file does, and each is written by a task of its own.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from app.exports.forms import FORMS, Form, Lines, Shard
from app.exports.items import part_of
from app.flagging import flagged
from core.config import UserError
from core.places import Place
from core.records import arrow_schema
from core.runs import Table
from core.tables import rows_of
from core.wanted import COLUMNS, LISTS, Wanted
from core.works import Each, Row


@dataclass(frozen=True)
class Work:
    """One shard to write: the files of the table whose rows are its."""

    split: str
    number: int
    of: int
    files: list[str]


@dataclass
class Plan:
    """What of a table leaves: the shards, and numbers of what does and what does not."""

    works: list[Work] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)  # by split
    left_out: Counter[str] = field(default_factory=Counter)  # by what was not wanted
    counts: dict[str, Counter[str]] = field(default_factory=dict)  # by column and value


def planned(table: Table, wanted: Wanted, *, per_shard: int, seed: int) -> Plan:
    """Choose rows and deal files; raises UserError where no row is left."""
    plan = Plan()
    has = [
        name for name in ("pair_id", "split", *COLUMNS, "dataset", "view") if name in arrow_schema(table.record).names
    ]
    files: dict[str, list[tuple[str, int]]] = {}
    for part in table.parts():
        stay = flagged(table, part.part, wanted.without)
        for uri in ((table.place / file.name).uri for file in part.files if file.rows):
            rows = rows_of([uri], table.record).to_table(columns=_there([uri], table, has)).to_pylist()
            for split, number in _counted(rows, wanted, stay, plan).items():
                files.setdefault(split, []).append((uri, number))
    plan.rows = Counter({split: sum(number for _, number in found) for split, found in files.items()})
    if not plan.rows:
        told = ", ".join(f"{count:,} by {name}" for name, count in plan.left_out.items())
        raise UserError(f"no row of {table.place} is wanted" + (f"; left out: {told}" if told else ": it is empty"))
    plan.works = [work for split in sorted(files) for work in _dealt(split, files[split], per_shard, seed)]
    return plan


def _counted(rows: Sequence[Row], wanted: Wanted, stay: Collection[str], plan: Plan) -> Counter[str]:
    """Of one file's rows those that leave, by split; the plan's numbers grow by them and by those that stay."""
    kept = Counter[str]()
    for row in rows:
        reason = wanted.reason(row, stay)
        if reason:
            plan.left_out[reason] += 1
            continue
        kept[row["split"]] += 1
        for name in (*LISTS, "dataset", "view"):
            if row.get(name) is not None:
                plan.counts.setdefault(name, Counter())[str(row[name])] += 1
    return kept


def _there(files: Sequence[str], table: Table, names: Sequence[str]) -> list[str]:
    """Of some columns those that a file has; one of an earlier version may lack the last."""
    known = set(rows_of(files, table.record).schema.names)
    return list(dict.fromkeys(name for name in names if name in known))


def _dealt(split: str, files: Sequence[tuple[str, int]], per_shard: int, seed: int) -> list[Work]:
    """The files of a split in an order of their own, so many together that their rows fill a shard."""
    order = random.Random(f"{seed}:{split}").sample(sorted(files), len(files))
    shards: list[list[str]] = []
    room = 0
    for uri, number in order:
        if room <= 0:
            shards.append([])
            room = per_shard
        shards[-1].append(uri)
        room -= number
    return [Work(split, number, len(shards), found) for number, found in enumerate(shards)]


def write(table: Table, plan: Plan, wanted: Wanted, out: Place, *, form: str, seed: int, each: Each) -> None:
    """Write the shards, and the lines of all of them as files."""
    do = partial(write_shard, table=table, wanted=wanted, out=out, form=form, seed=seed)
    with ExitStack() as stack:
        files: dict[str, _Joined] = {}
        for lines in each(plan.works, do):
            for name, own in lines.items():
                if name not in files:
                    files[name] = stack.enter_context(_Joined(out / name, FORMS[form]))
                files[name].add(own)


def write_shard(work: Row, *, table: Table, wanted: Wanted, out: Place, form: str, seed: int) -> Lines:
    """Write one shard; the lines that it hands over."""
    rows = rows_of(work["files"], table.record).to_table().to_pylist()
    parts = {part_of(file) for file in work["files"]}
    stay = frozenset[str]().union(*(flagged(table, part, wanted.without) for part in parts))
    kept = [row for row in rows if row["split"] == work["split"] and not wanted.reason(row, stay)]
    random.Random(f"{seed}:{work['split']}:{work['number']}").shuffle(kept)
    shard = Shard(work["split"], work["number"], work["of"])
    return FORMS[form].write(FORMS[form].items(table, work["files"], kept), out, shard)


def leaving(part: int, rows: Sequence[Row], *, table: Table, wanted: Wanted) -> list[Row]:
    """Of a part's rows those that leave."""
    stay = flagged(table, part, wanted.without)
    return [row for row in rows if not wanted.reason(row, stay)]


class _Joined:
    """A file that grows line by line; it stands there when the block ends well."""

    def __init__(self, place: Place, form: Form) -> None:
        self.place, self.form, self.lines = place, form, 0

    def __enter__(self) -> "_Joined":
        self.place.filesystem.create_dir(self.place.path.rpartition("/")[0], recursive=True)
        self.stream = self.place.filesystem.open_output_stream(self.place.path)
        return self

    def add(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stream.write((self.form.around[1] if self.lines else self.form.around[0]).encode())
            self.stream.write(line.encode())
            self.lines += 1

    def __exit__(self, *error: object) -> None:
        self.stream.write(self.form.around[2].encode())
        self.stream.close()


def statistics(plan: Plan) -> dict[str, Any]:
    """Numbers of an export, as statistics.json has them."""
    return {
        "rows": dict(plan.rows),
        "left_out": dict(plan.left_out),
        "by": {name: dict(counts.most_common()) for name, counts in sorted(plan.counts.items())},
    }
