"""The queries that are shown are the best, the worst and one at random, with what was right among their answers."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pyarrow as pa

from app.report.examples import chosen, read_examples
from core.places import Place
from core.records import Pair, arrow_schema, to_table
from core.runs import Table
from core.tables import written
from trainers.evaluation.predictions import Answer

IDS = ["p0", "p1", "p2", "p3"]


def answers(ranks: dict[str, float], leads: dict[str, float]) -> pa.Table:
    """Queries of both directions; leads: of the first answer before the second."""
    rows: list[dict[str, Any]] = []
    for direction in ("i2t", "t2i"):
        for name, rank in ranks.items():
            numbers = {each.name: 0 for each in fields(Answer) if each.type in (int, float, "int", "float")}
            first = 0.5 + leads.get(name, 0.0)
            rows.append(
                numbers
                | {
                    "direction": direction, "pair_id": name, "article_id": name, "modality": "CT", "candidates": 4,
                    "rank": rank, "nearest": [IDS[-1 - IDS.index(name)], name], "scores": [first, 0.5],
                }
            )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=arrow_schema(Answer))


def test_best_worst_and_one_at_random() -> None:
    queries = chosen(answers({"p0": 1, "p1": 1, "p2": 3, "p3": 2}, {"p0": 0.1, "p1": 0.3}))
    assert [(query.direction, query.kind, query.pair_id) for query in queries][:2] == [
        ("i2t", "best", "p1"),
        ("i2t", "worst", "p2"),
    ]
    assert queries[2].kind == "at random" and queries[2].pair_id in ("p0", "p3")
    assert [query.direction for query in queries] == ["i2t"] * 3 + ["t2i"] * 3
    assert queries == chosen(answers({"p0": 1, "p1": 1, "p2": 3, "p3": 2}, {"p0": 0.1, "p1": 0.3}))


def test_a_single_query_is_shown_once() -> None:
    assert [query.kind for query in chosen(answers({"p0": 1}, {}))] == ["best", "best"]


def test_answers_with_the_same_text_are_right(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    pairs = [
        Pair(
            pair_id=name, figure_id="f", article_id="a", split="test", image=b"", width=1, height=1, box=(0, 0, 1, 1),
            label=None, text="same" if name in ("p0", "p3") else name, matched_by="letter", score=1.0, reason="",
            licence="CC0", attribution="", media_url="", md5="",
        )
        for name in IDS
    ]  # fmt: skip
    Table(run / "pairs", Pair).commit(0, tables={"": to_table(pairs, Pair)}, rejects=[], inputs="", counts={})
    file = run / "models" / "m" / "predictions-test-rerank0-pairs.parquet"
    file.write_bytes(written(answers({"p0": 1, "p1": 2}, {})))
    found = read_examples(run, "m", "retrieval-test-rerank0.json", {})
    best = next(example for example in found if example.kind == "best" and example.truth == "same")
    assert [result.is_correct for result in best.results] == [True, True]
    worst = next(example for example in found if example.kind == "worst")
    assert [result.is_correct for result in worst.results] == [False, True]
    old = {"examples": [{"direction": "t2i", "query": "p1", "found": [["p1", 0.9]]}]}
    (example,) = read_examples(run, "m", "retrieval-test-rerank9.json", old)
    assert (example.query, example.results[0].is_correct, example.rank) == ("p1", True, None)
