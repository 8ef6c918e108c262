"""figray search and compare, typed wrongly."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli


@pytest.mark.parametrize("words", [["search", "RUN", "glioma"], ["compare", "RUN/x.png", "glioma", "--run", "RUN"]])
def test_a_run_that_is_none_leaves_no_folder(words: list[str], tmp_path: Path) -> None:
    run = str(tmp_path / "none")
    done = CliRunner().invoke(cli, [word.replace("RUN", run) for word in words])
    assert done.exit_code != 0
    assert "is no run" in str(done.exception)
    assert not (tmp_path / "none").exists()
