"""The pool is the same however it is cut into batches, and copies of images are known."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from trainers.batch import Batch, Collate, prepare
from trainers.blip import Blip
from trainers.evaluation.pool import embed, image_groups, read_columns


def test_a_pool_does_not_depend_on_its_batches(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, shape_rows: Callable[[int], list[dict[str, Any]]]
) -> None:
    rows = [row | {"text": row["text"] * (1 + n % 3)} for n, row in enumerate(shape_rows(11))]
    size = small_blip.settings.image_size
    collate = Collate(tokenizer, size, small_blip.settings.max_tokens)
    made: list[Batch] = [collate([prepare(row, size) for row in rows[at : at + 4]]) for at in range(0, 11, 4)]
    pool = embed(small_blip.train(), made)
    assert pool.pair_ids == tuple(row["pair_id"] for row in rows)
    assert pool.article_ids == tuple(row["article_id"] for row in rows)
    for place, row in enumerate(rows):
        alone = embed(small_blip, [collate([prepare(row, size)])])
        assert torch.allclose(pool.text[place], alone.text[0], atol=1e-5)
        assert torch.allclose(pool.image[place], alone.image[0], atol=1e-5)
        assert pool.text_group[place] == alone.text_group[0]
    with pytest.raises(UserError, match="no pairs"):
        embed(small_blip, [])


def test_copies_share_a_group_or_a_place_in_one_file() -> None:
    place: Mapping[str, Any] = {"md5": "m", "box": [0, 0, 9, 9]}
    rows = [
        {"duplicate_group": "g", **place},
        {"duplicate_group": None, **place},
        {"duplicate_group": "g", "md5": "n", "box": [0, 0, 9, 9]},
        {"duplicate_group": None, "md5": "m", "box": [9, 0, 18, 9]},
        {},
        {},
    ]
    by_group, by_place = image_groups(rows)
    assert (by_group[0] == by_group[2]) and len(by_group.unique()) == 5
    assert (by_place[0] == by_place[1]) and len(by_place.unique()) == 5


def test_columns_that_files_lack_are_left_out(tmp_path: Path) -> None:
    pq.write_table(pa.table({"pair_id": ["a", "b"], "md5": ["1", "2"]}), tmp_path / "t.parquet")
    found = read_columns([str(tmp_path / "t.parquet")], ("md5", "modality"))
    assert found == {"a": {"md5": "1"}, "b": {"md5": "2"}}
