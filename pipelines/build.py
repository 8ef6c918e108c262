"""The stations in order, on Ray Data, with what each asks of the machines.

One row of Ray Data is one part: a fixed slice of the articles, which a task or an actor takes from table to table and
commits. Images so never cross the object store, memory is bounded by the parts in hand, one for each task or actor, and
a repeated or killed task writes the same file again or nothing.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, get_args

import pyarrow as pa
import ray

from core.cluster import nodes
from core.config import UserError, settings_of
from core.copies.dedupe import Seen
from core.copies.signatures import Asked, keep
from core.failures import reject_of
from core.places import Place
from core.records import Figure, Pair, Reject, SeparatedFigure, Split, in_pieces, joined, to_table
from core.rejection import RejectionError
from core.runs import Part, Table, claim, digest
from core.settings import Config, SourceSettings
from core.split import split_of
from pipelines.collecting import Work, changed_since, collect_part, failed_of
from pipelines.copies.duplicates import Duplicates, csv_of, duplicates_of, kept_duplicates, pair_id, seen_of
from pipelines.matching.match import make_pairs, told
from pipelines.reviews import Reviews, corrected, judged, read_reviews, with_texts
from pipelines.separating import describe
from pipelines.separating_apart import SeparatingApart
from pipelines.sources import articles, pmc
from pipelines.sources.turns import QueuedTurns, Turns
from pipelines.stages import Progress, by_actors, by_tasks, largest_of, make_missing, reader_pool, size_of
from pipelines.unwanted import REPRODUCED, left_out

__all__ = ["Work", "collect", "collect_part", "describe", "pair", "separate"]

ASKED = ("origin", "index", "topic", "query", "links", "max_articles")  # what the list of articles is of
SIDE = "tables.train_side"  # tables of before December 2026 take any: their parts stay without small images
LATER = ("index", "topic", "links", "manuscripts")  # of these, what runs of before November 2026 do not state
NO_REVIEWS = Reviews()
COUNTED = ("subfigures", "compound", "letters", "captions_split")  # of separated figures
AN_ARTICLE = 800_000  # bytes of its figures, where none has come yet: four of some 200 kB
Row = dict[str, Any]


def collect(config: Config, out: Place, progress: Progress) -> Table:
    """Select articles and fetch their figures: the table `figures/`.

    The list of articles is asked for once and kept, so that a run that goes on goes on with the same articles.
    """
    table = Table(out / "figures", Figure)
    asked = _settings(config, "collect", "select", *(f"source.{name}" for name in ASKED))
    asked.pop(REPRODUCED)  # a matter of pairs
    older = {name: asked[name] for name in asked if name.rpartition(".")[2] in LATER}
    begun = (table.place / "settings.json").exists()
    claim(table.place, asked, before=older)
    turns = shared_turns(config.source)
    try:
        todo = [with_failed(table, work) for work in slices_of(config, table, turns)]
    except UserError:
        if not begun:
            table.place.delete()  # a source that has nothing must not be held against the right one
        raise
    _fetch(config, table, todo, progress, turns)
    return table


def refresh(config: Config, table: Table, progress: Progress) -> articles.Refreshed:
    """Ask the source again: new articles join as new parts; those withdrawn or re-versioned are fetched anew."""
    turns = shared_turns(config.source)
    refreshed = articles.ask_again(table.place, config.source, config.select, turns)
    todo = []
    for work in slices_of(config, table, turns):
        stands = table.part(work.part)
        changed = changed_since(config, table, stands, turns) if stands else []
        again = sorted({*changed, *(failed_of(table, stands) if stands else [])})
        todo.append(replace(work, only=again, version=stands.version + 1) if stands and again else work)
        refreshed = replace(refreshed, changed=(*refreshed.changed, *changed))
    _fetch(config, table, todo, progress, turns)
    return refreshed


def retry(config: Config, table: Table, progress: Progress) -> None:
    """Fetch again what failed, and nothing else."""
    turns = shared_turns(config.source)
    stands = {part.part for part in table.parts()}
    todo = [with_failed(table, work) for work in slices_of(config, table, turns) if work.part in stands]
    _fetch(config, table, todo, progress, turns)


def slices_of(config: Config, table: Table, turns: Mapping[str, Turns]) -> list[Work]:
    """All parts of a run's articles."""
    listed = articles.listed(table.place, config.source, config.select, turns)
    parts = articles.parts_for(len(listed), config.tables.parts, each=articles.in_a_part(table.place))
    dealt = [*articles.dealt(listed, parts), *articles.added(table.place)]
    return [Work(number, digest(ids), ids) for number, ids in enumerate(dealt)]


