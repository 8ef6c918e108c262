"""Batches on local Ray: from memory, and from a permuted copy by processes of their own."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.places import Place
from core.settings import Config, OptimSettings, TrainSettings
from trainers import feeding
from trainers.batch import Batch, Collate
from trainers.feeding import batches_from_copy, copied, fits, in_memory
from trainers.loop import Plan
from trainers.permuted import BatchMaker, Making, Order
from trainers.texts import TextReader
from trainers.training_set import read_training_set

Rows = Callable[[int], list[dict[str, Any]]]
CONFIG = Config(train=TrainSettings(batch_size=8))


@pytest.fixture
def making(shape_rows: Rows, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Making:
    """48 pairs in two files."""
    rows, files = shape_rows(48), []
    for number in range(2):
        files.append(str(tmp_path / f"part-{number}.parquet"))
        pq.write_table(pa.Table.from_pylist(rows[24 * number : 24 * number + 24]), files[-1])
    return Making(read_training_set(files, fraction=1.0, seed=0), TextReader(tokenizer, 24), 32, None)


def same(one: Batch, other: Batch) -> bool:
    return all(
        torch.equal(value, getattr(other, name)) if isinstance(value, torch.Tensor) else value == getattr(other, name)
        for name, value in vars(one).items()
    )


@pytest.mark.ray
def test_processes_make_the_batches_that_follow_a_step(
    local_ray: None, making: Making, tokenizer: PreTrainedTokenizerFast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert fits(making, CONFIG)
    assert in_memory(making, CONFIG).count() == 48
    monkeypatch.setattr(feeding, "MOST", 0)
    assert not fits(making, CONFIG)
    copy = copied(making, CONFIG, Place.at(tmp_path / "kept"))
    written = {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.parquet")}
    assert copied(making, CONFIG, Place.at(tmp_path / "kept")) == copy
    assert written == {path: path.stat().st_mtime_ns for path in (tmp_path / "kept").rglob("*.parquet")}
    collate = Collate(tokenizer, 32, 24)
    plan = Plan(OptimSettings(), CONFIG.train, steps_per_epoch=6, total_steps=20, seed=4)
    make = BatchMaker(copy, Order(copy.sizes, 4, 0, 1, 8, 6), collate, lanes=6)
    found = list(islice(batches_from_copy(copy, plan, collate, step=9, worker=0, workers=1), 5))
    expected = [make(1, 3), make(1, 4), make(1, 5), make(2, 0), make(2, 1)]
    assert all(same(*each) for each in zip(found, expected, strict=True))
    found[0].to("cpu").tokens.fill_(0)  # not in the object store, whose memory must not be written to
    (tmp_path / "part-0.parquet").write_bytes((tmp_path / "part-1.parquet").read_bytes())
    (next((tmp_path / "kept").rglob("index.json"))).write_text('{"names": ["rows-000000.parquet"], "rows": [47]}')
    with pytest.raises(UserError, match="has 47 pairs, and the table has 48"):
        copied(making, CONFIG, Place.at(tmp_path / "kept"))
