"""Runs stand side by side, each model by the name of its run, and what is the same in all is not repeated."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import html

from app.report.compared import names_of, read_compared, render_compared, side_by_side
from core.config import load
from core.places import Place
from core.settings import Config
from tests.app.report.test_evaluated import told


def test_columns_have_a_dash_where_they_have_nothing() -> None:
    assert side_by_side([{"a": 1}, {"b": "x"}]) == {"a": ["1", "–"], "b": ["–", "x"]}
    assert names_of(["demo", "demo", "x"]) == ["demo (1)", "demo (2)", "x"]


def test_models_of_all_runs_are_in_one_table(tmp_path: Path, check_inert: Callable[[str], None]) -> None:
    runs = []
    for name, queries in (("one", ["x"]), ("two", ["x"]), ("three", ["y"])):
        run = Place.at(tmp_path / name)
        (run / "models" / "m" / "settings.json").write_json({})
        (run / "models" / "m" / "metrics.jsonl").write_bytes(b'{"step": 1, "loss": 2.0}\n')
        (run / "models" / "m" / "retrieval-test-rerank0.json").write_json({"pairs": told(queries, 0.5)})
        runs.append((run, load(None, ["seed=3"]) if name == "two" else Config()))
    found = read_compared(runs)
    assert list(found.report.retrieval) == ["one/m", "two/m", "three/m"]
    assert list(found.report.pools) == ["pairs", "pairs of three"]
    assert found.settings == {"seed": ["0", "3", "0"]}
    assert list(found.report.curves) == ["one/m", "two/m", "three/m"]
    page = render_compared(found)
    check_inert(page)
    tree: Any = html.fromstring(page)
    heads = tree.xpath("//section[@id='retrieval']//tbody//th")
    assert [head.text for head in heads] == ["one/m", "two/m", "three/m"]
