"""The published numbers against the paper's text."""

import re
from pathlib import Path

import pytest

from app.papers.mlip_models import ROWS
from app.papers.mlip_published import (
    OURS,
    PRINTED,
    TABLE_1,
    TABLE_1_COLUMNS,
    TABLE_2,
    TABLE_2_COLUMNS,
    TABLE_3,
    TABLE_4,
)


def test_every_row_has_every_column() -> None:
    assert {len(row) for row in TABLE_1.values()} == {len(TABLE_1_COLUMNS)}
    assert {len(row) for row in TABLE_2.values()} == {len(TABLE_2_COLUMNS)}
    assert all(OURS in table for table in (TABLE_1, TABLE_2, TABLE_3))
    assert tuple(TABLE_4) == tuple(ROWS)
    assert len(PRINTED) == 4 + 3 + 1
    assert PRINTED["zero-shot", "SIIM", "f1", None] == (79.7, 1)


@pytest.mark.shared
def test_the_numbers_are_those_of_the_paper(shared: Path) -> None:
    lines = (shared / "papers/mlip.txt").read_text().splitlines()
    printed = {number: rows_after(lines, f"**Table {number}.**") for number in (1, 2, 3, 4)}
    assert [row[:4] for row in printed[1] if len(row) == 5] == [
        list(row) for row in TABLE_1.values() if None not in row
    ]
    assert [row[:3] for row in printed[2]] == [list(row) for row in TABLE_2.values()]
    assert [row[0] for row in printed[3]] == list(TABLE_3.values())
    assert [row[0] for row in printed[4]] == list(TABLE_4.values())


@pytest.mark.shared
def test_the_papers_averages_follow_from_its_cells_but_for_the_ablations(shared: Path) -> None:
    lines = (shared / "papers/mlip.txt").read_text().splitlines()
    averages = []
    for number, columns in ((1, 4), (2, 3)):
        rows = [row for row in rows_after(lines, f"**Table {number}.**") if len(row) == columns + 1]
        assert all(sum(row[:columns]) / columns == pytest.approx(row[columns], abs=0.0101) for row in rows)
        averages.append(rows[-1][columns])
    assert sum(averages) / 2 == pytest.approx(86.045)
    assert TABLE_4["integrity + SPM + MIP"] == 86.557


def rows_after(lines: list[str], caption: str) -> list[list[float]]:
    """The numbers of each row of a table, of which the columns are parted by tabs."""
    start = next(place for place, line in enumerate(lines) if line.startswith(caption))
    rows = []
    for line in lines[start + 2 :]:
        cells = line.split("\t")
        if len(cells) < 2:
            break
        rows.append([float(cell) for cell in re.findall(r"\d+\.\d+", re.sub(r"\[\d+\]", "", line))])
    return [row for row in rows if row]
