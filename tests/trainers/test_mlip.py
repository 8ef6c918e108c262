"""MLIP's model: sentences and patches in one space, and a decoder that puts patches back where they belong."""

from collections.abc import Callable

import torch

from core.settings import MlipSettings, ModelSettings
from trainers.batch import Batch
from trainers.mlip import PatchDecoder
from trainers.objectives.mlip import MlipObjective

Made = Callable[..., MlipObjective]


def test_a_sentence_is_the_mean_of_its_tokens_and_padding_is_none(
    mlip_for: Made, report_batch: Callable[[int], Batch]
) -> None:
    model, batch = mlip_for().model.eval(), report_batch(5)
    sentences, present = model.sentences(batch.tokens, batch.mask, batch.sentence_of)
    assert present.sum(dim=1).tolist() == [1, 2, 2, 1, 2]  # the third text is too long for its third sentence
    states = model.text_encoder(batch.tokens, batch.mask)
    own = states[2][batch.sentence_of[2] == 1]
    assert torch.allclose(sentences[2, 1], own.mean(dim=0), atol=1e-5)


def test_patches_are_all_states_but_the_first(mlip_for: Made, report_batch: Callable[[int], Batch]) -> None:
    model, images = mlip_for().model.eval(), report_batch(2).images
    assert torch.equal(model.patches(images), model.embed_images(images)[1][:, 1:])


def test_phi_begins_without_an_opinion(mlip_for: Made) -> None:
    assert mlip_for().model.phi.tolist() == [0.0] * 16


def test_without_reconstruction_there_is_no_decoder(mlip_for: Made) -> None:
    assert mlip_for(mip=0).model.decoder is None


def test_a_state_is_put_back_at_its_patch_and_the_order_of_the_kept_is_nothing() -> None:
    settings = ModelSettings(image_size=32, patch=8, image_width=16, image_heads=2)
    torch.manual_seed(0)
    decoder = PatchDecoder(settings, MlipSettings(decoder_width=16, decoder_depth=1, decoder_heads=2), grid=4).eval()
    states, kept = torch.randn(2, 1 + 5, 16), torch.tensor([[0, 3, 7, 8, 15], [1, 2, 4, 5, 6]])
    pixels = decoder(states, kept)
    assert pixels.shape == (2, 16, 3 * 64)
    order = torch.tensor([4, 0, 2, 1, 3])
    shuffled = decoder(torch.cat([states[:, :1], states[:, 1:][:, order]], dim=1), kept[:, order])
    assert torch.allclose(pixels, shuffled, atol=1e-5)
    assert not torch.allclose(pixels, decoder(states, kept.flip(0)), atol=1e-3)
