"""Rows chosen, dealt and permuted."""

from pathlib import Path

import pytest

from app.exports.written import planned, statistics, write
from core.config import UserError
from core.places import Place
from core.records import Pair, Radiograph
from core.runs import Table
from core.wanted import Wanted
from core.works import here


def test_a_plan_counts_what_leaves_and_what_stays(run: Place) -> None:
    plan = planned(Table(run / "pairs", Pair), Wanted(), per_shard=4, seed=0)
    assert statistics(plan)["rows"] == {"train": 8, "test": 3}
    assert statistics(plan)["left_out"] == {"permission": 1}
    assert statistics(plan)["by"]["modality"] == {"CT": 6, "MRI": 5}
    assert [(work.split, work.number, work.of) for work in plan.works] == [
        ("test", 0, 1), ("train", 0, 2), ("train", 1, 2),
    ]  # fmt: skip


def test_shards_are_permuted_and_the_same_for_one_seed(run: Place) -> None:
    table = Table(run / "pairs", Pair)

    def lines(seed: int, name: str) -> list[str]:
        plan = planned(table, Wanted(), per_shard=100, seed=seed)
        write(table, plan, Wanted(), run / name, form="jsonl", seed=seed, each=here)
        return Path((run / name / "train.jsonl").path).read_text().splitlines()

    first, again, other = lines(0, "a"), lines(0, "b"), lines(1, "c")
    assert first == again
    assert first != other
    assert sorted(first) == sorted(other)


def test_nothing_wanted_is_said_with_the_reasons(run: Place) -> None:
    with pytest.raises(UserError, match="left out: 12 by modality"):
        planned(Table(run / "pairs", Pair), Wanted(modality=("nuclear",)), per_shard=4, seed=0)


def test_radiographs_leave_with_their_findings(with_films: Place) -> None:
    table = Table(with_films / "radiographs", Radiograph)
    plan = planned(table, Wanted(reproduced=True), per_shard=4, seed=0)
    write(table, plan, Wanted(reproduced=True), with_films / "out", form="jsonl", seed=0, each=here)
    told = Path((with_films / "out" / "train.jsonl").path).read_text()
    assert '"targets": {"Edema": false}' in told
    assert len(told.splitlines()) == 2
