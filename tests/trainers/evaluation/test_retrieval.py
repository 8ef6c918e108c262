"""Evaluation of a saved model: what it refuses, what it tells, and that it tells the same twice."""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import arrow_schema
from core.settings import ObjectiveSettings
from trainers.batch import Collate, prepare, read_pairs
from trainers.blip import Blip
from trainers.checkpoint import image_marks, save_model
from trainers.evaluation.bootstrap import difference
from trainers.evaluation.pool import embed
from trainers.evaluation.predictions import Answer
from trainers.evaluation.recall import found_within, mid_rank, standing
from trainers.evaluation.retrieval import LeakError, Plan, by_modality, evaluate, lift, tell


@pytest.fixture
def saved(small_blip: Blip, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Path:
    settings = small_blip.settings, ObjectiveSettings()
    save_model(tmp_path / "model", small_blip, settings=settings, tokenizer=tokenizer, articles=["A0.1", "A99.1"])
    return tmp_path / "model"


def test_a_pool_with_an_article_of_the_training_set_is_refused(
    saved: Path, shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path
) -> None:
    pq.write_table(pa.Table.from_pylist(shape_rows(8)), tmp_path / "pool.parquet")
    with pytest.raises(LeakError, match=r"1 articles of this pool, A0\.1"):
        evaluate(saved, [str(tmp_path / "pool.parquet")], Plan(batch_size=3, rerank=2))


def test_an_image_of_the_training_set_is_refused_in_another_article(
    small_blip: Blip,
    tokenizer: PreTrainedTokenizerFast,
    shape_rows: Callable[[int], list[dict[str, Any]]],
    tmp_path: Path,
) -> None:
    trained = [row | {"md5": row["figure_id"], "duplicate_group": None} for row in shape_rows(8)]
    pq.write_table(pa.Table.from_pylist(trained), tmp_path / "train.parquet")
    marks = image_marks([str(tmp_path / "train.parquet")])
    settings = small_blip.settings, ObjectiveSettings()
    save_model(tmp_path / "m", small_blip, settings=settings, tokenizer=tokenizer, articles=["A0.1"], images=marks)
    for column in ("md5", "duplicate_group"):
        rows = [row | {"article_id": f"B{n}.1", "md5": f"new {n}"} for n, row in enumerate(trained)]
        rows[2][column] = trained[5]["md5"]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "pool.parquet")
        with pytest.raises(LeakError, match=r"images that 1 articles of this pool show, B2\.1 among"):
            evaluate(tmp_path / "m", [str(tmp_path / "pool.parquet")], Plan(batch_size=4, rerank=0))


@pytest.fixture
def pool_files(shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> list[str]:
    """24 pairs of 12 articles in two files; the last is a copy of the first."""
    rows = [
        row | {"modality": "CT" if n % 3 else "MRI", "md5": f"m{n}", "box": [0, 0, 4, 4], "duplicate_group": None}
        for n, row in enumerate(shape_rows(26)[2:])
    ]
    rows[23]["duplicate_group"] = rows[0]["duplicate_group"] = "first"
    files = []
    for name, some in (("a", rows[:9]), ("b", rows[9:])):
        files.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.Table.from_pylist(some), files[-1])
    return files


def test_a_saved_model_is_evaluated_on_all_pairs_of_the_files(saved: Path, pool_files: list[str]) -> None:
    found, rows = evaluate(saved, pool_files, Plan(batch_size=7, rerank=3, resamples=50))
    assert rows.schema == arrow_schema(Answer) and rows.num_rows == 2 * 24
    assert (found.pool, found.reranked, found.note) == (24, 3, "")
    assert set(found.chance) < set(found.metrics) == set(found.intervals)
    assert all(low <= found.metrics[name] <= high for name, (low, high) in found.intervals.items())
    assert found.metrics["i2t@5"] >= found.metrics["strict_i2t@5"]
    assert {example.query for example in found.examples} <= set(found.queries)
    assert all(len(example.found) == 5 for example in found.examples)
    assert set(found.by_modality) == {"CT"} and found.by_modality["CT"]["queries"] == 16
    assert np.mean(found.found["t2i@10"]) == pytest.approx(found.metrics["t2i@10"], abs=1e-4)
    assert found.articles == [pair_id.partition("/")[0] for pair_id in found.queries]
    json.dumps(asdict(found), allow_nan=False)


def test_two_evaluations_are_the_same_and_intervals_hang_on_the_seed(saved: Path, pool_files: list[str]) -> None:
    plan = Plan(batch_size=5, rerank=4, resamples=40)
    one, two = (evaluate(saved, pool_files, plan).told for _ in range(2))
    assert one == two
    other = evaluate(saved, pool_files, replace(plan, seed=1)).told
    assert other.metrics == one.metrics and other.intervals != one.intervals
    assert evaluate(saved, pool_files, replace(plan, resamples=0)).told.intervals == {}
    same = difference(one.found["i2t@10"], two.found["i2t@10"], one.articles, resamples=20, seed=0)
    assert same == (0, 0, 0)


def test_texts_are_cut_where_they_were_in_training(
    saved: Path, shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path
) -> None:
    found = []
    for tail in ("left", "a white disc"):
        rows = [row | {"text": f"{row['text']} {'upper ' * 24}{tail}"} for row in shape_rows(12)[2:]]
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "long.parquet")
        plan = Plan(batch_size=4, rerank=2, resamples=0)
        found.append(evaluate(saved, [str(tmp_path / "long.parquet")], plan).told)
    assert found[0] == found[1]
    assert found[0].by_modality == {"other": found[0].by_modality["other"]}


