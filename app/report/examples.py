"""Queries of a model and what it answered: the best, the worst, and some drawn at random.

In: the rows of `predictions-*.parquet`, one for each query. Of runs that are older than these files, the few queries
that stand in `retrieval-*.json`.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from core.places import Place
from core.records import Pair, from_row
from core.runs import Table
from core.tables import parsed
from trainers.evaluation.predictions import Answer
from trainers.evaluation.recall import DIRECTIONS

ANSWERS = 3  # that are shown of each query
KINDS = ("best", "worst", "at random")
SEED = 0


@dataclass(frozen=True, kw_only=True)
class Result:
    """One answer to a query, a text or the bytes of an image."""

    item: str | bytes
    score: float
    is_correct: bool


@dataclass(frozen=True, kw_only=True)
class Example:
    """A retrieval query, a text or the bytes of an image, its true text, and the best answers in order."""

    query: str | bytes
    truth: str
    results: Sequence[Result]
    scheme: str = ""  # whose model answered
    kind: str = ""  # of KINDS
    rank: float | None = None  # of the first right answer, from 1
    candidates: int = 0  # that were ranked


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query as its evaluation left it."""

    kind: str
    direction: str  # "i2t" or "t2i"
    pair_id: str
    nearest: Sequence[tuple[str, float]]  # pair ids with scores, best first
    rank: float | None = None
    candidates: int = 0


def read_examples(run: Place, model: str, file: str, result: Mapping[str, Any]) -> list[Example]:
    """Some queries of a model among the pairs. file: its `retrieval-*.json`; result: what that says of this pool."""
    rows = run / "models" / model / file.replace("retrieval-", "predictions-").replace(".json", "-pairs.parquet")
    if rows.exists():
        queries = chosen(parsed(rows.read_bytes(), Answer, rows.uri))
    else:
        queries = [
            Query(kind="", direction=each["direction"], pair_id=each["query"], nearest=each["found"])
            for each in result["examples"]
        ]
    wanted = {query.pair_id for query in queries}
    wanted |= {pair_id for query in queries for pair_id, _ in query.nearest}
    found = Table(run / "pairs", Pair).select("pair_id", wanted).to_pylist() if wanted else []
    pairs = {row["pair_id"]: from_row(row, Pair) for row in found}
    return [_example(model, query, pairs) for query in queries if query.pair_id in pairs]


def chosen(rows: pa.Table) -> list[Query]:
    """Of each direction the query whose right answer is surest of the first place, that with the last, and any other.

    rows: of predictions.Answer. The one at random is drawn with SEED.
    """
    found, every = [], rows.to_pylist()
    for direction in DIRECTIONS:
        asked = [row for row in every if row["direction"] == direction]
        if not asked:
            continue
        ranked = sorted(asked, key=lambda row: (row["rank"], -_lead(row), row["pair_id"]))
        others = ranked[1:-1] or ranked
        picked = (ranked[0], ranked[-1], random.Random(SEED).choice(others))
        kinds = dict(zip(KINDS, picked, strict=True))
        seen = set[str]()
        for kind, row in kinds.items():
            if row["pair_id"] not in seen:
                found.append(_query(kind, row))
            seen.add(row["pair_id"])
    return found


def _lead(row: Mapping[str, Any]) -> float:
    """How far the first answer is before the second."""
    scores = row["scores"]
    return scores[0] - scores[1] if len(scores) > 1 else 0.0


def _query(kind: str, row: Mapping[str, Any]) -> Query:
    nearest = list(zip(row["nearest"], row["scores"], strict=True))[:ANSWERS]
    return Query(
        kind=kind,
        direction=row["direction"],
        pair_id=row["pair_id"],
        nearest=nearest,
        rank=row["rank"],
        candidates=row["candidates"],
    )


def _example(model: str, query: Query, pairs: Mapping[str, Pair]) -> Example:
    asked, asks_text = pairs[query.pair_id], query.direction == "i2t"
    results = [
        Result(
            item=pairs[pair_id].text if asks_text else pairs[pair_id].image,
            score=score,
            is_correct=pair_id == asked.pair_id
            or pairs[pair_id].text == asked.text
            or (asked.duplicate_group is not None and pairs[pair_id].duplicate_group == asked.duplicate_group),
        )
        for pair_id, score in query.nearest[:ANSWERS]
        if pair_id in pairs
    ]
    return Example(
        query=asked.image if asks_text else asked.text,
        truth=asked.text,
        results=results,
        scheme=model,
        kind=query.kind,
        rank=query.rank,
        candidates=query.candidates,
    )
