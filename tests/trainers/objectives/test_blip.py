"""BLIP's three losses on drawn pairs."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from app.settings import ModelSettings, ObjectiveSettings
from trainers.batch import Batch
from trainers.checkpoint import build_model
from trainers.objectives.blip import Blip


def test_a_batch_gives_the_three_losses_near_what_ignorance_costs(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    losses = small_blip(shape_batch(16))
    assert set(losses) == {"itc", "itm", "mlm"}
    assert losses["itc"].item() == pytest.approx(2.77, abs=0.4)
    assert 0.55 < losses["itm"].item() < 1.5
    assert losses["mlm"].item() == pytest.approx(
        torch.tensor(float(small_blip.masking.vocabulary)).log().item(), abs=0.5
    )


def test_a_loss_without_weight_is_not_computed(
    tokenizer: PreTrainedTokenizerFast, small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    settings: ModelSettings = small_blip.settings
    model = build_model(settings, ObjectiveSettings(itm=0, mlm=0), tokenizer)
    assert set(model(shape_batch(4))) == {"itc"}


def test_a_share_of_the_batch_is_fused_and_all_of_it_contrasted(
    tokenizer: PreTrainedTokenizerFast, small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    share = build_model(small_blip.settings, ObjectiveSettings(fusion_share=0.25), tokenizer)
    share.load_state_dict(small_blip.state_dict())
    rows: list[int] = []
    share.text_encoder.from_image.register_forward_hook(lambda _, given, __: rows.append(len(given[0])))
    losses = share(shape_batch(16))
    assert rows == [12, 4]  # a pair and two negatives for each of four, then their masked texts
    assert torch.equal(losses["itc"], small_blip(shape_batch(16))["itc"])


def test_every_parameter_has_a_gradient_when_all_three_count(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    sum(small_blip(shape_batch(16)).values()).backward()
    assert [name for name, p in small_blip.named_parameters() if p.grad is None] == []


def test_a_batch_of_one_text_has_no_negatives_and_still_a_loss(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    batch = shape_batch(4)
    same = replace(batch, text_group=torch.zeros(4, dtype=torch.int64))
    assert all(torch.isfinite(loss) for loss in small_blip(same).values())


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


def test_the_temperature_stays_where_blip_keeps_it(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    with torch.no_grad():
        small_blip.log_temperature.fill_(3.0)
    small_blip(shape_batch(4))
    assert small_blip.temperature.item() == pytest.approx(0.5)
