"""The GPU bench's parts, on a CPU."""

import pytest
import torch

from bench.gpu_step import TINY, VARIANTS, Variant, built, drawn, table, timed

CPU = torch.device("cpu")


@pytest.mark.parametrize("name", ["bf16, checkpointing", "reference bf16, batch 16"])
def test_a_variant_steps_and_is_told_in_the_table(name: str) -> None:
    (variant,) = (each for each in VARIANTS if each.name == name)
    small = Variant(**vars(variant) | {"pairs": 4})
    told = timed(built(small, TINY, CPU), drawn(small, TINY, CPU), CPU)
    assert told["samples_per_second"] == pytest.approx(4000 / told["step_ms"], rel=0.1)
    lines = [*table({"device": "CPU", "torch": "", "variants": {name: told | {"pairs": 4}}})]
    assert str(told["samples_per_second"]) in lines[-1]
