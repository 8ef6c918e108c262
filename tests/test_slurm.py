"""slurm/figray.sbatch: what it gives to Ray, whether Ray started, and figray's exit code. Slurm is played."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SBATCH = ROOT / "slurm" / "figray.sbatch"


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """A node of a job, whose scontrol, srun, getent and ray are scripts; ray says what it was given, and runs it."""
    commands = {
        "scontrol": "printf 'node7\\nnode8\\n'",
        "getent": 'echo "192.0.2.7 STREAM $2"',
        "srun": 'while [ "${1#--}" != "$1" ]; do shift; done; "$@"',
        "ray": f'printf "%s\\n" "$*" > {tmp_path}/asked; test -e {tmp_path}/broken && exit 0; '
        'while [ "$1" != -- ]; do shift; done; shift; "$@"',
        "figray": f'echo "$RAY_ADDRESS $HF_HUB_OFFLINE $*" > {tmp_path}/ran; exit 3',
        "python": f"echo {tmp_path}/token",
    }
    tools = tmp_path / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name, text in commands.items():
        (tools / name).write_text(f"#!/bin/bash\n{text}\n")
        (tools / name).chmod(0o755)
    return {
        **os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SLURM_SUBMIT_DIR": str(tmp_path),
        "SLURM_JOB_ID": "42", "SLURM_JOB_NODELIST": "node[7-8]", "SLURM_JOB_NUM_NODES": "2",
        "SLURM_CPUS_ON_NODE": "16", "SLURM_GPUS_ON_NODE": "4",
    }  # fmt: skip


def run(slurm: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["bash", SBATCH, *words], env=slurm, capture_output=True, text=True, check=False)


def test_the_command_runs_once_ray_stands_on_all_nodes_and_its_exit_code_is_the_jobs(
    slurm: dict[str, str], tmp_path: Path
) -> None:
    assert run(slurm, "train", "processed", "--run", "/shared/a run").returncode == 3
    asked = (tmp_path / "asked").read_text()
    assert asked.startswith("symmetric-run --address 192.0.2.7:20042 --min-nodes 2 --num-cpus 16 --num-gpus 4 -- ")
    assert (tmp_path / "ran").read_text() == "192.0.2.7:20042 1 train processed --run /shared/a run\n"
    assert not list(tmp_path.glob(".figray-begun-*"))


def test_where_ray_did_not_start_the_job_fails(slurm: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "broken").touch()
    ended = run(slurm, "train", "processed")
    assert ended.returncode == 1 and "Ray did not start on all nodes" in ended.stderr


def test_without_a_command_it_says_how_one_is_given(slurm: dict[str, str]) -> None:
    ended = run(slurm)
    assert ended.returncode == 2 and "sbatch slurm/figray.sbatch collect" in ended.stderr


def test_its_options_are_those_of_symmetric_run() -> None:
    from ray.scripts.scripts import cli

    text = SBATCH.read_text(encoding="utf-8")
    known = {option for each in cli.commands["symmetric-run"].params for option in each.opts}
    known |= {option for each in cli.commands["start"].params for option in each.opts}
    given = {"--address", "--min-nodes", "--num-cpus", "--num-gpus"}
    assert given <= known and all(option in text for option in given)
