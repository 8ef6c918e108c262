"""A checkpoint is looked at on validation pairs, and what was found stands beside the model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import ray.train
from transformers import PreTrainedTokenizerFast

from core.places import Place
from core.settings import Config, ObjectiveSettings
from tests.trainers.conftest import SMALL
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.validation import mean_recall
from trainers.watching import look_at, watching


def test_what_is_found_stands_beside_the_model(
    tokenizer: PreTrainedTokenizerFast, shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path
) -> None:
    folder, file = tmp_path / "restarts" / "step-00000012", tmp_path / "val.parquet"
    settings = SMALL.model_copy(update={"vocabulary": len(tokenizer)})
    save_model(
        folder, Blip(settings, ObjectiveSettings()), settings=(settings, ObjectiveSettings()), tokenizer=tokenizer
    )
    pq.write_table(pa.Table.from_pylist(shape_rows(8)), file)
    asked = watching(Config(), Place.at(tmp_path / "model"), [str(file)])
    arguments = asked.task_config.fn_kwargs
    found = look_at(ray.train.Checkpoint.from_directory(str(folder)), **(arguments or {}))
    assert found == {"mean_recall": mean_recall(str(folder), [str(file)], batch_size=8)}
    assert json.loads((tmp_path / "model/validation/00000012.json").read_text()) == {"step": 12, **found}
