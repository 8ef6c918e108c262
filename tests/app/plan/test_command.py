"""`figray plan` as a person calls it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.config import UserError

ROOT = Path(__file__).resolve().parents[3]
CLUSTER = str(ROOT / "cluster.yaml")


def test_a_plan_for_the_shipped_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "plan.json"
    said = CliRunner().invoke(cli, ["plan", "--articles", "500000", "--cluster", CLUSTER, "--out", str(out)])
    assert said.exit_code == 0, said.output
    assert said.output.startswith("No rates of this machine: `make bench` leaves them in runs/rates.json.")
    for station in ("collect   500,000 articles", "separate", "copies", "pairs", "train", "evaluate", "head", "total"):
        assert f"\n{station}" in said.output
    told = json.loads(out.read_text())
    assert told["cheap"]["total"]["cost"] < told["expected"]["total"]["cost"] < told["dear"]["total"]["cost"]
    assert told["assumed"]["core"]["source"]
    assert [station["name"] for station in told["expected"]["stations"]][:2] == ["collect", "separate"]


def test_readers_on_all_nodes_are_proposed_where_few_are_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["plan", "--articles", "500000", "--cluster", CLUSTER]
    said = CliRunner().invoke(cli, asked).output
    assert "With --set tables.readers=[1,256] --set tables.reader_cpus=1 --set train.workers=8:" in said
    wide = [*asked, "--set", "tables.readers=[1,256]", "--set", "tables.reader_cpus=1"]
    assert "With --set train.workers=8:" in CliRunner().invoke(cli, wide).output
    assert "With --set" not in CliRunner().invoke(cli, [*wide, "--set", "train.workers=8"]).output


def test_half_a_million_articles_are_no_work_for_one_process_and_end_within_the_hours_that_are_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ["plan", "--articles", "500000", "--cluster", CLUSTER, "--out", "plan.json"]
    wide = ["--set", "tables.readers=[1,256]", "--set", "tables.reader_cpus=1", "--set", "train.workers=8"]
    for more, most in ([], 130), (wide, 30):
        assert CliRunner().invoke(cli, [*asked, *more]).exit_code == 0
        found = json.loads(Path("plan.json").read_text())["expected"]
        hours = {station["name"]: station["node_hours"] for station in found["stations"]}
        assert found["total"]["hours"] < most
        if not more:
            assert hours["copies"] + hours["evaluate"] < found["total"]["node_hours"] / 10
        at_once = {station["name"]: station["group"] for station in found["stations"]}
        assert "head" not in {at_once[name] for name in at_once if name != "head"}


def test_a_plan_for_this_machine_costs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(cli, ["plan", "--articles", "240", "--recipe", "demo", "--scheme", "both"])
    assert said.exit_code == 0, said.output
    assert "this machine" in said.output
    total = next(line for line in said.output.splitlines() if line.startswith("total"))
    assert total.endswith(" -")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scheme", "cooked"], "--scheme cooked: there are raw, processed, both"),
        (["--assume", "cores=2"], "--assume cores=2: write NAME=VALUE"),
        (["--like", "nowhere"], "it has no figures; `figray collect` makes them"),
        (["--rates", "nowhere.json"], "nowhere.json cannot be read"),
        (["--set", "optim.lrr=1"], "no setting 'optim.lrr'"),
        ([], "no group of nodes has a GPU"),  # of blip-brain on this machine
    ],
)
def test_what_does_not_fit_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=said):
        cli(["plan", "--articles", "1000", *arguments], standalone_mode=False)
