"""Trainings side by side, their pairs, checkpoints, records and models in a bucket."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.cluster import connect, disconnect
from core.places import Place
from core.settings import Config, ObjectiveSettings, OptimSettings, TrainSettings
from trainers.blip import Blip
from trainers.checkpoint import load_model, training_articles
from trainers.fit_all import fit_all

STEPS = 10


@pytest.fixture
def ray_with_the_bucket(bucket: str) -> Iterator[str]:
    """Local Ray whose workers know the bucket as this process does."""
    connect(Config())
    yield bucket
    disconnect()


def objects(place: Place) -> dict[str, tuple[int, Any]]:
    """Every object below, with its size and when it was written."""
    from pyarrow.fs import FileSelector

    found = place.filesystem.get_file_info(FileSelector(place.path, recursive=True))
    return {info.path.removeprefix(f"{place.path}/"): (info.size, info.mtime_ns) for info in found if info.is_file}


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_a_model_is_trained_in_a_bucket_and_not_twice(
    ray_with_the_bucket: str, small_blip: Blip, shape_rows: Callable[[int], list[dict[str, Any]]]
) -> None:
    run, data = Place.at(f"{ray_with_the_bucket}/run"), io.BytesIO()
    pq.write_table(pa.Table.from_pylist(shape_rows(48)), data)
    pairs = run / "pairs" / "split=train" / "part-00000.parquet"
    pairs.write_bytes(data.getvalue())
    config = Config(
        model=small_blip.settings,
        objective=ObjectiveSettings(queue=20),
        optim=OptimSettings(lr=1e-3, steps=STEPS, warmup_steps=2),
        train=TrainSettings(batch_size=8, fraction=0.75, log_seconds=1e-9, checkpoint_steps=4),
    )
    out, told = run / "models" / "a", []
    runs = {out.uri: (config, [pairs.uri])}
    [result] = fit_all(runs, on_step=lambda *each: told.append(each))
    assert told and all(folder == out.uri and steps == STEPS for folder, _, steps in told)
    assert (result.checkpoint, result.metrics) == (f"{out.uri}/checkpoint", f"{out.uri}/metrics.jsonl")
    lines = (out / "metrics.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, STEPS + 1))
    assert len((out / "tensorboard").files()) == 1
    model, tokenizer = load_model(result.checkpoint)
    assert model.settings.vocabulary == len(tokenizer) and len(training_articles(result.checkpoint)) == 18
    left = objects(out)
    kept = {"checkpoint", "metrics.jsonl", "restarts", "seen", "tensorboard"}
    assert {name.partition("/")[0] for name in left} == kept
    assert "checkpoint/progress.pt" not in left and "checkpoint/run.json" in left
    assert fit_all(runs, on_step=lambda *_: None) == [result]
    assert objects(out) == left
