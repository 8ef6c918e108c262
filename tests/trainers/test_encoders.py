"""The encoders read in both directions, heed their masks, and start with sane weights."""

from itertools import accumulate, product

import numpy as np
import pytest
import torch

from core.settings import ModelSettings
from trainers.encoders import (
    FusionBert,
    begin_as_mae,
    first_state,
    image_encoder,
    mean_state,
    part_sizes,
    text_config,
    tied_decoder,
)

CONFIG = text_config(
    ModelSettings(vocabulary=64, text_width=32, text_depth=2, text_heads=2, max_tokens=16, dropout=0.0), fused=True
)
TOKENS = torch.tensor([[2, 7, 8, 9, 3, 0, 0, 0], [2, 7, 8, 9, 10, 11, 12, 3]])


def bert(image_width: int = 32) -> FusionBert:
    torch.manual_seed(0)
    return FusionBert(CONFIG, image_width=image_width).eval()


def test_a_later_word_changes_what_is_read_at_an_earlier_one() -> None:
    changed = TOKENS.clone()
    changed[1, 6] = 20
    model = bert()
    assert not torch.allclose(model(TOKENS, TOKENS > 0)[1, 1], model(changed, TOKENS > 0)[1, 1], atol=1e-5)
    image = torch.randn(2, 5, 32)
    assert not torch.allclose(
        model.fuse(TOKENS, TOKENS > 0, image)[1, 1], model.fuse(changed, TOKENS > 0, image)[1, 1], atol=1e-5
    )


def test_padding_and_the_company_of_a_long_text_change_nothing() -> None:
    model, image = bert(), torch.randn(2, 5, 32)
    alone = model(TOKENS[:1, :5], TOKENS[:1, :5] > 0)
    assert torch.allclose(model(TOKENS, TOKENS > 0)[0, :5], alone[0], atol=1e-5)
    fused = model.fuse(TOKENS[:1, :5], TOKENS[:1, :5] > 0, image[:1])
    assert torch.allclose(model.fuse(TOKENS, TOKENS > 0, image)[0, :5], fused[0], atol=1e-5)


def test_each_text_looks_at_its_own_image_and_at_every_patch_of_it() -> None:
    model, image = bert(image_width=24), torch.randn(2, 5, 24)
    before = model.fuse(TOKENS, TOKENS > 0, image)
    changed = image.clone()
    changed[0, 4] += 1
    after = model.fuse(TOKENS, TOKENS > 0, changed)
    assert not torch.allclose(before[0], after[0], atol=1e-5)
    assert torch.allclose(before[1], after[1], atol=1e-6)


def test_no_weight_matrix_starts_at_almost_nothing() -> None:
    vit = image_encoder(size=32, patch=8, width=32, depth=2, heads=2)
    for model in (vit, bert()):
        for name, weight in model.named_parameters():
            assert weight.ndim < 2 or "token" in name or weight.std() > 1e-3, name
    states = vit(torch.randn(4, 3, 32, 32))
    assert states.shape == (4, 17, 32)
    assert states[:, 0].std(dim=0).min() > 0


def test_pooling_takes_the_first_state_or_the_mean_of_those_that_count() -> None:
    states = torch.tensor([[[1.0], [3.0], [100.0]], [[2.0], [4.0], [6.0]]])
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert first_state(states, mask).tolist() == [[1.0], [2.0]]
    assert mean_state(states, mask).tolist() == [[2.0], [4.0]]


def test_states_that_the_image_mask_hides_are_as_if_cut_off() -> None:
    model, image = bert(image_width=24), torch.randn(2, 5, 24)
    mask = torch.tensor([[True, True, True, False, False], [True] * 5])
    masked = model.fuse(TOKENS, TOKENS > 0, image, mask)
    cut = model.fuse(TOKENS[:1, :5], TOKENS[:1, :5] > 0, image[:1, :3])
    assert torch.allclose(masked[0, :5], cut[0], atol=1e-5)
    assert torch.allclose(masked[1], model.fuse(TOKENS, TOKENS > 0, image)[1], atol=1e-6)


def test_the_decoder_sees_no_later_word_and_shares_all_but_its_self_attention() -> None:
    encoder, image = bert(), torch.randn(2, 5, 32)
    decoder = tied_decoder(encoder, CONFIG, image_width=32).eval()
    changed = TOKENS.clone()
    changed[1, 6] = 20
    before, after = (decoder.fuse(tokens, TOKENS > 0, image)[1] for tokens in (TOKENS, changed))
    assert torch.allclose(before[:6], after[:6], atol=1e-6) and not torch.allclose(before[6:], after[6:], atol=1e-4)
    own = {name for name, weight in decoder.named_parameters() if not any(weight is p for p in encoder.parameters())}
    assert own and all(".attention." in name for name in own)


@pytest.mark.parametrize("seed", range(20))
def test_texts_are_parted_by_length_so_that_least_is_padding(seed: int) -> None:
    lengths = sorted(np.random.default_rng(seed).integers(1, 30, 9).tolist())

    def area(sizes: tuple[int, ...]) -> int:
        ends = list(accumulate(sizes))
        return sum(size * lengths[end - 1] for size, end in zip(sizes, ends, strict=True))

    least = min(area(sizes) for parts in (1, 2, 3) for sizes in product(range(1, 10), repeat=parts) if sum(sizes) == 9)
    found = part_sizes(lengths, 3)
    assert sum(found) == 9 and len(found) <= 3 and area(tuple(found)) == least


def test_a_vit_that_begins_as_maes_knows_where_its_patches_are() -> None:
    torch.manual_seed(0)
    encoder = image_encoder(size=32, patch=8, width=32, depth=1, heads=2)
    begin_as_mae(encoder)
    assert encoder.pos_embed is not None
    places = encoder.pos_embed[0]
    assert not places[0].any() and len({tuple(row) for row in places.tolist()}) == 17
    widest = dict(encoder.named_parameters())["blocks.0.mlp.fc1.weight"]
    assert widest.std() > 0.08  # (2 / (32 + 128)) ** 0.5
