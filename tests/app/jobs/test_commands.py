"""What asks a cluster says so where there is none, and a plan of no scheme is none."""

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.config import UserError


@pytest.mark.parametrize("arguments", [["status"], ["logs", "train-1"], ["stop", "train-1"]])
def test_without_an_address_there_is_no_cluster_to_ask(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UserError, match="--address"):
        cli(arguments, standalone_mode=False)


def test_a_plan_for_no_scheme_is_refused() -> None:
    with pytest.raises(UserError, match="there are raw, processed, both"):
        cli(["plan", "--articles", "10", "--scheme", "some"], standalone_mode=False)


@pytest.mark.parametrize("command", ["plan", "submit", "status", "logs", "stop"])
def test_each_command_stands_among_the_others(command: str) -> None:
    said = CliRunner().invoke(cli, [command, "--help"])
    assert said.exit_code == 0 and f"figray {command}" in said.output.replace("root", "figray")
