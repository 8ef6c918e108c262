"""figray fetch-pointers: pointers to pairs into the pairs of a run, by the collector's own way to the articles.

In: a folder that `figray export pairs --to pointers` has written. Out: the table `pairs/`, or `whole/`, of a run.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from app import steps
from app.attribution import write_attribution
from core.config import UserError
from core.failures import reject_of
from core.images import open_image
from core.places import Place
from core.records import Figure, Pair, Reject
from core.rejection import RejectionError
from core.runs import Table, claim, digest
from core.settings import Config, SelectSettings
from core.split import by_split, part_of, pmcid_of
from pipelines import dealing
from pipelines.collecting import Breaker
from pipelines.dealing import Piece, Slice, values_of
from pipelines.pointers import Pointer, read_pointer, rebuilt
from pipelines.sources import articles, pmc
from pipelines.sources.turns import Turns

STAGE = "fetch-pointers"
TABLES = ("pairs", "whole")
Row = dict[str, Any]


@dataclass(frozen=True)
class Pointers:
    """A folder of pointers, and how they are dealt out to parts (dealing.Source): all of an article are in one."""

    table: str  # of TABLES
    pieces: Sequence[Piece]  # each a file
    few: Sequence[dealing.Row] | None = None
    meet: Literal["key"] = "key"  # the id of a pair begins with its article's

    def read(self, piece: int) -> Iterator[dealing.Row]:
        """The lines of a file; raises UserError, naming file and line, where one is no pointer."""
        file, number = Path(self.pieces[piece].file), 0
        try:
            with file.open(encoding="utf-8") as lines:
                for number, line in enumerate(lines, 1):
                    own = line.removesuffix("\n")
                    pointer = read_pointer(own)
                    yield dealing.Row(piece, number, pmcid_of(pointer.article_id), pointer.pair_id, own)
        except UnicodeDecodeError as error:
            raise UserError(f"{file}, after line {number}: {error}") from error
        except ValueError as error:
            raise UserError(f"{file}, line {number}: {error}") from error

    def again(self, row: dealing.Row) -> dealing.Row:
        """No pair is pointed to twice."""
        raise UserError(f"{self.pieces[row.piece].file}, line {row.number}: a second pointer to {row.id}")

    def part_of(self, key: str, parts: int) -> int:
        """As articles are dealt out where they are collected."""
        return part_of(key, parts)

    def inputs(self, values: Sequence[str]) -> str:
        """A digest of some lines."""
        return digest(values)

    def counts(self, value: str) -> tuple[str, ...]:
        """Nothing is counted."""
        return ()


def read_pointers(folder: Path, at_most: int = dealing.FEW) -> Pointers:
    """The pointers of an export; raises UserError, naming file and line, where one of the first `at_most` is none."""
    file = folder / "export.json"
    told = Place.at(file).read_json() if file.is_file() else {}
    if not isinstance(told, dict) or told.get("form") != "pointers" or told.get("table") not in TABLES:
        raise UserError(f"{folder} holds no pointers: `figray export pairs RUN OUT --to pointers` writes them")
    found = Pointers(told["table"], [Piece(str(path)) for path in sorted(folder.resolve().glob("*.jsonl"))])
    found = replace(found, few=dealing.few_of(found, at_most))
    if found.few is not None and not found.few:
        raise UserError(f"{folder} has no pointer")
    return found


def write_pairs(config: Config, run: Place, found: Pointers, progress: steps.Progress) -> Table:
    """The pairs that pointers name, as a table of a run; raises UserError where none is the same any more."""
    from pipelines.dealing_on_ray import dealt  # not before Ray's environment is set

    articles.refuse_unnamed(config.source)
    table = Table(run / found.table, Pair)
    side = config.tables.train_side
    with dealt(found, partial(parts_for, config=config), config, run) as parts:
        pointers = digest([each.inputs for each in parts.slices])
        claim(table.place, {"station": STAGE, "pointers": pointers, "train_side": side})
        _make(config, run, table, parts, progress)
    if not table.rows:
        lost = Counter(table.left_out) + Counter(table.failed)
        reasons = ", ".join(f"{count:,} {code}" for code, count in sorted(lost.items()))
        raise UserError(f"no pair could be made again: {reasons}; {table.place}/rejects-*.parquet says more")
    if found.table == "pairs":
        write_attribution(run, run)
    return table


def parts_for(rows: int, keys: int, *, config: Config) -> int:
    """How many parts pointers to so many articles have."""
    return articles.parts_for(keys, config.tables.parts)


def _make(config: Config, run: Place, table: Table, parts: dealing.Dealt, progress: steps.Progress) -> None:
    from pipelines.build import shared_turns  # not before Ray's environment is set
    from pipelines.stages import by_tasks, make_missing

    at_once = min(config.tables.collectors, config.source.connections)
    task = partial(
        fetch_part, config=config, table=table, connections=config.source.connections // at_once,
        turns=shared_turns(config.source),
    )  # fmt: skip
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=at_once)
    with steps.timed(run, STAGE):
        make_missing(table.place.name, table, [again(table, work) for work in parts.slices], progress, stage)


def again(table: Table, work: Slice) -> Slice:
    """A part that stands and of which something failed is made once more."""
    stands = table.part(work.part)
    return replace(work, version=stands.version + 1) if stands and stands.failed else work


def fetch_part(
    row: Row, *, config: Config, table: Table, connections: int, turns: Mapping[str, Turns] = pmc.NO_TURNS
) -> Row:
    """Fetch the figures of a part's pointers and commit its pairs; {part, down} as collecting.collect_part."""
    work = Slice(**row)
    by_article: dict[str, list[Pointer]] = {}
    lines = values_of(work)
    for line in lines:
        pointer = read_pointer(line)
        by_article.setdefault(pmcid_of(pointer.article_id), []).append(pointer)
    bucket, breaker = pmc.open_bucket(config.source, turns), Breaker()
    fetch = partial(fetched, bucket, pointers=by_article)
    with ThreadPoolExecutor(connections) as threads:
        every = list(threads.map(partial(breaker.fetched, fetch), by_article))
    pairs, rejects = list[Pair](), list[Reject]()
    for pointers, (figures, why) in zip(by_article.values(), every, strict=True):
        made, lost = pairs_of(pointers, figures, why, train_side=config.tables.train_side)
        pairs += made
        rejects += lost
    counts = Counter(f"pairs_{pair.split}" for pair in pairs)
    done = table.commit(
        work.part, tables=by_split(pairs, Pair), rejects=rejects, inputs=work.inputs, counts=counts,
        taken=len(lines), version=work.version,
    )  # fmt: skip
    return {"part": done.model_dump_json(), "down": breaker.settle()}


