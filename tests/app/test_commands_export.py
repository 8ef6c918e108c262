"""figray export and import-review, typed."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.places import Place
from core.records import Pair
from core.runs import Table
from tests.app.exports.conftest import run as small_run

run = small_run


def typed(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, list(words))
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


def test_pairs_leave_by_their_filters(run: Place, tmp_path: Path) -> None:
    number, said = typed(
        "export",
        "pairs",
        run.uri,
        str(tmp_path / "out"),
        "--to",
        "jsonl",
        "--modality",
        "ct",
        "--split",
        "train",
        "--json",
    )
    assert number == 0, said
    assert json.loads(said[said.index("{") :])["rows"] == {"train": 4}


@pytest.mark.parametrize("words", [("export", "processed", "OUT"), ("export", "model", "processed", "OUT")])
def test_a_model_leaves_by_either_way_of_asking(words: tuple[str, ...], tmp_path: Path) -> None:
    told = [str(tmp_path / "out") if word == "OUT" else word for word in words]
    number, said = typed(*told, "--run", str(tmp_path / "none"))
    assert number != 0
    assert "none is no run" in said or "no model" in said


@pytest.mark.ray
def test_a_corrected_figure_changes_its_pairs(local_ray: None, run: Place, tmp_path: Path) -> None:
    number, said = typed("export", "pairs", run.uri, str(tmp_path / "out"), "--to", "label-studio")
    assert number == 0, said
    tasks = json.loads((tmp_path / "out" / "tasks.json").read_text())
    result = tasks[0]["predictions"][0]["result"]
    for each in result:
        if each["id"] == "panel-0" and each["from_name"] == "text":
            each["value"]["text"] = ["A scan of the head."]
    tasks[0]["annotations"] = [{"result": result}]
    (tmp_path / "mended.json").write_text(json.dumps(tasks))
    number, said = typed("import-review", run.uri, str(tmp_path / "mended.json"), "--set", "dedupe.keep=all")
    assert number == 0, said
    rows = Table(run / "pairs", Pair).select("figure_id", [tasks[0]["data"]["figure_id"]]).to_pylist()
    texts = {row["text"]: row["matched_by"] for row in rows}
    assert texts["A scan of the head."] == "reviewed"
