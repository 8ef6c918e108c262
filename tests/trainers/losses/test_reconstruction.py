"""Only hidden patches count, each as the squared error of its pixels."""

import pytest
import torch
from torch import Tensor

from trainers.losses.reconstruction import masked_patch_loss, patchify

PATCH = 4


def example() -> tuple[Tensor, Tensor, Tensor]:
    """Two images of 3 x 2 patches, what was predicted of them, and the two patches of each that were seen."""
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, 12, 8, generator=generator)
    return torch.randn(2, 6, 48, generator=generator), images, torch.tensor([[0, 5], [3, 1]])


def test_patches_run_row_by_row() -> None:
    images = example()[1]
    for number, (row, column) in enumerate((row, column) for row in range(3) for column in range(2)):
        cell = images[:, :, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert torch.equal(patchify(images, PATCH)[:, number], cell.permute(0, 2, 3, 1).flatten(1))


@pytest.mark.parametrize("norm_pix", [False, True])
def test_the_loss_is_that_of_a_loop_over_hidden_patches(norm_pix: bool) -> None:
    predicted, images, kept = example()
    errors = []
    for number in range(2):
        for patch in set(range(6)) - set(kept[number].tolist()):
            target = patchify(images, PATCH)[number, patch]
            if norm_pix:
                target = (target - target.mean()) / (target.var() + 1e-6).sqrt()
            errors += [(p - t) ** 2 for p, t in zip(predicted[number, patch], target, strict=True)]
    loss = masked_patch_loss(predicted, images, kept, patch=PATCH, norm_pix=norm_pix)
    torch.testing.assert_close(loss, torch.stack(errors).mean())


def test_a_visible_patch_does_not_count_and_a_hidden_one_does() -> None:
    predicted, images, kept = example()
    before = masked_patch_loss(predicted, images, kept, patch=PATCH, norm_pix=False)
    visible, hidden = images.clone(), images.clone()
    visible[0, :, :4, :4] += 1  # patch 0 of the first image
    hidden[0, :, :4, 4:] += 1  # patch 1
    assert masked_patch_loss(predicted, visible, kept, patch=PATCH, norm_pix=False) == before
    assert masked_patch_loss(predicted, hidden, kept, patch=PATCH, norm_pix=False) != before


def test_where_no_patch_is_hidden_the_loss_is_nothing() -> None:
    predicted, images, _ = example()
    loss = masked_patch_loss(
        predicted.requires_grad_(), images, torch.arange(6).expand(2, 6), patch=PATCH, norm_pix=False
    )
    loss.backward()
    assert loss == 0 and predicted.grad is not None and (predicted.grad == 0).all()


def test_with_norm_pix_brightness_and_contrast_of_the_image_do_not_matter() -> None:
    predicted, images, kept = example()
    losses = [masked_patch_loss(predicted, x, kept, patch=PATCH, norm_pix=True) for x in (images, 3 * images + 0.5)]
    torch.testing.assert_close(losses[0], losses[1], atol=1e-4, rtol=1e-4)


def test_pixels_of_the_data_set_are_those_of_mrm() -> None:
    """White is (1 - .4978) / .2449; nothing predicted then errs by its square. Against -1 to 1 it is 4.2 times less."""
    white, kept = torch.ones(1, 3, 16, 16), torch.tensor([[0]])
    nothing = torch.zeros(1, 4, 192)
    loss = masked_patch_loss(nothing, white, kept, patch=8, norm_pix="dataset").item()
    assert loss == pytest.approx(((1 - 0.4978) / 0.2449) ** 2, rel=1e-5)
    apart = torch.zeros(1, 4, 192) + 0.1
    scaled = masked_patch_loss(apart, torch.zeros(1, 3, 16, 16), kept, patch=8, norm_pix=False).item()
    assert scaled == pytest.approx(0.01, rel=1e-5)
