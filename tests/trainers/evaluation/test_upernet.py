"""UPerNet on a frozen ViT: which states it reads, what it minimises, and Dice worked by hand."""

import pytest
import torch

from core.settings import MlipSettings, ModelSettings
from trainers.evaluation.upernet import Segmenter, dice, dice_at, read_places, segmentation_loss, states_at
from trainers.mlip import Mlip

TINY = ModelSettings(
    image_size=32, patch=8, image_width=16, image_depth=3, image_heads=2,
    text_width=16, text_depth=1, text_heads=2, max_tokens=16, embedding=16, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip


@pytest.mark.parametrize(
    ("blocks", "places"), [(12, [3, 5, 7, 11]), (24, [7, 11, 15, 23]), (4, [0, 1, 2, 3]), (1, [0])]
)
def test_states_are_read_at_the_depths_of_mrm(blocks: int, places: list[int]) -> None:
    assert read_places(blocks) == places


def test_the_states_are_those_of_the_patches_at_their_places_without_gradient() -> None:
    torch.manual_seed(0)
    model = Mlip(TINY, MlipSettings(mip=0)).eval()
    images = torch.rand(2, 3, 32, 32)
    states = states_at(model, images)
    assert states.shape == (2, 3, 16, 4, 4) and not states.requires_grad
    last = model.image_encoder.norm(states[:, -1].flatten(2).transpose(1, 2))
    torch.testing.assert_close(last, model.image_states(images)[:, 1:])


@pytest.mark.parametrize(("blocks", "grid"), [(1, 4), (3, 7), (12, 14)])
def test_a_head_gives_a_logit_for_each_pixel_of_any_grid(blocks: int, grid: int) -> None:
    segmenter = Segmenter(width=16, channels=8, blocks=blocks)
    states = torch.randn(2, len(read_places(blocks)), 16, grid, grid)
    assert segmenter(states, 56).shape == (2, 56, 56)


def test_dice_is_twice_the_overlap_over_both_and_one_where_both_are_empty() -> None:
    found = torch.tensor([[1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]).bool().view(4, 2, 2)
    truth = torch.tensor([[0, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0], [1, 0, 0, 1]]).bool().view(4, 2, 2)
    assert dice(found, truth).tolist() == pytest.approx([2 * 1 / 5, 1, 0, 0])


def test_each_threshold_marks_the_pixels_above_it() -> None:
    torch.manual_seed(0)
    segmenter = Segmenter(width=16, channels=8, blocks=3).eval()
    states, nothing = torch.randn(4, 3, 16, 4, 4), torch.zeros(4, 32, 32, dtype=torch.bool)
    assert dice_at(segmenter, states, nothing, (0.0, 1.0)).tolist() == [[0] * 4, [1] * 4]
    shares = dice_at(segmenter, states, ~nothing, (0.3, 0.5, 0.7)).mean(axis=1)
    assert shares[0] >= shares[1] >= shares[2]


def test_the_loss_is_twice_focal_and_dice() -> None:
    logits = torch.tensor([[[2.0, -1.0]], [[0.5, -3.0]]])
    masks = torch.tensor([[[True, False]], [[False, False]]])
    p = logits.sigmoid()
    right = torch.where(masks, p, 1 - p)
    focal = (0.5 * (1 - right) ** 2 * -right.log()).mean()
    overlap, both = (2 * p * masks).sum(dim=(1, 2)), p.sum(dim=(1, 2)) + masks.sum(dim=(1, 2))
    soft = (1 - (overlap + 1) / (both + 1)).mean()
    torch.testing.assert_close(segmentation_loss(logits, masks), 2 * focal + soft)
