"""The cluster bench counts what it says it counts; its goals are for a quiet machine, not for the tests."""

from pathlib import Path

import pytest

from bench.cluster import GOALS, differing_parts, missed, rows_of, seconds_to_lines
from bench.drawn_tables import draw_separated
from core.places import Place
from core.records import Pair, arrow_schema
from core.runs import Table

PAIRS = arrow_schema(Pair).empty_table()


def test_a_run_tells_which_goals_it_missed_of_those_it_measured() -> None:
    good = {
        "times_pool": 0.9, "differing_parts": 0, "start_seconds": 15, "times_plain_step": 0.95, "times_trials": 0.85,
        "times_memory": 1.2,
    }  # fmt: skip
    assert set(good) == {goal.number for goal in GOALS}
    assert missed(good) == [] == missed({})
    assert missed({"times_pool": 0.81}) == ["0.81 times the figures per second of multiprocessing.Pool; at least 0.9"]
    assert missed(good | {"start_seconds": 17.2}) == ["17.20 seconds from a command to Ray's first result; at most 15"]
    assert len(missed({name: float("nan") for name in good})) == len(good)


def test_the_lines_of_a_process_are_timed_and_its_failure_is_no_time() -> None:
    first, second = seconds_to_lines(["-c", "import time\nprint(1, flush=True)\ntime.sleep(0.3)\nprint(2)"])
    assert first > 0 and second - first > 0.1
    with pytest.raises(RuntimeError, match="ended with 3"):
        seconds_to_lines(["-c", "import sys; sys.exit(3)"])


def test_parts_differ_where_their_rows_do_and_nowhere_else(tmp_path: Path) -> None:
    places = [Place.at(tmp_path) / name for name in ("one", "other")]
    for place in places:
        draw_separated(place, 3)
        for part in range(2):
            Table(place / "pairs", Pair).commit(part, tables={"": PAIRS}, rejects=[], inputs="", counts={})
    assert differing_parts(*places) == 0
    draw_separated(places[0], 2)
    Table(places[1] / "pairs", Pair).commit(1, tables={}, rejects=[], inputs="", counts={})
    assert differing_parts(*places) == 2
    assert [row["part"] for row in rows_of(Table(places[0] / "pairs", Pair))] == [0, 1]
