"""A session: what it asks of the machines."""

from pathlib import Path

import pytest
import ray
import typer

from app.commands_runs import has_figures
from app.session import session, unconnected, without_training
from core.cluster import ClusterError, demands, preflight
from core.config import load
from core.runs import RunConflict


def test_training_is_refused_where_its_machines_are_not_and_nothing_has_started(tmp_path: Path) -> None:
    asks = ["train.gpu=true", "train.workers=64", "cluster.cpus=4"]
    with pytest.raises(ClusterError, match="train holds"), session(str(tmp_path / "run"), None, asks):
        pass


def test_real_articles_are_collected_and_paired_on_a_machine_without_a_gpu() -> None:
    config = load("blip-brain")
    with pytest.raises(ClusterError, match="train needs 1 GPUs"):
        preflight(demands(config), cpus=4, gpus=0)
    preflight(demands(without_training(config)), cpus=4, gpus=0)


def test_what_a_command_needs_is_asked_for_before_ray_starts(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("{}")
    with pytest.raises(RunConflict, match="has no figures yet"), session(str(tmp_path), None, [], first=has_figures):
        pass
    assert not ray.is_initialized()


def test_work_without_ray_is_stopped_as_any_other() -> None:
    with pytest.raises(typer.Exit) as told, unconnected():
        raise KeyboardInterrupt
    assert told.value.exit_code == 130
