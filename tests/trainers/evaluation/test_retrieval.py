"""Retrieval metrics against brute force, and evaluation of a saved model."""

from collections.abc import Callable
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from app.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.checkpoint import image_marks, save_model
from trainers.evaluation.retrieval import LeakError, chance, embed, evaluate, lift, match_again, metrics, recall_at
from trainers.objectives.blip import Blip


def by_every_order(scores: list[float], correct: list[bool], k: int) -> float:
    """The share of the orders that agree with the scores in which a correct candidate is among the first k."""
    orders = [
        order for order in permutations(range(len(scores))) if all(scores[a] >= scores[b] for a, b in pairwise(order))
    ]
    return sum(any(correct[c] for c in order[:k]) for order in orders) / len(orders)


def test_recall_is_the_share_of_orders_among_ties_with_a_hit() -> None:
    generator = torch.Generator().manual_seed(0)
    for _ in range(40):
        scores = torch.randint(3, (3, 5), generator=generator).float()
        correct = torch.rand(3, 5, generator=generator) < 0.4
        correct[:, 0] = True
        for k in (1, 2, 4):
            expected = sum(by_every_order(s.tolist(), c.tolist(), k) for s, c in zip(scores, correct, strict=True)) / 3
            assert recall_at(scores, correct, k=k) == pytest.approx(expected)


def test_a_constant_score_finds_k_of_n() -> None:
    found = metrics(torch.ones(50, 50), torch.ones(50, 50), text_group=torch.arange(50))
    assert found["i2t@1"] == pytest.approx(1 / 50) and found["strict_t2i@10"] == pytest.approx(10 / 50)
    assert chance(torch.arange(50)) == pytest.approx(found)


def test_another_pair_with_the_same_text_counts_unless_strict() -> None:
    text_group = torch.tensor([0, 0, 1])
    scores = torch.tensor([[0.1, 0.9, 0.0], [0.9, 0.1, 0.0], [0.0, 0.0, 0.9]])
    found = metrics(scores, scores.T, text_group=text_group)
    assert (found["i2t@1"], found["strict_i2t@1"]) == (pytest.approx(1.0), pytest.approx(1 / 3))
    assert chance(text_group)["i2t@1"] == pytest.approx((2 / 3 + 2 / 3 + 1 / 3) / 3)
    assert lift(found, chance(text_group))["i2t@1"] == pytest.approx(9 / 5)


def test_scores_of_each_direction_are_read_along_their_own_rows() -> None:
    to_text: Tensor = torch.tensor([[0.9, 0.1], [0.8, 0.2]])
    found = metrics(to_text, to_text.T, text_group=torch.arange(2))
    assert (found["i2t@1"], found["t2i@1"]) == (0.5, 1.0)


def test_matching_again_orders_the_best_by_logit_plus_similarity_and_leaves_the_rest_behind(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    batch = shape_batch(6)
    pool = embed(small_blip, [batch])
    similarity = pool.image @ pool.text.T
    to_text, to_image = match_again(small_blip, pool, similarity, k=2, batch_size=5)
    with torch.no_grad():
        for i in range(6):
            best = similarity[i].topk(2).indices.tolist()
            for t in range(6):
                logit = small_blip.match_scores(pool.states[i : i + 1], pool.tokens[t : t + 1], pool.mask[t : t + 1])
                expected = similarity[i, t] + logit.item() if t in best else similarity[i, t] - 100
                assert to_text[i, t].item() == pytest.approx(expected.item(), abs=1e-4)
    assert ((to_image > -50).sum(dim=1) == 2).all()
    everything, _ = match_again(small_blip, pool, similarity, k=99, batch_size=5)
    assert (everything > -50).all()


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
        evaluate(saved, [str(tmp_path / "pool.parquet")], batch_size=3, rerank=2)


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
            evaluate(tmp_path / "m", [str(tmp_path / "pool.parquet")], batch_size=4, rerank=0)


def test_a_saved_model_is_evaluated_on_all_pairs_of_the_files(
    saved: Path, shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path
) -> None:
    rows = shape_rows(14)[2:]
    files = []
    for name, some in (("a", rows[:5]), ("b", rows[5:])):
        files.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.Table.from_pylist(some), files[-1])
    found = evaluate(saved, files, batch_size=4, rerank=3)
    assert found.pool == 12
    assert set(found.chance) < set(found.metrics)
    assert {example.query for example in found.examples} <= {row["pair_id"] for row in rows}
    assert all(len(example.found) == 5 for example in found.examples)
