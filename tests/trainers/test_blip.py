"""The model: embeddings, matching and words."""

from collections.abc import Callable

import torch

from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip


def test_embeddings_have_unit_length_and_do_not_change_between_two_readings(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    batch, model = shape_batch(6), small_blip.eval()
    image, _ = model.embed_images(batch.images)
    text = model.embed_texts(batch.tokens, batch.mask)
    assert torch.allclose(image.norm(dim=1), torch.ones(6)) and torch.allclose(text.norm(dim=1), torch.ones(6))
    assert torch.equal(image, model.embed_images(batch.images)[0])


def test_the_matching_score_depends_on_the_image(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    batch, model = shape_batch(2), small_blip.eval()
    _, states = model.embed_images(batch.images)
    same, other = (model.match_scores(s, batch.tokens, batch.mask) for s in (states, states.flip(0)))
    assert same.shape == (2,) and not torch.allclose(same, other)


def test_a_masked_word_is_read_from_both_sides_and_the_next_word_from_one(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    torch.manual_seed(0)
    lm = Blip(small_blip.settings, ObjectiveSettings(text_objective="lm")).eval()
    batch, masked = shape_batch(1), small_blip.eval()
    _, states = masked.embed_images(batch.images)
    last = int(batch.mask.sum()) - 2
    changed = batch.tokens.clone()
    changed[0, last] += 1
    second = torch.zeros_like(batch.mask)
    second[0, 1] = True
    seen = [masked.masked_words(states, tokens, batch.mask, second) for tokens in (batch.tokens, changed)]
    assert not torch.allclose(seen[0], seen[1], atol=1e-5)
    one_sided = [lm.next_words(states, tokens, batch.mask) for tokens in (batch.tokens, changed)]
    assert len(one_sided[0]) == int(batch.mask.sum()) - 1
    assert torch.allclose(one_sided[0][:last], one_sided[1][:last], atol=1e-6)
    assert not torch.allclose(one_sided[0][last:], one_sided[1][last:], atol=1e-5)


def test_every_weight_matrix_starts_at_a_size_that_can_learn(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    for name, weight in small_blip.named_parameters():
        assert weight.ndim < 2 or "token" in name or weight.std() > 1e-3, name
    image, _ = small_blip.eval().embed_images(shape_batch(8).images)
    assert image.std(dim=0).mean() > 1e-4
