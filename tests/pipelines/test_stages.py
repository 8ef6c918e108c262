"""Parts on Ray Data: what a stage asks of a machine, and what it does with those that are slow or stand still."""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.data import DataContext

from core.places import Place
from core.records import Pair
from core.runs import Table
from core.stations import StationStalled
from pipelines import stages
from pipelines.collecting import Work

GIB = 2**30


def test_a_task_asks_for_what_it_holds_and_no_more_than_a_node_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert stages.memory_of(GIB, 10) == GIB + 10 * stages.GROWTH
    of_nodes: list[dict[str, Any]] = [
        {"Alive": True, "Resources": {"memory": 4.0 * GIB}},
        {"Alive": True, "Resources": {"memory": 2.0 * GIB}},
        {"Alive": False, "Resources": {}},
        {"Alive": True, "Resources": {"CPU": 0.0}},
    ]
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "nodes", lambda: of_nodes)
    monkeypatch.setattr(stages, "nodes", lambda group: {})
    assert stages.memory_of(3 * GIB, 0) == 2 * GIB
    assert stages.memory_of(GIB, 0) == GIB
    monkeypatch.setattr(stages, "nodes", lambda group: {group: 0.001})  # more nodes may be on their way
    assert stages.memory_of(3 * GIB, 0) == 3 * GIB


@pytest.mark.ray
def test_a_station_that_stands_still_is_named(local_ray: None, tmp_path: Path) -> None:
    context = DataContext.get_current()
    patience = context.execution_no_progress_timeout_s
    context.execution_no_progress_timeout_s = 3
    try:
        with pytest.raises(StationStalled, match=r"(?s)station separate stands still.*Map"):
            stages.make_missing(
                "separate",
                Table(Place.at(tmp_path), Pair),
                [Work(0, "", [])],
                lambda *_: None,
                lambda rows: rows.map(dict, num_cpus=64),  # more than there are
            )
    finally:
        context.execution_no_progress_timeout_s = patience


@pytest.mark.ray
def test_readers_become_more_while_there_is_work_and_no_part_waits_behind_another(
    local_ray: None, tmp_path: Path
) -> None:
    class Reader:
        def __call__(self, row: dict[str, int]) -> dict[str, int]:
            give_up_at = time.monotonic() + 60
            while row["id"] == 0 and len(list(tmp_path.iterdir())) < 7 and time.monotonic() < give_up_at:
                time.sleep(0.1)  # this part takes longer than all others together
            done = len(list(tmp_path.iterdir()))
            (tmp_path / str(row["id"])).touch()
            return {"part": row["id"], "by": os.getpid(), "after": done}

    stage = stages.by_actors(Reader, (), cpus=0.25, pool=stages.reader_pool(1, 2))
    rows = stage(ray.data.range(8, override_num_blocks=8)).take_all()
    assert len({row["by"] for row in rows}) == 2
    assert {row["part"]: row["after"] for row in rows}[0] == 7