def fetched(
    bucket: pmc.Bucket, pmcid: str, *, pointers: Mapping[str, Sequence[Pointer]]
) -> tuple[list[Figure], list[Reject]]:
    """The figures of an article that pointers name, and no others; its licence has to be the one that they say."""
    own = pointers[pmcid]
    licences = tuple({pointer.licence for pointer in own})
    select = SelectSettings(keyword="", licences=licences, manuscripts=True, min_side=1, max_aspect=1e9)
    figures, rejects = pmc.fetch(bucket, pmcid, select=select, only={pointer.figure_id for pointer in own})
    if not figures and not rejects:
        rejects = _of_version(bucket, pmcid, {pointer.article_id for pointer in own})
    return figures, rejects


def _of_version(bucket: pmc.Bucket, pmcid: str, told: set[str]) -> list[Reject]:
    """That another version of an article has taken the place of the one that pointers name, where it has."""
    try:
        now = pmc.best_version(bucket, pmcid, manuscripts=True).article_id
        if now in told:
            return []
        error = RejectionError("superseded", f"{now} has taken the place of {', '.join(sorted(told))}")
    except RejectionError as found:
        error = found
    return [reject_of(pmcid, pmcid, STAGE, error)]


def pairs_of(
    pointers: Sequence[Pointer], figures: Sequence[Figure], rejects: Sequence[Reject], *, train_side: int | None
) -> tuple[list[Pair], list[Reject]]:
    """The pairs of an article's pointers, and a reason for each that is none any more."""
    found, why = {figure.figure_id: figure for figure in figures}, {each.item_id: each for each in rejects}
    of_all = next((each for each in rejects if each.item_id == each.article_id), None)
    opened: dict[str, Image.Image] = {}
    pairs, lost = list[Pair](), list[Reject]()
    for pointer in pointers:
        name = pointer.figure_id
        try:
            if name not in found:
                reject = why.get(name) or of_all
                if reject is None:
                    raise RejectionError("gone", f"{pointer.article_id} has no figure {name} any more")
                lost.append(replace(reject, item_id=pointer.pair_id, stage=STAGE))
                continue
            if name not in opened:
                opened = {name: open_image(found[name].image).image}  # one at a time: they follow each other
            pairs.append(rebuilt(pointer, found[name], opened[name], train_side=train_side))
        except Exception as error:  # noqa: BLE001  what one pointer brings up costs that pair, and is told
            lost.append(reject_of(pointer.pair_id, pointer.article_id, STAGE, error))
    return pairs, lost
