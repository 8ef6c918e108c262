"""A session: what it asks of the machines."""

from pathlib import Path

import pytest

from app.session import session, without_training
from core.cluster import ClusterError, demands, preflight
from core.config import load


def test_training_is_refused_where_its_machines_are_not_and_nothing_has_started(tmp_path: Path) -> None:
    asks = ["train.gpu=true", "train.workers=64", "cluster.cpus=4"]
    with pytest.raises(ClusterError, match="train holds"), session(str(tmp_path / "run"), None, asks):
        pass


def test_real_articles_are_collected_and_paired_on_a_machine_without_a_gpu() -> None:
    config = load("blip-brain")
    with pytest.raises(ClusterError, match="train needs 1 GPUs"):
        preflight(demands(config), cpus=4, gpus=0)
    preflight(demands(without_training(config)), cpus=4, gpus=0)
