"""Where the retrieval of a run's model lies, what it says of its pool, and who does the work."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from transformers import PreTrainedTokenizerFast

from app.report.evaluated import retrieval_file
from app.retrieving import machine_for, retrieve
from core.config import override
from core.places import Place
from core.records import arrow_schema
from core.runs import Part, PartFile
from core.settings import Config, ModelSettings, ObjectiveSettings
from trainers.batch import train_tokenizer
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.evaluation.predictions import Answer
from trainers.evaluation.retrieval import Here

TEXTS = [f"a {colour} {shape}" for colour in ("red", "green", "blue") for shape in ("disc", "square", "ring")]


@pytest.fixture
def run(tmp_path: Path) -> Place:
    """A run with a model and nine pairs of three articles in its test split."""
    import io

    from PIL import Image

    rows = []
    for number, text in enumerate(TEXTS):
        Image.new("RGB", (32, 32), (number * 25, 60, 90)).save(image := io.BytesIO(), "PNG")
        names = {"pair_id": f"p{number}", "figure_id": f"f{number}", "article_id": f"A{number // 3}"}
        rows.append({**names, "image": image.getvalue(), "text": text})
    table = tmp_path / "run" / "pairs"
    (table / "split=test").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), table / "split=test" / "part-00000.parquet")
    file = PartFile(name="split=test/part-00000.parquet", rows=9, bytes=1, sha256="")
    rejects = PartFile(name="rejects-00000.parquet", rows=0, bytes=1, sha256="")
    part = Part(part=0, inputs="", files=[file], rejects=rejects, left_out={}, counts={})
    (table / "part-00000.json").write_text(part.model_dump_json())
    settings = ModelSettings(
        image_size=32, patch=8, image_width=32, image_depth=1, image_heads=2, text_width=32, text_depth=1,
        text_heads=2, max_tokens=16, embedding=16, vocabulary=90, pool="mean",
    )  # fmt: skip
    tokenizer: PreTrainedTokenizerFast = train_tokenizer(TEXTS, size=90)
    shape = settings, ObjectiveSettings()
    folder = tmp_path / "run" / "models" / "processed" / "checkpoint"
    save_model(folder, Blip(*shape), settings=shape, tokenizer=tokenizer, articles=[])
    return Place.at(str(tmp_path / "run"))


def test_numbers_and_rows_are_kept_and_a_capped_pool_says_so(run: Place) -> None:
    config = override(Config(), {"evaluate.pool": 6, "evaluate.rerank": 2, "evaluate.resamples": 5})
    found = retrieve(config, run, "processed")
    assert found["pairs"]["pool"] == 6 and found["pairs"]["note"].startswith("6 of 9 pairs")
    assert (run / "models" / "processed" / "retrieval-test-rerank2-pool6.json").read_json() == found
    rows = pq.read_table((run / "models" / "processed" / "predictions-test-rerank2-pool6-pairs.parquet").path)
    assert rows.schema.equals(arrow_schema(Answer)) and rows.num_rows == 12
    assert retrieve(config, run, "processed") == found
    whole = retrieve(override(config, {"evaluate.pool": None}), run, "processed")
    assert whole["pairs"]["pool"] == 9 and whole["pairs"]["note"] == ""


def test_another_pool_is_another_file(run: Place) -> None:
    names = [retrieval_file(run, "m", override(Config(), {"evaluate.pool": pool})).name for pool in (5000, 10, None)]
    rerank = Config().evaluate.rerank
    assert names == [f"retrieval-test-rerank{rerank}{end}.json" for end in ("", "-pool10", "-all")]


def test_a_small_pool_or_one_without_ray_is_evaluated_here(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(machine_for(Config(), 10**6), Here)
    there: Any = SimpleNamespace(is_initialized=lambda: True)
    monkeypatch.setitem(sys.modules, "ray", there)
    small = {"model.image_size": 32, "model.patch": 8, "model.image_depth": 1, "model.text_depth": 1}
    monkeypatch.setitem(sys.modules, "trainers.evaluation.on_ray", SimpleNamespace(OnRay=list))
    assert isinstance(machine_for(override(Config(), small), 10), Here)
    assert isinstance(machine_for(Config(), 10**6), list)  # 5,000 pairs by the default model
