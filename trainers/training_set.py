"""The pairs that a model is trained on: which articles, how many, and a digest by which they are known again.

All of that comes from the manifests of the table and from hashes of ids: no text is read for it.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b, sha256

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from core.config import UserError
from core.places import Place
from core.records import Pair
from core.runs import digest, named_by_manifests
from core.settings import Config
from core.tables import rows_of
from core.wanted import ALL, Wanted, to_train_on
from trainers.batch import rows_in
from trainers.seen import seen_rows
from trainers.texts import SENTENCES, number

MARKS = ("md5", "duplicate_group")  # columns by which images are known in any table
SAMPLE = 200_000  # texts that a tokenizer learns from; more change few of its pieces, and take memory


@dataclass(frozen=True)
class Share:
    """Some of the pairs: those that are wanted, of some articles by the hashes of their ids."""

    seed: int
    limit: int | None  # the largest hash of those that are in it; None: all articles
    wanted: Wanted = ALL

    def columns(self, there: Collection[str]) -> list[str]:
        """The columns that it is told by."""
        return ["article_id", *self.wanted.columns(there)]

    def of(self, rows: pa.Table) -> pa.Array:
        """Whether each row is in it, (n,). rows: its columns, and others."""
        inside = pa.array([True] * len(rows), pa.bool_())
        if self.limit is not None:
            named = pc.unique(rows["article_id"])
            few = pa.array([number(f"{self.seed}:{each}") <= self.limit for each in named.to_pylist()], pa.bool_())
            inside = few.take(pc.index_in(rows["article_id"].combine_chunks(), named))
        if self.wanted != ALL:
            asked = rows.select(self.wanted.columns(rows.column_names)).to_pylist()
            inside = pc.and_(inside, pa.array([not self.wanted.reason(row) for row in asked], pa.bool_()))
        return inside

    @property
    def told(self) -> str:
        """What a digest says of it."""
        asked = {name: value for name, value in vars(self.wanted).items() if value != getattr(ALL, name)}
        return f"{self.seed} {self.limit}" + (f" {asked}" if asked else "")


@dataclass(frozen=True)
class TrainingSet:
    """The pairs of some articles of a table."""

    files: tuple[str, ...]
    rows: int
    share: Share | None  # of the pairs; None: all
    columns: tuple[str, ...]  # of the files
    digest: str  # of which pairs they are, and all that they hold

    def __len__(self) -> int:
        return self.rows


def training_set_of(config: Config, files: Sequence[str]) -> TrainingSet:
    """The pairs that the settings ask for."""
    return read_training_set(files, fraction=config.train.fraction, seed=config.seed, wanted=to_train_on(config))


def read_training_set(files: Sequence[str], *, fraction: float, seed: int, wanted: Wanted = ALL) -> TrainingSet:
    """The wanted pairs of a share of the files' articles, at least one; a smaller share lies inside every larger one.

    Raises UserError where the files have pairs and none is wanted.
    """
    pairs, told = rows_of(files, Pair), named_by_manifests(files)
    shas = [each.sha256 if each else sha256(Place.at(file).read_bytes()).hexdigest() for file, each in zip(files, told)]
    share = Share(seed, None, wanted) if wanted != ALL else None
    rows = sum(each.rows for each in told if each) if all(told) else pairs.count_rows()
    if share or fraction < 1:
        hashes, counts = _articles(files, seed, share)
        if rows and not len(hashes):
            raise UserError(f"train.only leaves none of {rows:,} pairs: {_why_none(files, wanted)}")
        rows = int(counts.sum())
        chosen = max(1, round(fraction * len(hashes)))
        if chosen < len(hashes):
            limit = np.partition(hashes, chosen - 1)[chosen - 1]
            share, rows = Share(seed, int(limit), wanted), int(counts[hashes <= limit].sum())
    return TrainingSet(
        files=tuple(files),
        rows=rows,
        share=share,
        columns=tuple(pairs.schema.names),
        digest=digest([*shas, *([share.told] if share else [])]),
    )


def _why_none(files: Sequence[str], wanted: Wanted) -> str:
    """By what pairs stay out, "12 by modality, 3 by score"."""
    asked = wanted.columns(rows_of(files, Pair).schema.names)
    told = Counter(wanted.reason(row) for rows in _pieces(files, asked, None) for row in rows.to_pylist())
    return ", ".join(f"{count:,} by {name}" for name, count in told.items())


def rows_of_share(files: pa.Table, *, columns: Sequence[str], share: Share | None) -> Iterator[pa.Table]:
    """The rows of the files that a table names, of a share of the pairs."""
    there = rows_of(files["file"].to_pylist(), Pair).schema.names if share else []
    asked = list(dict.fromkeys([*columns, *(share.columns(there) if share else [])]))
    for rows in rows_in(files, columns=asked):
        kept = rows.filter(share.of(rows)).select(list(columns)) if share else rows
        if kept.num_rows:
            yield kept


def sample_texts(training_set: TrainingSet, *, seed: int, most: int = SAMPLE) -> list[str]:
    """The texts, in the order of the files; of more than `most` those of some files, drawn by the seed.

    The parts of a table are articles by chance, and so are the files.
    """
    files = list(training_set.files)
    if len(training_set) > most:
        drawn = np.random.default_rng(seed).permutation(len(files))
        files = [files[each] for each in drawn]
    texts: list[str] = []
    for file in files:
        for rows in _pieces([file], ["article_id", "text"], training_set.share):
            texts += rows["text"].to_pylist()
        if len(texts) >= most:
            return texts[:most]
    return texts


def seen_in(training_set: TrainingSet) -> Iterator[pa.Table]:
    """What a model sees that is trained on the pairs: rows of Seen, piece by piece."""
    marks = [name for name in MARKS if name in training_set.columns]
    for file in training_set.files:
        for rows in _pieces([file], ["article_id", *marks], training_set.share):
            yield seen_rows("article", rows["article_id"])
            for name in marks:
                yield seen_rows("image", rows[name])


def is_cut(training_set: TrainingSet) -> bool:
    """Whether the sentences of every text are known."""
    if SENTENCES not in training_set.columns:
        return False
    pieces = _pieces(training_set.files, ["article_id", SENTENCES], training_set.share)
    return all(pc.min(pc.list_value_length(rows[SENTENCES]).fill_null(0)).as_py() > 0 for rows in pieces)


def sentences_of(config: Config, training_set: TrainingSet) -> str | None:
    """The weights that the texts are still to be cut into sentences with, "" for figray's own; None: no cutting."""
    if config.objective.name != "mlip" or not config.mlip.spm or is_cut(training_set):
        return None
    return config.mlip.sentence_weights or ""