def with_failed(table: Table, work: Work) -> Work:
    """A part that stands, with those of its articles that failed as the ones to fetch again."""
    stands = table.part(work.part)
    failed = failed_of(table, stands) if stands else []
    return replace(work, only=failed, version=stands.version + 1) if stands and failed else work


def _fetch(config: Config, table: Table, todo: list[Work], progress: Progress, turns: Mapping[str, Turns]) -> None:
    at_once = min(config.tables.collectors, config.source.connections)
    each = config.source.connections // at_once
    task = partial(collect_part, config=config, table=table, connections=each, turns=turns)
    largest = AN_ARTICLE * max((len(work.only or work.articles) for work in todo), default=0)
    stage = by_tasks(task, cpus=config.tables.task_cpus, at_once=at_once, largest=largest)
    make_missing("collect", table, todo, progress, stage)


def separate(config: Config, figures: Table, out: Place, progress: Progress) -> Table:
    """Find panels, letters and subcaptions: the table `separated/`."""
    table = Table(out / "separated", SeparatedFigure)
    claim(table.place, _settings(config, "separate", "separate", "labels", "captions"))
    pool = reader_pool(*config.tables.readers)
    made_with, cpus, parts = (config, figures, table), config.tables.reader_cpus, figures.parts()
    stage = by_actors(SeparatePart, made_with, cpus=cpus, pool=pool, largest=largest_of(parts))
    make_missing("separate", table, _after(parts), progress, stage)
    return table


def pair(config: Config, separated: Table, out: Place, progress: Progress) -> Table:
    """Match panels and subcaptions and divide the articles: a table of pairs, by split, and its `duplicates.csv`."""
    table = Table(out, Pair)
    asked = _settings(config, "pairs", "match", "split", "seed", "dedupe", REPRODUCED, SIDE)
    claim(table.place, asked, before={REPRODUCED: True, SIDE: config.tables.train_side})
    kept = kept_duplicates(separated, asked=asked_of(config))
    (table.place / "duplicates.csv").write_pieces(csv_of(separated))
    parts = separated.parts()
    before = _after(parts)
    reviews = read_reviews(separated.place) if config.match.rule != "whole" else Reviews()
    said = [reviews.digest] if reviews.digest else []
    version = max((work.version for work in before), default=0) + reviews.version  # one part may change all groups
    todo = [replace(work, inputs=digest([work.inputs, kept.digest, *said]), version=version) for work in before]
    duplicates = partial(duplicates_of, separated)
    task = partial(pair_part, config=config, separated=separated, table=table, duplicates=duplicates, reviews=reviews)
    cpus, at_once = config.tables.task_cpus, config.tables.readers[1]
    stage = by_tasks(task, cpus=cpus, at_once=at_once, largest=largest_of(parts))
    make_missing("pairs", table, todo, progress, stage)
    return table


