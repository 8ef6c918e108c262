"""Progress on and off a terminal."""

import io
import re
from itertools import count

from rich.console import Console

from app.progress import Bars
from core.runs import Part, PartFile


def part(number: int, rows: int, left_out: dict[str, int]) -> Part:
    file = PartFile(name="part.parquet", rows=rows, bytes=1, sha256="")
    return Part(part=number, inputs="", files=[file], rejects=file, left_out=left_out, counts={})


def test_without_a_terminal_a_station_says_one_line_when_it_ends() -> None:
    said = io.StringIO()
    with Bars(Console(file=said)) as bars:
        bars("collect", part(0, 1000, {"keyword": 3}), 2)
        assert said.getvalue() == ""
        bars("collect", part(1, 500, {}), 2)
    assert said.getvalue() == "collect: 1,500 rows, 3 left out\n"


def test_on_a_terminal_there_is_a_bar_for_each_station() -> None:
    said = io.StringIO()
    with Bars(Console(file=said, force_terminal=True, width=100)) as bars:
        bars("collect", part(0, 2, {}), 1)
        bars("separate", part(0, 2, {}), 4)
    assert "collect" in said.getvalue()
    assert "1/4" in said.getvalue()


def test_rows_have_a_bar_and_failures_beside_it() -> None:
    said = io.StringIO()
    with Bars(Console(file=said, force_terminal=True, width=100)) as bars:
        bars.rows("figures", 3, 1, 5)
    assert "3/5" in said.getvalue()
    assert "1 failed" in said.getvalue()


def test_a_station_tells_its_pace_and_the_time_left() -> None:
    out, now = io.StringIO(), count(0.0, 10.0)
    bars = Bars(Console(file=out, force_terminal=True, width=140))
    bars.bars.get_time = lambda: next(now)
    with bars:
        for number in range(6):
            bars("separate", part(number, 100, {}), 8)
    assert re.search(r"600 rows, \d+\.\d a second", out.getvalue())
    assert re.search(r"a second.*\d:\d\d:\d\d.*\d:\d\d:\d\d", out.getvalue())  # gone by, and left
