"""Pairs in an order by chance."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from trainers.batch import Collate, prepare
from trainers.permuted import BatchMaker, Making, Order, Permuted, complete, kept_copy, write_file
from trainers.texts import TextReader
from trainers.training_set import read_training_set

Rows = Callable[[int], list[dict[str, Any]]]
SIZES = (512, 500, 530, 498, 61)


@pytest.fixture
def making(shape_rows: Rows, tokenizer: PreTrainedTokenizerFast, tmp_path: Path) -> Making:
    """40 pairs of 20 articles, of which 16 are trained on."""
    pq.write_table(pa.Table.from_pylist(shape_rows(40)), tmp_path / "part.parquet")
    chosen = read_training_set([str(tmp_path / "part.parquet")], fraction=0.8, seed=1)
    return Making(chosen, TextReader(tokenizer, 24), 32, None)


@pytest.fixture
def copy(making: Making, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Permuted:
    monkeypatch.setattr("trainers.permuted.ROWS", 8)
    files = pa.table({"file": list(making.training_set.files)})
    rows = pa.concat_tables(making.dealt(files))
    folder, told = str(tmp_path / "copy"), []
    for number in range(making.files):
        told += write_file(rows.filter(pa.compute.equal(rows["file"], number)), folder=folder).to_pylist()
    assert kept_copy(folder) is None
    return complete(folder, told)


@pytest.mark.parametrize(("workers", "batch", "steps"), [(1, 16, 131), (2, 16, 65), (3, 64, 10), (1, 900, 2)])
def test_each_batch_of_an_epoch_has_rows_of_its_own(workers: int, batch: int, steps: int) -> None:
    epochs = []
    for epoch in (0, 1):
        orders = [Order(SIZES, 3, worker, workers, batch, steps) for worker in range(workers)]
        rows = [row for order in orders for index in range(steps) for row in order.rows(epoch, index)]
        assert len(rows) == len(set(rows)) == workers * batch * steps
        assert all(0 <= row < SIZES[file] for file, row in rows)
        epochs.append(rows)
    assert epochs[0] != epochs[1]
    assert Order(SIZES, 3, 0, workers, batch, steps).rows(1, 1) == orders[0].rows(1, 1)
    with pytest.raises(IndexError, match="of an epoch"):
        orders[0].rows(0, steps)


def test_two_pairs_of_an_article_meet_no_more_often_than_by_chance() -> None:
    articles, of_each, batch = 6000, 4, 32
    rng = np.random.default_rng(5)
    dealt = rng.permutation(articles * of_each) // of_each  # what the hash of each pair's id does
    sizes = (500,) * (len(dealt) // 500)
    steps, met = len(dealt) // batch, 0
    for epoch in range(3):
        order = Order(sizes, 0, 0, 1, batch, steps)
        for index in range(steps):
            rows = [dealt[500 * file + row] for file, row in order.rows(epoch, index)]
            met += sum(n * (n - 1) // 2 for n in Counter(rows).values())
    expected = 3 * articles * 6 * (batch - 1) / (len(dealt) - 1)
    assert abs(met - expected) < 4 * expected**0.5


def test_a_batch_of_the_copy_is_the_batch_of_its_rows(
    copy: Permuted, making: Making, shape_rows: Rows, tokenizer: PreTrainedTokenizerFast
) -> None:
    assert sum(copy.sizes) == len(making.training_set) == 32
    assert kept_copy(copy.folder) == copy
    by_id = {row["pair_id"]: row for row in shape_rows(40)}
    collate = Collate(tokenizer, 32, 24)
    make = BatchMaker(copy, Order(copy.sizes, 0, 0, 1, 8, 4), collate, lanes=1)
    seen: set[str] = set()
    for index in range(4):
        made = make(0, index)
        truth = collate.packed([prepare(by_id[pair_id], 32) for pair_id in made.pair_ids])
        for name, value in vars(truth).items():
            same = torch.equal(value, getattr(made, name)) if isinstance(value, torch.Tensor) else None
            assert same or value == getattr(made, name), name
        seen |= set(made.pair_ids)
    assert len(seen) == 32


def test_another_tokenizer_or_size_makes_another_copy(making: Making) -> None:
    others = [
        Making(making.training_set, making.reader, 64, None),
        Making(making.training_set, TextReader(making.reader.tokenizer, 12), 32, None),
        Making(making.training_set, making.reader, 32, ""),
    ]
    assert len({making.digest, *(each.digest for each in others)}) == 4


def test_images_are_decoded_where_they_are_held(making: Making) -> None:
    files = pa.table({"file": list(making.training_set.files)})
    rows = [row for part in making.decoded(files) for row in part.to_pylist()]
    assert {len(row["image"]) for row in rows} == {32 * 32 * 3}
