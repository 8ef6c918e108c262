"""Frozen encoders stay as they began, and what is kept of them is what they would make."""

from collections.abc import Callable

import pytest
import torch

from core.settings import ModelSettings, TrainSettings
from trainers.frozen import freeze
from trainers.mlip import Mlip
from trainers.objectives.mlip import MlipObjective
from trainers.towers import Towers

MlipFor = Callable[..., MlipObjective]


def learnt(model: Towers) -> set[str]:
    return {name for name, each in model.named_parameters() if each.requires_grad}


def test_whole_encoders_and_all_but_the_last_blocks(mlip_for: MlipFor) -> None:
    model = mlip_for(mip=0.0).model
    freeze(model, TrainSettings(frozen=("image", "text")))
    assert set(model.kept) == {"image", "text"}
    assert not any(name.startswith(("image_encoder", "text_encoder")) for name in learnt(model))
    model = mlip_for(mip=0.0).model
    freeze(model, TrainSettings(frozen=("image",), learnt_blocks=1))
    last = len(model.image_encoder.blocks) - 1
    images = {name for name in learnt(model) if name.startswith("image_encoder")}
    assert images and all(name.startswith((f"image_encoder.blocks.{last}.", "image_encoder.norm.")) for name in images)
    assert not model.kept and any(name.startswith("text_encoder") for name in learnt(model))


def test_patches_are_hidden_after_a_kept_encoder_and_before_one_with_pixels_to_learn(mlip_for: MlipFor) -> None:
    images, kept = torch.rand(3, 3, 32, 32) * 2 - 1, torch.tensor([[0, 2], [1, 3], [4, 5]])
    for mip in (0.0, 1.0):
        model = mlip_for(mip=mip).model.eval()
        with torch.no_grad():
            whole, before = model.image_states(images), model.image_states(images, kept)
            freeze(model, TrainSettings(frozen=("image",)))
            found = model.image_states(images, kept)
        after = torch.cat([whole[:, :1], whole[:, 1:].gather(1, kept[..., None].expand(-1, -1, whole.shape[-1]))], 1)
        torch.testing.assert_close(found, before if mip else after, atol=2e-3, rtol=2e-3)
        torch.testing.assert_close(model.image_states(images), whole, atol=2e-3, rtol=2e-3)


def test_texts_are_known_whatever_batch_they_are_padded_in(mlip_for: MlipFor) -> None:
    model = mlip_for(mip=0.0).model.eval()
    tokens = torch.tensor([[2, 7, 8, 3, 0, 0], [2, 7, 8, 9, 9, 3]])
    with torch.no_grad():
        plain = model.text_states(tokens, tokens > 0)
        freeze(model, TrainSettings(frozen=("text",)))
        torch.testing.assert_close(model.text_states(tokens, tokens > 0)[0, :4], plain[0, :4], atol=2e-3, rtol=2e-3)
        alone = model.text_states(tokens[:1, :4], tokens[:1, :4] > 0)
    assert len(model.kept["text"].states) >= 2
    assert torch.equal(alone, model.text_states(tokens, tokens > 0)[:1, :4])


def test_the_second_layer_of_a_head_is_as_wide_as_the_encoder() -> None:
    shape = ModelSettings(
        image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2, text_width=32, text_depth=1,
        text_heads=2, embedding=8, head_layers=2, vocabulary=64, dropout=0, pool="mean",
    )  # fmt: skip
    from core.settings import MlipSettings

    model = Mlip(shape, MlipSettings(mip=0))
    assert [each.shape for each in model.image_head.parameters()] == [(32, 32), (32,), (8, 32), (8,)]


def test_settings_that_would_make_kept_states_untrue_are_refused() -> None:
    from core.config import SettingError, load

    with pytest.raises(SettingError, match=r"set train\.augment to none"):
        load("mlip-phantom", ["train.frozen=[image]"])
    with pytest.raises(SettingError, match=r"set model\.dropout to 0"):
        load("mlip-cxr", ["train.frozen=[text]"])
    with pytest.raises(SettingError, match=r"state train\.frozen"):
        load("mlip-cxr", ["train.learnt_blocks=2"])
