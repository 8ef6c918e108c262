"""Matching with cached keys and values against the model's own matching, and what is put in which order."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.evaluation.pool import Pool, embed
from trainers.evaluation.ranking import Both, rank_all
from trainers.evaluation.recall import per_query, recalls
from trainers.evaluation.rerank import (
    Judged,
    Pairs,
    batched,
    candidates_auc,
    chosen_weight,
    judged,
    look_at,
    match_pairs,
    wanted,
)


def one_by_one(model: Blip, pool: Pool) -> Tensor:
    """(N, N) logits, every pair by itself as the model matches."""
    rows = []
    with torch.no_grad():
        for states in pool.states:
            every = states.expand(len(pool.tokens), -1, -1)
            rows.append(model.match_scores(every, pool.tokens, pool.mask))
    return torch.stack(rows)


def rank(pool: Pool, n: int) -> Both:
    return rank_all(pool.image, pool.text, torch.arange(len(pool.pair_ids))[None], nearest=n)


def rerank(model: Blip, pool: Pool, k: int) -> Judged:
    both = rank(pool, k)
    pairs = wanted(both, k=k)
    return judged(both, pairs, match_pairs(model, [(0, pool.states)], pool.tokens, pool.mask, pairs), k=k)


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
    expected = one_by_one(model, found)
    some = torch.rand(40, 40, generator=torch.Generator().manual_seed(0)) < 0.1
    some[3] = False
    for asked in (torch.ones(40, 40, dtype=torch.bool), some):
        pairs = Pairs(*asked.nonzero().T)
        parts = [(start, found.states[start : start + 17]) for start in range(0, 40, 17)]
        logits = match_pairs(model, parts, found.tokens, found.mask, pairs)
        assert (logits - expected[pairs.image, pairs.text]).abs().max() < 1e-5


def test_each_image_is_looked_at_once_and_each_pair_scored_once(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    pool = embed(small_blip, [shape_batch(12)])
    looks, read = [], []
    attention = small_blip.text_encoder.cross_attentions()[0]
    attention.key.register_forward_hook(lambda _, given, __: looks.append(len(given[0])))
    attention.query.register_forward_hook(lambda _, given, __: read.append(len(given[0])))
    found = rerank(small_blip, pool, 4)
    assert sum(looks) == 12
    pairs = wanted(found.both, k=4)
    assert len(pairs.image) <= sum(read) < 2 * 12 * 4  # a tile that is not full repeats its last text
    assert len(read) < 12  # images side by side
    assert [seen.keys.shape for seen in look_at(small_blip, pool.states[:3])] == [(3, 2, 17, 16)] * 2


def test_tiles_hold_all_pairs_of_one_image_each_short_texts_beside_short_ones() -> None:
    generator = torch.Generator().manual_seed(0)
    image = torch.randint(9, (200,), generator=generator).sort().values
    lengths = torch.randint(3, 30, (200,), generator=generator)
    seen: list[int] = []
    for tiles in batched(image, lengths, at_once=32):
        assert tiles.numel() <= 32
        assert (image[tiles] == image[tiles[:, :1]]).all()
        seen += tiles.unique().tolist()
    assert sorted(seen) == list(range(200))
    (first, *_) = [tiles[lengths[tiles].argsort(dim=1)[0]] for tiles in batched(image[:1], lengths[:1], at_once=4)]
    assert first.tolist() == [[0]]


def test_the_best_come_by_logit_plus_similarity_and_the_rest_behind_them(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    pool = embed(small_blip, [shape_batch(6)])
    similarity, logits = pool.image @ pool.text.T, one_by_one(small_blip, pool)
    both = rank(pool, 5)
    pairs = wanted(both, k=2)
    found = judged(both, pairs, match_pairs(small_blip, [(0, pool.states)], pool.tokens, pool.mask, pairs), k=2)
    for side, (before, matched) in enumerate(((similarity, logits), (similarity.T, logits.T))):
        nearest, scores = found.shown(side)
        for row in range(6):
            chosen = before[row].topk(2).indices.tolist()
            for place, score in zip(nearest[row].tolist(), scores[row].tolist(), strict=True):
                added = matched[row, place].item() if place in chosen else -100
                assert score == pytest.approx(before[row, place].item() + added, abs=1e-4)


@pytest.mark.parametrize("k", [3, 15])
def test_a_model_that_scores_all_alike_finds_k_of_n(
    small_blip: Blip, shape_batch: Callable[[int], Batch], k: int
) -> None:
    for head in (small_blip.image_head, small_blip.text_head, small_blip.match_head):
        torch.nn.init.zeros_(head.weight)
    pool = embed(small_blip, [shape_batch(20)])
    found = {
        name: each.mean().item() for name, each in recalls(per_query(rerank(small_blip, pool, k).standings())).items()
    }
    expected = {"i2t@1": 1 / 20, "i2t@5": 5 / 20, "t2i@10": 10 / 20}
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_more_candidates_than_the_pool_has_are_all_of_it(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    pool = embed(small_blip, [shape_batch(5)])
    found = rerank(small_blip, pool, 99)
    assert [each.shape for each in found.logits] == [(5, 5)] * 2
    assert (found.shown(0)[1] > -50).all()


def ranked(cosines: Tensor) -> Both:
    """Of a pool whose cosines are these, all kept: any square matrix is a product of itself and the unit matrix."""
    return rank_all(cosines, torch.eye(len(cosines)), torch.arange(len(cosines))[None], nearest=len(cosines))


def said(both: Both, logits: Tensor) -> Judged:
    """ITM's logits (N, N), images by texts, of all candidates."""
    sides = (logits, logits.T)
    one, other = (each.gather(1, at.nearest) for each, at in zip(sides, both, strict=True))
    return Judged(both, (one, other))


def test_the_weight_of_matching_is_what_other_pairs_say_it_is_worth() -> None:
    """Four pairs whose cosines nearly tie: a matcher that knows gets weight, one that errs gets none."""
    both = ranked(torch.full((4, 4), 0.5) + 0.001 * torch.eye(4).roll(1, 0))
    knows, errs = said(both, torch.eye(4)), said(both, -torch.eye(4))
    assert chosen_weight(knows, temperature=0.07) > 0.0
    assert chosen_weight(errs, temperature=0.07) == 0.0
    nearest, scores = knows.shown(0, cosine=1 / 0.07, logit=0.3)
    assert nearest[:, 0].tolist() == [0, 1, 2, 3]
    assert scores[:, 0].tolist() == pytest.approx([0.5 / 0.07 + 0.3] * 4)


def test_candidates_that_matching_did_not_see_stay_behind_in_the_order_of_cosines() -> None:
    both = ranked(torch.tensor([[0.9, 0.8, 0.1]]).expand(3, 3))
    found = Judged(both, (torch.tensor([[-50.0, 3.0]]).expand(3, 2), torch.zeros(3, 2)))
    nearest, scores = found.shown(0, cosine=14.0, logit=3.0)
    assert nearest[0].tolist() == [1, 0, 2] and (scores[0].diff() < 0).all()
    assert found.standings(cosine=14.0, logit=3.0)["i2t"].above.tolist() == [1, 0, 2]


def test_auc_among_candidates_counts_pairs_of_right_and_wrong_of_one_query() -> None:
    scores = torch.tensor([[3.0, 2.0], [1.0, 1.0], [5.0, 0.0]])
    is_right = torch.tensor([[True, False], [True, False], [True, True]])
    assert candidates_auc(scores, is_right) == (1 + 0.5) / 2
    assert candidates_auc(scores, ~torch.ones_like(is_right)) is None
