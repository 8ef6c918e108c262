"""Actors find what one process finds."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from transformers import PreTrainedTokenizerFast

from core.config import override
from core.settings import Config, ObjectiveSettings
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.checkpoint import load_model, save_model
from trainers.evaluation import on_ray, radiographs, ranking
from trainers.evaluation.on_ray import OnRay, encode_films
from trainers.evaluation.pool import embed
from trainers.evaluation.ranking import rank_all
from trainers.evaluation.retrieval import Plan, evaluate


def noise(seed: int) -> bytes:
    """An image like no other: equal ones differ in the last digit in other batches, and then do not tie."""
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := io.BytesIO(), "PNG")
    return file.getvalue()


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_actors_find_what_one_process_finds(
    small_blip: Blip,
    tokenizer: PreTrainedTokenizerFast,
    shape_rows: Callable[[int], list[dict[str, Any]]],
    shape_batch: Callable[[int], Batch],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ranking, "CELLS", 40 * 16)
    settings = small_blip.settings, ObjectiveSettings()
    save_model(tmp_path / "model", small_blip, settings=settings, tokenizer=tokenizer, articles=[])
    rows = [row | {"image": noise(number)} for number, row in enumerate(shape_rows(40))]
    files = []
    for name, some in (("a", rows[:9]), ("b", rows[9:30]), ("c", rows[30:])):
        files.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.Table.from_pylist(some), files[-1])
    # Each actor loads torch for itself: one for each work of an evaluation, two at one work alone.
    machine, several = (
        OnRay(override(Config(), {"evaluate.actors": [number, number], "evaluate.actor_cpus": 0.5}))
        for number in (1, 2)
    )
    plan = Plan(batch_size=8, rerank=4, resamples=20, pool=30)
    here = evaluate(tmp_path / "model", files, plan)
    there = evaluate(tmp_path / "model", files, plan, machine=machine)
    assert there.told.queries == here.told.queries
    assert there.told.metrics == pytest.approx(here.told.metrics)
    for name in ("rank", "strict_rank", "itc_rank", "itc_strict_rank", "rights"):
        assert there.answers[name].to_pylist() == pytest.approx(here.answers[name].to_pylist())
    monkeypatch.setattr(on_ray, "HERE", 0)
    groups = torch.arange(30)[None] // 2
    pool = embed(small_blip, [shape_batch(30)])
    for found, plain in zip(several.rank(pool, groups, nearest=5), rank_all(pool.image, pool.text, groups, nearest=5)):
        assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(found, plain, strict=True))


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
def test_radiographs_are_encoded_file_by_file(saved_model: Path, film_files: dict[str, list[str]]) -> None:
    files = [*film_files["val"], *film_files["test"]]
    config = override(Config(), {"evaluate.actors": [1, 1], "evaluate.actor_cpus": 0.5, "evaluate.batch_size": 8})
    found = encode_films(config, str(saved_model), files)
    parts = [radiographs.encode_films(load_model(saved_model)[0], [file], batch_size=8) for file in files]
    assert [row["image_id"] for row in found.rows] == [row["image_id"] for part in parts for row in part.rows]
    np.testing.assert_allclose(found.embeddings, np.concatenate([part.embeddings for part in parts]), atol=1e-6)
    np.testing.assert_allclose(found.states, np.concatenate([part.states for part in parts]), atol=1e-6)
