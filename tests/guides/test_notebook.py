"""examples/notebook.ipynb runs from top to bottom, and its kept outputs are small and tell nothing of a machine."""

import ast
import json
import os
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from tests.guides.page import ROOT

NOTEBOOK = ROOT / "examples" / "notebook.ipynb"
A_PLACE = re.compile(r"/(?:home|root|tmp|work|Users|usr|opt|var)/|[A-Z]:\\\\|\b\d+\.\d+\.\d+\.\d+\b|\.venv")


def test_the_outputs_that_are_kept_are_small_and_name_no_place() -> None:
    text = NOTEBOOK.read_text(encoding="utf-8")
    assert len(text) < 500_000
    cells = json.loads(text)["cells"]
    for output in (each for cell in cells for each in cell.get("outputs", [])):
        assert output["output_type"] != "error"
        data = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
        assert A_PLACE.findall(json.dumps([data, output.get("text", "")])) == []
    assert sum(bool(cell.get("outputs")) for cell in cells if cell["cell_type"] == "code") > 6


def test_what_its_cells_import_is_there() -> None:
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    lines = [line for cell in cells if cell["cell_type"] == "code" for line in "".join(cell["source"]).splitlines()]
    code = "\n".join(line for line in lines if not line.startswith(("!", "%")))  # the shell's
    wanted = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.ImportFrom) and node.module]
    own = [node for node in wanted if (ROOT / str(node.module).partition(".")[0]).is_dir()]
    assert len(own) > 5
    for node in own:
        for name in node.names:
            assert hasattr(import_module(str(node.module)), name.name), f"{node.module} has no {name.name}"


@pytest.mark.cluster
@pytest.mark.ray
@pytest.mark.timeout(600)
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}:{ROOT / 'examples'}")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    there = {"metadata": {"path": str(tmp_path)}}
    NotebookClient(notebook, timeout=500, kernel_name="python3", resources=there).execute()  # raises on an error
    assert (tmp_path / "runs" / "mine" / "models" / "small" / "checkpoint" / "config.json").exists()
