"""The published numbers against the paper's text."""

import re
from pathlib import Path

import pytest

from app.papers.medvl_published import METRICS, TABLE_1


def test_every_cell_of_table_1_is_there() -> None:
    assert len(TABLE_1) == 8
    assert all(tuple(cells) == METRICS for cells in TABLE_1.values())


@pytest.mark.shared
def test_the_numbers_of_table_1_are_those_of_the_paper(shared: Path) -> None:
    rows = [line for line in (shared / "papers/medvl_brain.txt").read_text().splitlines() if "data\t" in line]
    printed = [[float(cell) for cell in re.findall(r"\d+\.\d+", row)] for row in rows]
    keys = [(scheme, stage) for stage in ("PT", "PT+FT") for scheme in ("raw", "processed")]
    stated = [
        [TABLE_1[scheme, stage, split][metric] for split in ("val", "test") for metric in METRICS]
        for scheme, stage in keys
    ]
    assert printed == stated
