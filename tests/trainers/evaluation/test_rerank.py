"""Matching with cached keys and values against the model's own matching, and what is put in which order."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.evaluation.pool import Pool, embed
from trainers.evaluation.recall import metrics
from trainers.evaluation.rerank import (
    Judged,
    best,
    candidates_auc,
    chosen_weight,
    look_at,
    match_again,
    match_logits,
)


def one_by_one(model: Blip, pool: Pool) -> Tensor:
    """(N, N) logits, every pair by itself as the model matches."""
    rows = []
    with torch.no_grad():
        for states in pool.states:
            every = states.expand(len(pool.tokens), -1, -1)
            rows.append(model.match_scores(every, pool.tokens, pool.mask))
    return torch.stack(rows)


@pytest.mark.parametrize(("pool", "image_width"), [("mean", 32), ("first", 48)])
def test_matching_with_what_was_seen_once_equals_matching_every_pair(
    small_blip: Blip, shape_batch: Callable[[int], Batch], pool: str, image_width: int
) -> None:
    settings = small_blip.settings.model_copy(update={"pool": pool, "image_width": image_width, "dropout": 0.3})
    torch.manual_seed(1)
    model = Blip(settings, ObjectiveSettings()).train()
    batch = shape_batch(40)
    batch.mask[::3, 5:] = False  # some texts much shorter
    found = embed(model, [batch])
    every = match_logits(model, found, torch.ones(40, 40, dtype=torch.bool))
    assert (every - one_by_one(model, found)).abs().max() < 1e-5
    some = torch.rand(40, 40, generator=torch.Generator().manual_seed(0)) < 0.1
    some[3] = False
    assert torch.allclose(match_logits(model, found, some), every * some, atol=1e-5)


def test_each_image_is_looked_at_once_and_each_pair_scored_once(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    pool = embed(small_blip, [shape_batch(12)])
    looks, read = [], []
    attention = small_blip.text_encoder.cross_attentions()[0]
    attention.key.register_forward_hook(lambda _, given, __: looks.append(len(given[0])))
    attention.query.register_forward_hook(lambda _, given, __: read.append(len(given[0])))
    similarity = pool.image @ pool.text.T
    match_again(small_blip, pool, similarity, k=4)
    assert looks == [1] * 12
    wanted = best(similarity, 4) | best(similarity.T, 4).T
    assert sum(read) == wanted.sum() < 2 * 12 * 4
    assert [seen.keys.shape for seen in look_at(small_blip, pool.states[:1])] == [(1, 2, 17, 16)] * 2


def test_the_best_come_by_logit_plus_similarity_and_the_rest_behind_them(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    pool = embed(small_blip, [shape_batch(6)])
    similarity, logits = pool.image @ pool.text.T, one_by_one(small_blip, pool)
    to_text, to_image = match_again(small_blip, pool, similarity, k=2)
    for scores, before, matched in ((to_text, similarity, logits), (to_image, similarity.T, logits.T)):
        for row in range(6):
            chosen = before[row].topk(2).indices.tolist()
            for place in range(6):
                added = matched[row, place] if place in chosen else -100
                assert scores[row, place].item() == pytest.approx((before[row, place] + added).item(), abs=1e-4)


@pytest.mark.parametrize("k", [3, 15])
def test_a_model_that_scores_all_alike_finds_k_of_n(
    small_blip: Blip, shape_batch: Callable[[int], Batch], k: int
) -> None:
    for head in (small_blip.image_head, small_blip.text_head, small_blip.match_head):
        torch.nn.init.zeros_(head.weight)
    pool = embed(small_blip, [shape_batch(20)])
    to_text, to_image = match_again(small_blip, pool, pool.image @ pool.text.T, k=k)
    found = metrics(to_text, to_image, text_group=torch.arange(20))
    expected = {"i2t@1": 1 / 20, "i2t@5": 5 / 20, "t2i@10": 10 / 20}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_more_candidates_than_the_pool_has_are_all_of_it(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    pool = embed(small_blip, [shape_batch(5)])
    to_text, to_image = match_again(small_blip, pool, pool.image @ pool.text.T, k=99)
    assert (to_text > -50).all() and (to_image > -50).all()


def test_the_weight_of_matching_is_what_other_pairs_say_it_is_worth() -> None:
    """Four pairs whose cosines all tie: a matcher that knows gets weight, one that errs gets none."""
    every, same = torch.ones(4, 4, dtype=torch.bool), torch.eye(4, dtype=torch.bool)
    nearly = torch.full((4, 4), 0.5) + 0.001 * torch.eye(4).roll(1, 0)
    knows, errs = Judged(nearly, torch.eye(4), every, every), Judged(nearly, -torch.eye(4), every, every)
    assert chosen_weight(knows, same, temperature=0.07) > 0.0
    assert chosen_weight(errs, same, temperature=0.07) == 0.0
    to_text, _ = knows.scores(cosine=1 / 0.07, logit=0.3)
    torch.testing.assert_close(to_text, nearly / 0.07 + 0.3 * torch.eye(4))


def test_candidates_that_matching_did_not_see_stay_behind_in_the_order_of_cosines() -> None:
    similarity = torch.tensor([[0.9, 0.8, 0.1]]).expand(3, 3)
    chosen = torch.tensor([[True, True, False]]).expand(3, 3)
    logits = torch.tensor([[-50.0, 3.0, 0.0]]).expand(3, 3)
    to_text, _ = Judged(similarity, logits, chosen, chosen).scores(cosine=14.0, logit=3.0)
    assert to_text[0].argsort(descending=True).tolist() == [1, 0, 2]


def test_auc_among_candidates_counts_pairs_of_right_and_wrong_of_one_query() -> None:
    scores = torch.tensor([[3.0, 2.0, 9.0], [1.0, 1.0, 0.0]])
    chosen = torch.tensor([[True, True, False], [True, True, True]])
    same = torch.tensor([[True, False, False], [True, False, False]])
    assert candidates_auc(scores, chosen, same) == (1 + 0.5 + 1) / 3
    assert candidates_auc(scores, chosen, ~chosen & same) is None