class ClusterTurns:
    """Turns at a host that an actor gives out to the whole cluster."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def enter(self, interval: float) -> float:
        return float(ray.get(self.actor.enter.remote(interval)))

    def close_for(self, seconds: float) -> None:
        ray.get(self.actor.close_for.remote(seconds))


def shared_turns(source: SourceSettings) -> dict[str, ClusterTurns]:
    """The turns at each host that is fetched from, for all jobs of this Ray: actors of no CPU that outlive the job."""
    lasting = {"lifetime": "detached", "get_if_exists": True, "max_restarts": -1, "max_task_retries": -1}
    asked: Row = {"num_cpus": 0, "resources": nodes("figray"), "namespace": "figray", **lasting}
    actor: Any = ray.remote(QueuedTurns)
    return {host: ClusterTurns(actor.options(name=f"turns at {host}", **asked).remote()) for host in pmc.hosts(source)}


class SeparatePart:
    """An actor that takes part after part; beside it a process that has loaded the readers once reads the figures."""

    def __init__(self, config: Config, figures: Table, table: Table) -> None:
        self.figures, self.table = figures, table
        self.reader = SeparatingApart(config)

    def __call__(self, row: Row) -> Row:
        work, rejects, pieces = Work(**row), list[Reject](), list[pa.Table]()
        counts, seen = Counter(dict.fromkeys(COUNTED, 0)), list[Seen]()
        figures = self.figures.read_part(work.part)
        for some in in_pieces(figures, Figure):
            separated = []
            for figure in some:
                try:
                    separated.append(self.reader.separated(figure))
                except RejectionError as error:
                    rejects.append(reject_of(figure.figure_id, figure.article_id, "separate", error))
            for figure in separated:
                counts.update(counted(figure))
                seen += seen_of(figure.figure_id, figure.article_id, figure.pictures)
            pieces.append(to_table(separated, SeparatedFigure))
        taken = figures.num_rows
        del figures  # before all is written
        part = self.table.commit(
            work.part, tables={"": joined(pieces, SeparatedFigure)}, rejects=rejects, inputs=work.inputs,
            counts=counts, taken=taken, version=work.version,
        )  # fmt: skip
        keep(self.table, part, seen)
        return _done(part)


def counted(figure: SeparatedFigure) -> dict[str, int]:
    """What the manifest counts of a separated figure, by COUNTED."""
    letters = sum(panel.label is not None for panel in figure.subfigures)
    found = len(figure.subfigures), len(figure.subfigures) > 1, letters, bool(figure.split_caption.subcaptions)
    return dict(zip(COUNTED, map(int, found), strict=True))


def asked_of(config: Config) -> Asked:
    """How copies are sought."""
    tables = config.tables
    return Asked(config.dedupe.min_similarity, tables.copies_exact_below, tables.copies_nearest, tables.task_cpus)


def pair_part(
    row: Row, *, config: Config, separated: Table, table: Table, duplicates: Callable[[int], Duplicates],
    reviews: Reviews = NO_REVIEWS,
) -> Row:  # fmt: skip
    """Make one part's pairs and commit them, a file for each split. duplicates: of a part, by its number."""
    work = Work(**row)
    shared = duplicates(work.part)
    pieces: dict[str, list[pa.Table]] = {split: [] for split in get_args(Split)}
    counts, rejects, taken = Counter[str](), list[Reject](), 0
    shares = {"val": config.split.val, "test": config.split.test}
    figures = separated.read_part(work.part)
    for some in in_pieces(figures, SeparatedFigure):
        pairs: dict[str, list[Pair]] = {split: [] for split in pieces}
        for figure in some:
            split = split_of(figure.article_id, seed=config.seed, **shares, together=shared.articles)
            try:
                kept, lost = _pairs_of(figure, split, config, shared, reviews)
            except Exception as error:  # noqa: BLE001  what one figure brings up costs that figure, and is told
                kept, lost = [], [reject_of(figure.figure_id, figure.article_id, "pairs", error)]
            pairs[split] += kept
            rejects += lost
            taken += len(kept) + len(lost)
        for name, own in pairs.items():
            counts.update(_counts(name, own))
            pieces[name].append(to_table(own, Pair))
    del figures  # before all is written
    tables = {f"split={split}": joined(own, Pair) for split, own in pieces.items()}
    return _done(table.commit(
        work.part, tables=tables, rejects=rejects, inputs=work.inputs, counts=counts, taken=taken, version=work.version,
    ))  # fmt: skip


def _pairs_of(
    figure: SeparatedFigure, split: Split, config: Config, shared: Duplicates, reviews: Reviews
) -> tuple[list[Pair], list[Reject]]:
    """The pairs of a figure, and those that are left out."""
    match, side = config.match, config.tables.train_side
    figure, images, panels = corrected(figure, shared.images, reviews)
    kinds = {pair_id(figure.figure_id, picture.subfigure): picture.kind for picture in figure.pictures}
    figure = replace(figure, split_caption=told(figure.split_caption, match.text))
    every = make_pairs(figure, rule=match.rule, split=split, min_score=match.doubted, train_side=side)
    kept, lost = list[Pair](), list[Reject]()
    for made in with_texts(every, panels):
        kind, group = kinds.get(made.pair_id, made.kind), images.get(made.pair_id)
        pair = replace(judged(made, reviews), kind=kind, duplicate_group=group)
        if reject := left_out(pair, config.dedupe, match, reproduced=config.select.reproduced):
            lost.append(reject)
        else:
            kept.append(pair)
    return kept, lost


def _counts(split: str, pairs: Sequence[Pair]) -> Counter[str]:
    """What the manifest counts of pairs of a split."""
    counts = Counter(f"matched_by_{pair.matched_by}" for pair in pairs)
    counts[f"pairs_{split}"] = len(pairs)
    counts.update(f"kind_{pair.kind}" for pair in pairs)
    counts["duplicates"] = sum(pair.duplicate_group is not None for pair in pairs)
    return counts


def _after(before: Sequence[Part]) -> list[Work]:
    """One piece of work for each part of the table before; its files' digests say what it is made from.

    The largest first: at the end, when most actors are idle, those in hand are short.
    """
    parts = sorted(before, key=lambda part: (-size_of(part), part.part))
    return [Work(part.part, part.digest, [], version=part.version) for part in parts]


def _done(part: Part) -> Row:
    return {"part": part.model_dump_json()}


def _settings(config: Config, station: str, *names: str) -> Row:
    """The settings that a table depends on, by dotted name, and the columns it has."""
    return {"station": station, **settings_of(config, "tables.parts", *names)}
