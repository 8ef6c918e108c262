"""The command line: quick to answer, and clear about mistakes."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.config import UserError

FIGRAY = Path(sys.executable).with_name("figray")


def test_help_answers_in_under_a_second() -> None:
    took = []
    for _ in range(3):  # the best of three: the machine is shared
        begun = time.monotonic()
        said = subprocess.run([str(FIGRAY), "--help"], capture_output=True, text=True)
        took.append(time.monotonic() - begun)
        assert said.returncode == 0
        assert "collect" in said.stdout
    assert min(took) < 1.0


def test_help_imports_nothing_heavy() -> None:
    program = "import sys, app.cli; print([m for m in ('ray', 'torch', 'transformers', 'pyarrow') if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert said.stdout.strip() == "[]"


def test_a_wrong_setting_stops_before_ray_and_before_anything_is_written(tmp_path: Path) -> None:
    command = [str(FIGRAY), "demo", "--run", str(tmp_path / "run"), "--set", "optim.lrr=1"]
    said = subprocess.run(command, capture_output=True, text=True)
    assert said.returncode == 2
    assert "no setting 'optim.lrr': optim has lr, weight_decay" in said.stderr
    assert "Traceback" not in said.stderr
    assert not (tmp_path / "run").exists()


def test_config_prints_a_recipe_that_can_be_loaded_again(tmp_path: Path) -> None:
    printed = CliRunner().invoke(cli, ["config", "blip-brain", "--set", "optim.lr=2e-5"])
    assert printed.exit_code == 0
    (tmp_path / "mine.yaml").write_text(printed.stdout)
    again = CliRunner().invoke(cli, ["config", str(tmp_path / "mine.yaml")])
    assert again.stdout == printed.stdout
    assert "lr: 2.0e-05" in again.stdout


def test_a_step_without_the_one_before_says_which(tmp_path: Path) -> None:
    said = subprocess.run([str(FIGRAY), "report", "--run", str(tmp_path)], capture_output=True, text=True)
    assert said.returncode == 2
    assert "figray collect" in said.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "nothing", "--run", "{tmp}/run"], "no recipe 'nothing': neither a file nor one of blip-brain"),
        (["train", "medvl-phantom", "--run", "{tmp}/run", "--set", "optim.lrr=1"], "no setting 'optim.lrr'"),
        (["export", "processed", "{tmp}/out", "--run", "{tmp}/run"], "run has no model processed yet"),
        (["dataset", "mimic", "--run", "{tmp}/run"], "mimic is read from a folder: name it"),
        (["reproduce", "medvl-table9"], "there are medvl-table1, medvl-figure3"),
        (["reproduce", "medvl-table1", "--scale", "huge"], "there are phantom, paper"),
        (["reproduce", "mlip-table1", "--set", "mlip.spn=0", "--run", "{tmp}/run"], "no setting 'mlip.spn'"),
    ],
)
def test_a_model_or_table_that_does_not_exist_is_said_before_anything_starts(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=said):
        cli([argument.format(tmp=tmp_path) for argument in arguments], standalone_mode=False)
    assert list(tmp_path.iterdir()) == []
