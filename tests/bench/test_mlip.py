"""The bench of MLIP counts what it says it counts; its goals are for a quiet machine, not for the tests."""

import pytest
import torch

from bench.drawn import REPORTS, draw_batch
from bench.mlip import (
    RATIOS,
    kept_bytes,
    made,
    memory_numbers,
    missed,
    padding_numbers,
    published_ipot,
    related_costs,
    step_numbers,
    tower_numbers,
)
from core.settings import MlipSettings, ModelSettings
from trainers.losses.transport import ipot

TINY = ModelSettings(
    image_size=32, patch=4, image_width=32, image_depth=2, image_heads=2,
    text_width=32, text_depth=1, text_heads=2, max_tokens=64, embedding=0, vocabulary=64, dropout=0.0,
)  # fmt: skip
LIGHT = MlipSettings(decoder_width=16, decoder_depth=1, decoder_heads=2)


def test_the_image_encoder_reads_as_many_patches_as_the_ratio_leaves() -> None:
    objective, batch = made(TINY, LIGHT), draw_batch(2, TINY)
    read: list[int] = []
    objective.model.image_encoder.blocks[0].register_forward_pre_hook(lambda _, given: read.append(given[0].shape[1]))
    for ratio in RATIOS.values():
        objective.settings = LIGHT.model_copy(update={"mask_ratio": ratio})
        objective.encode(batch, 0)
    assert read == [1 + 64, 1 + 32, 1 + 16]
    assert tower_numbers(TINY, LIGHT, pairs=2, turns=1).keys() == {"tower_cpu_seconds", "tower_half", "tower_quarter"}


def test_a_step_is_timed_whole_and_in_all_its_parts() -> None:
    told = step_numbers(TINY, LIGHT, pairs=4, name="tiny", turns=1)
    parts = ("draw", "image", "text", "contrast", "spm", "mip", "optimiser")
    total = sum(told[f"{part}_cpu_seconds_tiny"] for part in parts)
    assert told["times_parts_tiny"] == pytest.approx(told["step_cpu_seconds_tiny"] / total)
    assert told["spm_share_tiny"] == pytest.approx(told["spm_cpu_seconds_tiny"] / told["step_cpu_seconds_tiny"])


def test_what_a_step_keeps_for_its_gradients_grows_with_the_batch_and_shrinks_with_the_mask() -> None:
    objective = made(TINY, LIGHT)
    few, more = (kept_bytes(objective, draw_batch(pairs, TINY)) for pairs in (4, 16))
    assert 3 < more / few < 6
    told = memory_numbers(TINY, LIGHT, pairs=4, name="tiny")
    assert told["bytes_per_pair_masked_tiny"] < told["bytes_per_pair_unmasked_tiny"]


def test_padding_is_what_the_encoder_computes_beyond_the_words() -> None:
    assert 0 < padding_numbers(TINY, pairs=16, batches=2)["padding_share"] < 0.5
    same = padding_numbers(TINY.model_copy(update={"max_tokens": min(REPORTS)}), pairs=4, batches=1)
    assert same["padding_share"] == 0  # all are cut to one length


def test_both_sides_of_the_transport_reach_one_plan() -> None:
    cost = related_costs(4)
    ours = ipot(cost, torch.ones(4, 8, dtype=torch.bool), beta=0.5, steps=50)
    torch.testing.assert_close(ours, published_ipot(cost, beta=0.5, steps=50), atol=1e-6, rtol=1e-3)


def test_a_run_tells_which_goals_it_missed() -> None:
    good = {
        "tower_half": 0.55, "tower_quarter": 0.3, "spm_share_base": 0.01, "spm_share_small": 0.05,
        "padding_share": 0.15, "times_parts_small": 1.09, "times_parts_base": 0.91,
    }  # fmt: skip
    assert missed(good) == []
    assert missed(good | {"tower_half": 0.6}) == ["60.0% of the unmasked image tower, half seen; at most 55%"]
    assert missed(good | {"times_parts_base": 1.2}) == ["the base step is 1.20 times its parts, of 1 ± 0.1"]
    assert missed(good | {"padding_share": float("nan")}) == [
        "nan% of the text tokens that are read are padding; at most 15%"
    ]
