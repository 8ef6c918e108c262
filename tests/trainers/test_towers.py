"""Two towers: what is pooled, and that heads, where there are none, change nothing."""

from collections.abc import Callable

import pytest
import torch

from trainers.batch import Batch
from trainers.objectives.mlip import MlipObjective

Made = Callable[..., MlipObjective]


def test_the_mean_of_all_states_counts_the_first_one_too(mlip_for: Made) -> None:
    states = torch.randn(3, 5, 32)
    of_all, of_patches = (mlip_for(model={"pool": pool, "text_pool": "mean"}).model for pool in ("all", "mean"))
    assert torch.allclose(of_all.image_vectors(states), states.mean(dim=1))
    assert torch.allclose(of_patches.image_vectors(states), states[:, 1:].mean(dim=1))


def test_a_text_is_pooled_in_its_own_way(mlip_for: Made) -> None:
    states, mask = torch.randn(2, 4, 32), torch.tensor([[True, True, False, False], [True] * 4])
    pooled = mlip_for(model={"text_pool": "pooler"}).model
    pooler = pooled.text_encoder.bert.pooler
    assert pooler is not None
    assert torch.allclose(pooled.text_vectors(states, mask), torch.tanh(pooler.dense(states[:, 0])))
    mean = mlip_for(model={"text_pool": "mean"}).model
    assert torch.allclose(mean.text_vectors(states, mask)[0], states[0, :2].mean(dim=0), atol=1e-6)


@pytest.mark.parametrize("width", [0, 24])
def test_embeddings_are_of_unit_length(mlip_for: Made, report_batch: Callable[[int], Batch], width: int) -> None:
    model, batch = mlip_for(model={"embedding": width}).model.eval(), report_batch(3)
    image, states = model.embed_images(batch.images)
    text = model.embed_texts(batch.tokens, batch.mask)
    assert image.shape == text.shape == (3, width or 32) and states.shape == (3, 17, 32)
    assert torch.allclose(image.norm(dim=1), torch.ones(3)) and torch.allclose(text.norm(dim=1), torch.ones(3))


def test_all_patches_kept_are_as_none_left_out(mlip_for: Made, report_batch: Callable[[int], Batch]) -> None:
    model, images = mlip_for().model.eval(), report_batch(3).images
    every = torch.arange(16).expand(3, 16)
    assert torch.allclose(model.image_states(images, every), model.image_states(images), atol=1e-6)
    few = torch.tensor([[0, 3, 9], [1, 2, 15], [4, 5, 6]])
    assert model.image_states(images, few).shape == (3, 4, 32)
