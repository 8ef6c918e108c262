"""figray flag: the images of a run's pairs looked at for burnt-in text and skin, part by part: the table `flags/`."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from app import steps
from core.config import SettingError, UserError
from core.failures import reject_of
from core.places import Place
from core.records import Pair, Reject, from_table, to_table
from core.rejection import RejectionError
from core.runs import Table, beside, claim
from core.settings import Config
from core.suggestions import meant
from pipelines.flags import NAMES, Flag, Flagger

Row = dict[str, Any]


@dataclass(frozen=True)
class Slice:
    """A part of pairs that is still to be looked at."""

    part: int
    inputs: str
    version: int


class FlagPart:
    """An actor that takes part after part."""

    def __init__(self, pairs: Table, table: Table) -> None:
        self.pairs, self.table, self.flagger = pairs, table, Flagger()

    def __call__(self, row: Row) -> Row:
        work = Slice(**row)
        part = self.pairs.part(work.part)
        rows = self.pairs.read_of(part, ["pair_id", "article_id", "image"]).to_pylist() if part else []
        flags, rejects = list[Flag](), list[Reject]()
        for each in rows:
            try:
                flags.append(self.flagger(each["pair_id"], each["image"]))
            except RejectionError as error:
                rejects.append(reject_of(each["pair_id"], each["article_id"], "flags", error))
        counts = Counter(name for flag in flags for name in flag.names)
        done = self.table.commit(
            work.part, tables={"": to_table(flags, Flag)}, rejects=rejects, inputs=work.inputs, counts=counts,
            taken=len(rows), version=work.version,
        )  # fmt: skip
        return {"part": done.model_dump_json()}


def slices(pairs: Table) -> list[Slice]:
    """The parts of a table of pairs."""
    return [Slice(each.part, each.digest, each.version) for each in pairs.parts()]


def flag(config: Config, run: Place, progress: steps.Progress) -> Table:
    """Look at what was not looked at yet."""
    from pipelines.stages import by_actors, make_missing, reader_pool

    pairs, table = steps.table(run, "pairs", Pair), Table(run / "flags", Flag)
    claim(table.place, {"station": "flags", "rule": 1})
    pool = reader_pool(*config.tables.readers)
    stage = by_actors(FlagPart, (pairs, table), cpus=config.tables.reader_cpus, pool=pool)
    with steps.timed(run, "flag"):
        make_missing("flags", table, slices(pairs), progress, stage)
    return table


def asked(run: Place, without: str) -> frozenset[str]:
    """The names of some flags, "burnt-in-text,person"; UserError where not all pairs were looked at."""
    names = [each.strip() for each in without.split(",") if each.strip()]
    wrong = [each for each in names if each not in NAMES]
    if wrong:
        raise SettingError(f"--without {wrong[0]}: there are {', '.join(NAMES)}{meant(wrong[0], NAMES)}")
    if names:
        seen = {each.part: each.inputs for each in Table(run / "flags", Flag).parts()}
        if any(seen.get(each.part) != each.inputs for each in slices(Table(run / "pairs", Pair))):
            raise UserError(
                f"not all pairs of {run} were looked at for {', '.join(names)}; `figray flag {run}` does it"
            )
    return frozenset(names)


def flagged(pairs: Table, part: int, names: frozenset[str]) -> frozenset[str]:
    """The ids of a part's pairs that have one of some flags; what could not be looked at stays behind too."""
    if not names:
        return frozenset()
    table = Table(beside(pairs.place, "flags"), Flag)
    unseen = table.rejects_of(part)["item_id"].to_pylist()
    flags = from_table(table.read_part(part), Flag)
    return frozenset([flag.pair_id for flag in flags if names & set(flag.names)] + unseen)


def lines(table: Table) -> list[str]:
    """How many images have each flag."""
    counts: Counter[str] = Counter()
    for part in table.parts():
        counts.update(part.counts)
    return [f"images: {table.rows:,}; " + ", ".join(f"{name} {counts[name]:,}" for name in NAMES)]