def test_a_model_that_was_not_trained_to_match_ranks_by_itc_and_says_so(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, pool_files: list[str], tmp_path: Path
) -> None:
    settings = small_blip.settings, ObjectiveSettings(itm=0)
    save_model(tmp_path / "m", small_blip, settings=settings, tokenizer=tokenizer, articles=[])
    found = evaluate(tmp_path / "m", pool_files, Plan(batch_size=8, rerank=3, resamples=0)).told
    assert found.reranked == 0 and "not trained to match" in found.note
    assert found.metrics["itc_i2t@1"] == found.metrics["i2t@1"]
    assert evaluate(tmp_path / "m", pool_files, Plan(batch_size=8, rerank=0, resamples=0)).told.note == ""


def test_the_numbers_are_those_of_all_scores_at_once(
    small_blip: Blip, saved: Path, pool_files: list[str], tokenizer: PreTrainedTokenizerFast
) -> None:
    """Against N x N scores: ranks of both directions after matching the three nearest, copies and equal texts right."""
    found, rows = evaluate(saved, pool_files, Plan(batch_size=24, rerank=3, resamples=0))
    collate = Collate(tokenizer, small_blip.settings.image_size, small_blip.settings.max_tokens)
    made = [collate([prepare(row, 32) for row in part]) for part in read_pairs(pool_files, batch_size=24)]
    pool = embed(small_blip.eval(), made)
    similarity = pool.image @ pool.text.T
    with torch.no_grad():
        logits = torch.stack(
            [small_blip.match_scores(one.expand(24, -1, -1), pool.tokens, pool.mask) for one in pool.states]
        )
    same = pool.text_group[:, None] == pool.text_group
    same[0, 23] = same[23, 0] = True  # the copy
    for direction, cosines, matched in (("i2t", similarity, logits), ("t2i", similarity.T, logits.T)):
        chosen = torch.zeros(24, 24, dtype=torch.bool).scatter(1, cosines.topk(3).indices, True)
        final = torch.where(chosen, cosines + matched, cosines - 100).double()
        of = rows.filter(pc.equal(rows["direction"], direction))
        for prefix, scores in (("", final), ("itc_", cosines)):
            for kind, right in (("", same), ("strict_", torch.eye(24, dtype=torch.bool))):
                at = standing(scores, right)
                assert of[f"{prefix}{kind}rank"].to_pylist() == pytest.approx(mid_rank(at).tolist())
                name = f"{prefix}{kind}{direction}@5"
                assert found.metrics[name] == pytest.approx(found_within(at, k=5).mean().item())


def test_chance_counts_all_that_are_right(saved: Path, pool_files: list[str]) -> None:
    found, rows = evaluate(saved, pool_files, Plan(batch_size=24, rerank=0, resamples=0))
    rights = rows["rights"].to_pylist()[:24]
    assert max(rights) > 1
    assert found.chance["i2t@1"] == pytest.approx(sum(rights) / 24 / 24)
    assert found.chance["strict_i2t@1"] == pytest.approx(1 / 24)
    assert lift({"i2t@1": 1.0}, {"i2t@1": found.chance["i2t@1"]})["i2t@1"] == pytest.approx(576 / sum(rights))


def test_the_numbers_come_from_the_rows_alone(saved: Path, pool_files: list[str], tmp_path: Path) -> None:
    plan = Plan(batch_size=24, rerank=3, resamples=20)
    found, rows = evaluate(saved, pool_files, plan)
    pq.write_table(rows, tmp_path / "predictions.parquet")
    again = tell(pq.read_table(tmp_path / "predictions.parquet"), plan, reranked=3, drawn_from=24, note="")
    assert replace(found, nearest={}) == again


def test_a_pool_is_capped_by_whole_articles_with_a_seed(saved: Path, pool_files: list[str]) -> None:
    plan = Plan(batch_size=4, rerank=2, resamples=0, pool=9)
    one, two, other = (evaluate(saved, pool_files, each).told for each in (plan, plan, replace(plan, seed=2)))
    assert one == two and one.queries != other.queries
    assert (one.pool, one.drawn_from) == (8, 24)  # articles have two pairs each
    assert one.note == "8 of 24 pairs, whole articles drawn with seed 0"
    assert all(one.articles.count(article) == 2 for article in one.articles)
    assert one.queries == [
        pair for pair in evaluate(saved, pool_files, replace(plan, pool=None)).told.queries if pair in one.queries
    ]
    with pytest.raises(UserError, match=r"evaluate\.pool"):
        evaluate(saved, pool_files, replace(plan, pool=1))


def test_modalities_with_few_queries_are_left_out() -> None:
    recall = {name: np.array([1.0] * 12 + [0.0] * 8 + [0.5] * 11) for name in ("i2t@1", "i2t@10", "t2i@1", "t2i@10")}
    told = by_modality(recall, ["CT"] * 12 + ["MRI"] * 8 + ["X-ray"] * 11)
    assert told["CT"] == {"queries": 12, "i2t@1": 1.0, "i2t@10": 1.0, "t2i@1": 1.0, "t2i@10": 1.0}
    assert list(told) == ["CT", "X-ray"] and told["X-ray"]["i2t@1"] == 0.5
