"""A run says what it was made with and how to make it again."""

from pathlib import Path

from app.report.provenance import MADE, commands, files_of, made_with, provenance, weights_of
from app.steps import timed
from core.config import load
from core.places import Place
from core.records import Pair, to_table
from core.runs import Table, digest
from core.settings import Config


def test_each_step_leaves_what_it_was_made_with(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with timed(run, "pair"):
        pass
    assert (run / MADE).read_json() == {"pair": made_with()}
    told = provenance(run, Config(), [], {"day": "2026-11-29", "index": "pubmed", "queries": {"pubmed": "glioma"}})
    assert "torch" in told["made with"]
    assert (told["collected on"], told["query, pubmed"]) == ("2026-11-29", "glioma")


def test_steps_made_with_different_versions_are_told_apart(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    (run / MADE).write_json({"pair": {"figray": "1"}, "train": {"figray": "2"}, "evaluate": {"figray": "2"}})
    told = provenance(run, Config(), [], {})
    assert (told["made with: pair"], told["made with: evaluate, train"]) == ("figray 1", "figray 2")


def test_digests_are_of_what_the_manifests_name(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    table = Table(run / "pairs", Pair)
    part = table.commit(0, tables={"": to_table([], Pair)}, rejects=[], inputs="", counts={})
    assert table.digest == digest([file.sha256 for file in part.files])
    (run / "models" / "m" / "checkpoint" / "sha256.json").write_json({})
    assert len(weights_of(run, "m")) == 32
    assert weights_of(run, "none") == ""
    assert provenance(run, Config(), ["m"], {})["digest of pairs/"] == table.digest
    assert files_of(run, ["m"]) == []


def test_the_commands_name_each_model(tmp_path: Path) -> None:
    run = Place.at(tmp_path / "mine")
    (run / "figures" / "x").write_bytes(b"")
    lines = commands(run, Config(), ["processed", "my model"], drawn=False)
    assert lines[1] == "figray pair --run runs/mine-again"
    assert "figray train 'my model' --run runs/mine-again" in lines
    drawn = commands(run, load("demo", ["phantom.articles=7"]), [], drawn=True)
    assert len(drawn) == 1 and "--set phantom.articles=7" in drawn[0]
