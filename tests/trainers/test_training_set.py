"""What of a table is trained on."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trainers.training_set import read_training_set, share_of

ARTICLES = [f"PMC{number}.1" for number in range(1000)]


@pytest.fixture
def table(shape_rows: Callable[[int], list[dict[str, Any]]], tmp_path: Path) -> list[str]:
    """24 pairs of 12 articles; each image has a mark of its own, but all share one group of duplicates."""
    rows = [{**row, "md5": row["pair_id"], "duplicate_group": "same"} for row in shape_rows(24)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "part.parquet")
    return [str(tmp_path / "part.parquet")]


def test_a_smaller_share_of_the_articles_lies_inside_a_larger_one() -> None:
    shares = [set(share_of(ARTICLES, fraction=fraction, seed=3)) for fraction in (0.1, 0.25, 0.5, 1.0)]
    assert [len(share) for share in shares] == [100, 250, 500, 1000]
    assert all(small < large for small, large in pairwise(shares))


def test_a_share_depends_on_the_seed_and_not_on_the_order() -> None:
    share = share_of(ARTICLES, fraction=0.25, seed=0)
    assert share == share_of(ARTICLES[::-1], fraction=0.25, seed=0) != share_of(ARTICLES, fraction=0.25, seed=1)
    assert share_of(ARTICLES[:3], fraction=0.01, seed=0)


def test_only_the_pairs_and_images_of_the_chosen_articles_are_counted(table: list[str]) -> None:
    whole, third = (read_training_set(table, fraction=fraction, seed=0) for fraction in (1.0, 1 / 3))
    assert (whole.whole, len(whole), len(whole.articles), len(whole.images)) == (True, 24, 12, 25)
    assert (third.whole, len(third), len(third.articles), len(third.images)) == (False, 8, 4, 9)
    assert {mark.partition("/")[0] for mark in third.images} == {*third.articles, "same"}


def test_the_digest_changes_with_the_pairs_and_their_texts(table: list[str]) -> None:
    whole, half = (read_training_set(table, fraction=fraction, seed=0) for fraction in (1.0, 0.5))
    again = read_training_set(table, fraction=1.0, seed=1)
    rows = pq.read_table(table[0]).to_pylist()
    pq.write_table(pa.Table.from_pylist([*rows[:-1], {**rows[-1], "text": "Another."}]), table[0])
    assert whole.digest == again.digest
    assert len({whole.digest, half.digest, read_training_set(table, fraction=1.0, seed=0).digest}) == 3
