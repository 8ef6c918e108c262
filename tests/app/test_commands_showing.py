"""The report's command takes one run or several, and -q leaves errors alone to be said."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app import verbosity
from app.cli import cli
from app.commands_showing import recipe_of_demo
from core.places import Place


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    """A test leaves behind what is usually said."""
    yield
    verbosity.ASKED.quiet = verbosity.ASKED.verbose = False


def a_run(place: Place) -> Place:
    (place / "config.yaml").write_bytes(b"{}")
    (place / "models" / "m" / "settings.json").write_json({})
    return place


def test_one_run_and_two_side_by_side(tmp_path: Path) -> None:
    first, second = (a_run(Place.at(tmp_path / name)) for name in ("one", "two"))
    assert CliRunner().invoke(cli, ["report", first.uri]).exit_code == 0
    assert (first / "report.html").exists() and (first / "results.json").exists()
    said = CliRunner().invoke(cli, ["report", first.uri, second.uri])
    assert said.exit_code == 0
    assert (first / "compared-one-two.html").exists()


def test_quiet_says_nothing(tmp_path: Path) -> None:
    run = a_run(Place.at(tmp_path / "one"))
    loud, quiet = (CliRunner().invoke(cli, [*words, "report", run.uri]) for words in ([], ["-q"]))
    assert "report: " in loud.output and quiet.output == ""
    told = CliRunner().invoke(cli, ["-q", "report", run.uri, "--json"])
    assert told.output.startswith('{"report"')


def test_a_demo_begins_from_a_trained_encoder_where_one_is_installed_and_a_run_goes_on_as_it_was_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainers.wheels.find_spec", lambda name: None)
    assert recipe_of_demo(str(tmp_path / "new")) == "demo"
    monkeypatch.setattr("trainers.wheels.Wheel.find", lambda wheel: tmp_path)
    assert recipe_of_demo(str(tmp_path / "new")) == "demo-trained"
    assert recipe_of_demo(a_run(Place.at(tmp_path / "old")).uri) is None
