"""What a job takes before it is paid for: items by measured rates, on the nodes that a cluster may have.

Arithmetic alone. `numbers` are rates and assumptions by name, as app/plan/inputs.py reads them; a plan is made three
times, with each number as expected, at its cheap and at its dear end.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.plan.nodes import Machines, Numbers, Station, Work, paid, placed, whole_time
from app.plan.training import evaluation, trainers, training, training_set
from core.settings import Config
from pipelines.sources.articles import parts_for
from trainers.flops import evaluation_flops

GIB = 2.0**30
FILES = 16  # objects of a part over all tables: rows by split, rejects and manifest of each
READ = 4  # how often each of them is read until training begins
SHUFFLED = 4 * 80 * 25 / 2**25  # tasks of a picture, while copies are sought: its entries, in blobs of 32 MB
PAIR_HELD = 2500  # bytes of a pair of a pool on the driver: embeddings, tokens, candidates (docs/results.md)
MUCH = 0.7  # of a machine's memory
LARGE_PART = 2**30  # bytes


@dataclass(frozen=True)
class Corpus:
    """What comes out of so many articles."""

    articles: float
    requests: float
    figures: float
    panels: float
    parts: int
    part_bytes: float  # of a part of the table figures
    gib: float  # of all tables

    @property
    def pictures(self) -> float:
        """Whole figures and panels."""
        return self.figures + self.panels

    def pairs(self, scheme: str) -> float:
        """Rows of a scheme's table."""
        return self.panels if scheme == "processed" else self.figures


@dataclass(frozen=True)
class Plan:
    """All stations one after the other, and what is kept."""

    stations: tuple[Station, ...]
    gib: float
    storage_cost: float  # dollars a month
    requests_cost: float  # dollars, to the bucket of the run
    notes: tuple[str, ...]

    @property
    def hours(self) -> float:
        """Of the whole job."""
        return sum(station.hours for station in self.stations if station.name != "head")

    @property
    def node_hours(self) -> float:
        """Of all nodes."""
        return sum(station.node_hours for station in self.stations)

    @property
    def cost(self) -> float:
        """Dollars for all nodes and requests; what is kept costs each month."""
        return sum(station.cost for station in self.stations) + self.requests_cost


def plan(config: Config, articles: int, machines: Machines, numbers: Numbers, *, schemes: Sequence[str]) -> Plan:
    """The stations of collect, pair, train and evaluate. schemes: of the models that are trained, raw and processed."""
    corpus = corpus_of(config, articles, numbers)
    works = (
        (collecting(config, corpus, numbers), machines.cpu),
        (separating(config, corpus, numbers), machines.cpu),
        (seeking_copies(config, corpus, numbers), machines.head if _few(config, corpus) else machines.cpu),
        (pairing(config, corpus, numbers), machines.cpu),
    )
    stations = [
        paid(work.name, (work.items, work.unit), placed(work, group, numbers), machines, numbers)
        for work, group in works
    ]
    sets = [training_set(config, corpus.pairs(scheme)) for scheme in schemes]
    trained = training(config, sets, trainers(config, machines, numbers, models=len(sets)), numbers)
    seen = sum(each.seen for each in sets)
    stations.append(paid("train", (seen, "pairs seen"), trained, machines, numbers))
    asked = evaluating(config, corpus, numbers, models=len(schemes))
    judged = (
        evaluation(config, asked.items, machines, numbers) if config.train.gpu else placed(asked, machines.cpu, numbers)
    )
    stations.append(paid(asked.name, (asked.items, asked.unit), judged, machines, numbers))
    if not machines.one:
        stations.append(whole_time(machines.head, stations, numbers))
    objects = 0 if machines.one else corpus.parts * FILES  # in a bucket; nobody pays for a disk that is there already
    return Plan(
        stations=tuple(stations),
        gib=corpus.gib,
        storage_cost=0.0 if machines.one else corpus.gib * numbers["storage_gib_month"],
        requests_cost=objects * (numbers["put_per_1000"] + READ * numbers["get_per_1000"]) / 1000,
        notes=tuple(notes(config, corpus, machines)),
    )


def corpus_of(config: Config, articles: int, numbers: Numbers) -> Corpus:
    """What so many articles hold. Each costs a listing, its metadata and its text, and each figure its image."""
    figures = articles * numbers["figures_per_article"]
    panels = figures * numbers["panels_per_figure"]
    parts = parts_for(articles, config.tables.parts)
    # Figures, the same separated, the same as whole pairs; panels as pairs.
    size = 3 * figures * numbers["figure_bytes"] + panels * numbers["panel_bytes"]
    return Corpus(
        articles=articles,
        requests=3 * articles + figures,
        figures=figures,
        panels=panels,
        parts=parts,
        part_bytes=figures * numbers["figure_bytes"] / parts,
        gib=size / GIB,
    )


