"""The pairs that a model is trained on: which articles, how many, and a digest by which they are known again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import blake2b

import pyarrow.compute as pc

from core.records import Pair
from core.tables import rows_of
from trainers.batch import SENTENCES, number
from trainers.checkpoint import MARKS


@dataclass(frozen=True)
class TrainingSet:
    """The pairs of some articles of a table."""

    files: tuple[str, ...]
    articles: tuple[str, ...]  # ids
    whole: bool  # whether the files hold pairs of these articles alone
    images: tuple[str, ...]  # marks
    texts: tuple[str, ...]  # one for each pair
    columns: tuple[str, ...]  # of the files
    cut: bool  # whether the sentences of every text are known
    digest: str  # of which pairs they are, and their texts

    def __len__(self) -> int:
        return len(self.texts)


def read_training_set(files: Sequence[str], *, fraction: float, seed: int) -> TrainingSet:
    """The pairs of a share of the files' articles."""
    pairs = rows_of(files, Pair)
    marks = [name for name in MARKS if name in pairs.schema.names]
    cut = [SENTENCES] if SENTENCES in pairs.schema.names else []
    table = pairs.to_table(columns=["pair_id", "article_id", "text", *marks, *cut])
    every = set(table["article_id"].to_pylist())
    articles = share_of(every, fraction=fraction, seed=seed)
    table = table.filter(pc.field("article_id").isin(articles))
    seen = blake2b(digest_size=8)
    for pair_id, text in zip(table["pair_id"].to_pylist(), table["text"].to_pylist(), strict=True):
        seen.update(f"{pair_id}\0{text}\0".encode())
    return TrainingSet(
        files=tuple(files),
        articles=tuple(articles),
        whole=len(articles) == len(every),
        images=tuple(sorted({mark for name in marks for mark in table[name].to_pylist() if mark is not None})),
        texts=tuple(table["text"].to_pylist()),
        columns=tuple(pairs.schema.names),
        cut=bool(cut) and pc.min(pc.list_value_length(table[SENTENCES]).fill_null(0)).as_py() > 0,
        digest=seen.hexdigest(),
    )


def share_of(articles: Collection[str], *, fraction: float, seed: int) -> list[str]:
    """A share of the articles, at least one, sorted; a smaller share lies inside every larger one of the same seed."""
    by_chance = sorted(articles, key=lambda article: number(f"{seed}:{article}"))
    return sorted(by_chance[: max(1, round(fraction * len(by_chance)))])
