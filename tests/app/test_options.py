"""What several commands take has one name and one meaning."""

import pytest
import typer

from app.cli import cli
from app.options import SCHEMES, columns_named
from core.config import SettingError

COMMANDS = typer.main.get_command(cli).commands  # type: ignore[attr-defined]


def test_set_and_run_mean_the_same_wherever_they_are_taken() -> None:
    helps: dict[str, set[str]] = {"set_": set(), "run": set()}
    takers = dict.fromkeys(helps, 0)
    for command in COMMANDS.values():
        for option in command.params:
            if option.name in helps and option.default is not None:  # a command with a default run of its own says so
                helps[option.name].add(option.help)
                takers[option.name] += 1
    assert {len(found) for found in helps.values()} == {1}
    assert takers["set_"] > 12 and takers["run"] >= 6


def test_both_is_each_scheme() -> None:
    assert SCHEMES["both"] == [*SCHEMES["raw"], *SCHEMES["processed"]]


def test_columns_as_typed() -> None:
    assert columns_named(["text=said"], such_as="text") == {"text": "said"}
    with pytest.raises(SettingError, match="--column text"):
        columns_named(["text"], such_as="text")