def collecting(config: Config, corpus: Corpus, numbers: Numbers) -> Work:
    """Downloads: bound by how often PMC may be asked, whatever the nodes."""
    source = config.source
    by_connections = source.connections / numbers["request_seconds"]
    told = f"source.connections={source.connections}"
    if source.bucket_per_second < by_connections:
        told = f"source.bucket_per_second={source.bucket_per_second:g}"
    return Work(
        name="collect",
        items=corpus.articles,
        unit="articles",
        cpu_seconds=corpus.figures * numbers["collect_seconds_per_figure"],
        at_once=min(config.tables.collectors, corpus.parts),
        cpus=config.tables.task_cpus,
        limit=f"tables.collectors={config.tables.collectors}",
        least=corpus.requests / min(source.bucket_per_second, by_connections),
        least_by=told,
    )


def separating(config: Config, corpus: Corpus, numbers: Numbers) -> Work:
    """Panels, letters and captions, by actors."""
    seconds = corpus.figures * numbers["separate_seconds_per_figure"]
    seconds += corpus.panels * numbers["separate_seconds_per_panel"]
    return Work(
        name="separate",
        items=corpus.figures,
        unit="figures",
        cpu_seconds=seconds * numbers["real_figures"],
        at_once=min(config.tables.readers[1], corpus.parts),
        cpus=config.tables.reader_cpus,
        limit=_readers(config, corpus),
    )


def seeking_copies(config: Config, corpus: Corpus, numbers: Numbers) -> Work:
    """Few pictures are compared in the command's own process; many meet by shuffles, each with so many at most."""
    twos = corpus.pictures**2 / 2 * numbers["alike"] * numbers["compare_seconds_per_two_pictures"]
    few = _few(config, corpus)
    most = corpus.pictures * config.tables.copies_nearest * numbers["compare_seconds_per_near_picture"]
    each = numbers["hash_seconds_per_picture"] + (0 if few else numbers["shuffle_seconds_per_picture"])
    tasks = max(1, round(corpus.pictures * SHUFFLED))
    return Work(
        name="copies",
        items=corpus.pictures,
        unit="pictures",
        cpu_seconds=corpus.pictures * each + (twos if few else min(twos, most)),
        at_once=1 if few else tasks,
        cpus=0 if few else config.tables.task_cpus,
        limit="one process, up to tables.copies_exact_below" if few else f"{tasks} partitions of its shuffle",
    )


def pairing(config: Config, corpus: Corpus, numbers: Numbers) -> Work:
    """Pairs of panels, and whole figures, by tasks."""
    seconds = corpus.panels * numbers["pair_seconds_per_panel"] + corpus.figures * numbers["whole_seconds_per_figure"]
    return Work(
        name="pairs",
        items=corpus.panels,
        unit="pairs",
        cpu_seconds=seconds,
        at_once=min(config.tables.readers[1], corpus.parts),
        cpus=config.tables.task_cpus,
        limit=_readers(config, corpus),
    )


def evaluating(config: Config, corpus: Corpus, numbers: Numbers, *, models: int) -> Work:
    """Retrieval of each model on a pool of pairs and on one of whole figures, by actors without a GPU."""
    queries = models * sum(_pool(config, each) for each in (corpus.panels, corpus.figures))
    return Work(
        name="evaluate",
        items=queries,
        unit="pairs",
        cpu_seconds=queries * evaluation_flops(config, numbers["text_pieces"]) / numbers["cpu_flops"],
        at_once=config.evaluate.actors[1],
        cpus=config.evaluate.actor_cpus,
        limit=f"evaluate.actors={list(config.evaluate.actors)}",
    )


def notes(config: Config, corpus: Corpus, machines: Machines) -> list[str]:
    """What would not fit, or is worth a thought before it is paid for."""
    found = []
    needs = {"evaluate": PAIR_HELD * _pool(config, max(corpus.panels, corpus.figures))}
    for name, needed in needs.items():
        if needed > MUCH * machines.head.memory:
            found.append(
                f"{name} holds some {needed / GIB:,.0f} GiB in the command's own process; {machines.head.instance} has "
                f"{machines.head.memory / GIB:.0f} GiB"
            )
    if corpus.part_bytes > LARGE_PART:
        found.append(
            f"a part holds {corpus.part_bytes / GIB:.1f} GiB, all of it in a task's memory; raise tables.parts"
        )
    return found


def _few(config: Config, corpus: Corpus) -> bool:
    """Whether copies are sought in one process."""
    return corpus.pictures <= config.tables.copies_exact_below


def _pool(config: Config, pairs: float) -> float:
    """The pairs that a model is judged on, of so many in all."""
    held_out = _held_out(config) * pairs
    return held_out if config.evaluate.pool is None else min(held_out, config.evaluate.pool)


def _held_out(config: Config) -> float:
    """The share of the split that is evaluated on."""
    return config.split.test if config.evaluate.split == "test" else config.split.val


def _readers(config: Config, corpus: Corpus) -> str:
    most = config.tables.readers[1]
    return f"tables.readers, at most {most}" if most <= corpus.parts else f"{corpus.parts} parts (tables.parts)"