def digest_of_texts(training_set: TrainingSet) -> str:
    """The digest that figray of before December 2026 knew the pairs by: of their ids and texts."""
    seen = blake2b(digest_size=8)
    for rows in _pieces(training_set.files, ["pair_id", "article_id", "text"], training_set.share):
        for pair_id, text in zip(rows["pair_id"].to_pylist(), rows["text"].to_pylist(), strict=True):
            seen.update(f"{pair_id}\0{text}\0".encode())
    return seen.hexdigest()


def _pieces(files: Sequence[str], columns: Sequence[str], share: Share | None) -> Iterator[pa.Table]:
    yield from rows_of_share(pa.table({"file": list(files)}), columns=columns, share=share)


def _articles(files: Sequence[str], seed: int, share: Share | None) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hash of each article of the files, and how many pairs of the share it has."""
    hashes, counts = [np.zeros(0, np.uint64)], [np.zeros(0, np.int64)]
    for rows in _pieces(files, ["article_id"], share):
        found = rows["article_id"].value_counts()
        names, of = found.field("values").to_pylist(), found.field("counts").to_numpy()
        hashes.append(np.array([number(f"{seed}:{each}") for each in names], np.uint64))
        counts.append(of)
    every, place = np.unique(np.concatenate(hashes), return_inverse=True)
    return every, np.bincount(place, np.concatenate(counts), len(every)).astype(np.int64)
