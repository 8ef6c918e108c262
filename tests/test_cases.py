"""The cases of ../shared/cases that cost no Ray are right; python -m tests.cases runs them all."""

from pathlib import Path

import pytest

from tests.cases.__main__ import REQUIRED, SHOWN, line, run
from tests.cases.runner import Row


@pytest.mark.parametrize("name", ["settings", "reports"])
def test_a_case_is_right(name: str, shared: Path) -> None:
    rows = list(run(shared / "cases", [name]))
    assert rows and [row for row in rows if not row.right] == []


@pytest.mark.ray
@pytest.mark.cluster  # minutes of Ray's starts; python -m tests.cases runs all
@pytest.mark.parametrize("name", ["json", "rsna-mapping", "file-names"])
def test_a_case_with_ray_is_right(name: str, shared: Path) -> None:
    rows = list(run(shared / "cases", [name]))
    assert rows and [row for row in rows if not row.right] == []


def test_every_case_has_its_runner_and_a_row_is_one_line(shared: Path) -> None:
    there = {path.name for path in (shared / "cases").iterdir() if path.is_dir()}
    assert there == REQUIRED.keys() | SHOWN.keys()
    assert line(Row("a", "b\n| c", None)) == "| a | b \\| c | shown |"
    assert list(run(shared, ["csv"])) == [Row("csv", "no such folder", right=False)]
