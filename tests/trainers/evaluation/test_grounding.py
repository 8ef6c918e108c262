"""The image gain: none where the image is not looked at, some where the words are on it."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.evaluation.grounding import image_gain
from trainers.evaluation.retrieval import LeakError
from trainers.objectives.blip import BlipObjective

Rows = Callable[[int], list[dict[str, Any]]]


@pytest.fixture
def pairs(shape_rows: Rows, tmp_path: Path) -> list[str]:
    pq.write_table(pa.Table.from_pylist(shape_rows(24)), tmp_path / "pairs.parquet")
    return [str(tmp_path / "pairs.parquet")]


def saved(blip: Blip, tokenizer: PreTrainedTokenizerFast, folder: Path, articles: Sequence[str] = ()) -> Path:
    settings = (blip.settings, ObjectiveSettings(text_objective="lm" if blip.decoder else "mlm"))
    save_model(folder, blip, settings=settings, tokenizer=tokenizer, articles=articles)
    return folder


@pytest.mark.parametrize("text_objective", ["mlm", "lm"])
def test_a_model_that_does_not_look_at_images_gains_nothing_from_the_right_one(
    text_objective: str, small_blip: Blip, tokenizer: PreTrainedTokenizerFast, pairs: list[str], tmp_path: Path
) -> None:
    torch.manual_seed(0)
    blip = Blip(small_blip.settings, ObjectiveSettings(text_objective=text_objective))
    with torch.no_grad():
        for attention in blip.text_encoder.cross_attentions():
            attention.value.weight.zero_()
    gain = image_gain(saved(blip, tokenizer, tmp_path / "model"), pairs, batch_size=8, resamples=50)
    assert (gain.value, gain.low, gain.high) == pytest.approx((0.0, 0.0, 0.0), abs=1e-6)
    assert gain.words > 20
    assert gain.right == pytest.approx(math.log(blip.settings.vocabulary), abs=1.0)


def test_a_model_that_has_learnt_the_pairs_needs_their_own_images(
    small_blip: Blip,
    tokenizer: PreTrainedTokenizerFast,
    objective_for: Callable[..., BlipObjective],
    shape_batch: Callable[[int], Batch],
    pairs: list[str],
    tmp_path: Path,
) -> None:
    objective = objective_for(small_blip, itc=0, itm=0, alpha=0, mlm_probability=0.6)
    optimizer = torch.optim.AdamW(small_blip.parameters(), lr=5e-3)
    batch = shape_batch(24)
    for step in range(70):
        losses: Any = objective(batch, step)
        optimizer.zero_grad()
        losses["mlm"].backward()
        optimizer.step()
    folder = saved(small_blip, tokenizer, tmp_path / "learnt")
    gain = image_gain(folder, pairs, batch_size=8, seed=1)
    assert gain.low > 0
    assert gain == image_gain(folder, pairs, batch_size=8, seed=1)


def test_pairs_that_were_trained_on_or_stand_alone_are_refused(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, shape_rows: Rows, pairs: list[str], tmp_path: Path
) -> None:
    with pytest.raises(LeakError, match=r"A3\.1"):
        image_gain(saved(small_blip, tokenizer, tmp_path / "seen", ["A3.1"]), pairs, batch_size=24)
    alone = [{**row, "article_id": "A1.1"} for row in shape_rows(4)]
    pq.write_table(pa.Table.from_pylist(alone), tmp_path / "alone.parquet")
    with pytest.raises(UserError, match="no pair stands beside one of another article"):
        image_gain(saved(small_blip, tokenizer, tmp_path / "new"), [str(tmp_path / "alone.parquet")], batch_size=4)
