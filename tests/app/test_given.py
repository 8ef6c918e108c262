"""figray dataset pairs."""

import io
from functools import partial
from pathlib import Path

from PIL import Image

from app.given import make_part, slices, summary
from core.places import Place
from core.records import Pair, from_table
from core.runs import Table
from pipelines.given_pairs import GivenPair, given, pair_of


def test_what_belongs_together_is_in_one_part() -> None:
    works = [GivenPair(str(k), "x", image="a", group=f"g{k % 7}") for k in range(2000)]
    parts = slices(works)
    assert len(parts) == 4
    groups = [{work["group"] for work in part.works} for part in parts]
    assert sum(len(each) for each in groups) == 7
    assert slices(works) == parts


def test_a_part_counts_what_came_in(tmp_path: Path) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / "a.png")
    (tmp_path / "t.csv").write_text("image,text\na.png,CT.\nb.png,CT.\n")
    found = given(tmp_path / "t.csv", {})
    table = Table(Place.at(tmp_path / "run" / "pairs"), Pair)
    make = partial(pair_of, root=found.root, seed=0, val=0.0, test=0.0, train_side=4)
    make_part(vars(slices(found.works)[0]), table=table, make=make)
    (pair,) = from_table(table.read("split=train"), Pair)
    assert (pair.width, pair.height) == (40, 30) and pair.small is not None
    assert Image.open(io.BytesIO(pair.small)).size == (4, 3)
    assert summary(table) == ["train: 1 pairs", "val: 0 pairs", "test: 0 pairs", "left out: 1 unreadable"]
