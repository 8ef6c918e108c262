"""cluster.yaml's node types under Ray's autoscaler with its fake provider: who brings up what, and who goes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.exceptions import RayTaskError

from app import steps
from core.cluster import connect, disconnect
from core.config import load
from core.places import Place
from core.records import Pair
from core.runs import Part
from tests.cluster.nodes import READER, STORE, TRAINER, raylets, wait_for, watched
from trainers.fit_all import fit_all

pytestmark = [pytest.mark.cluster, pytest.mark.ray]

SHIPPED = Path(__file__).resolve().parents[2] / "cluster.yaml"
FAKE = {
    "type": "external", "module": "tests.cluster.fake_nodes.FakeNodes", "use_node_id_as_ip": True,
    "disable_node_updaters": True,
}  # fmt: skip
FAKED = {
    "RAY_FAKE_CLUSTER": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1",
    "PYTHONPATH": str(Path(__file__).resolve().parents[2]),  # where the autoscaler finds the module
}  # fmt: skip
HEAD = "ray.head.default"  # as the fake provider knows it
IDLE_SECONDS = 8
COMMANDS = (
    "cluster_synced_files",
    "setup_commands",
    "initialization_commands",
    "head_setup_commands",
    "worker_setup_commands",
)
START = ("head_start_ray_commands", "worker_start_ray_commands")


def shrunk() -> dict[str, Any]:
    """The shipped groups with their own resources, but an eighth of their CPUs, and at most two nodes each."""
    shipped = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))
    types = {}
    for name, kind in shipped["available_node_types"].items():
        resources = {**kind["resources"], "CPU": kind["resources"]["CPU"] // 8, "object_store_memory": STORE}
        types[HEAD if name == shipped["head_node_type"] else name] = {
            "min_workers": kind["min_workers"], "max_workers": min(kind["max_workers"], 2), "resources": resources,
            "node_config": {},
        }  # fmt: skip
    return {
        "cluster_name": "shrunk", "max_workers": 4, "idle_timeout_minutes": IDLE_SECONDS / 60, "provider": FAKE | {
            "disable_launch_config_check": True,
        },
        "upscaling_speed": shipped["upscaling_speed"], "auth": {}, "file_mounts": {}, "head_node_type": HEAD,
        "available_node_types": types, **{name: [] for name in (*COMMANDS, *START)},
    }  # fmt: skip


@pytest.fixture
def autoscaled(tmp_path: Path) -> str:
    """The address of a head that adds nodes to itself; the settings of those are cluster.yaml's."""
    config = shrunk()
    (tmp_path / "cluster.json").write_text(json.dumps(config))
    own = {
        name: amount
        for name, amount in config["available_node_types"][HEAD]["resources"].items()
        if name not in ("CPU", "object_store_memory")
    }
    command = [str(Path(sys.executable).with_name("ray")), "start", "--head", "--port=6379", "--num-cpus=0"]
    command += [f"--resources={json.dumps(own)}", f"--object-store-memory={STORE}", "--include-dashboard=false"]
    command += [f"--autoscaling-config={tmp_path / 'cluster.json'}", "--node-ip-address=127.0.0.1"]
    subprocess.run(command, check=True, env=os.environ | FAKED)
    return "127.0.0.1:6379"


def silent(station: str, part: Part, parts: int) -> None:
    """No progress bars."""


def only_the_head() -> bool:
    return set(raylets().values()) == {"figray"}


def test_work_brings_up_the_nodes_of_its_own_group_and_idleness_takes_them_down(
    autoscaled: str, served: list[str], tmp_path: Path
) -> None:
    readers = ["tables.readers=[2, 2]", "tables.reader_cpus=2", "source.max_articles=6", "cluster.progress_timeout=120"]
    training = ["train.gpu=true", "train.failures=0", "train.batch_size=4", "optim.steps=2"]
    config = load("demo", [*served, *readers, *training, f"cluster.address={autoscaled}"])
    connect(config)
    assert only_the_head()

    run = Place.at(tmp_path / "run")
    with watched() as pairing:
        steps.collect(config, run, silent)
        steps.pair(config, run, silent)
    assert {pairing.groups[node] for node in pairing.nodes()} == {"pipelines"}
    assert len(pairing.ran(READER)) == 2
    wait_for(only_the_head, seconds=60 + IDLE_SECONDS, what="the end of the idle CPU nodes")

    pairs = steps.table(run, "pairs", Pair).files("split=train")
    with watched() as training_seen, pytest.raises(RayTaskError):  # the GPU is declared, not there
        fit_all({str(tmp_path / "model"): (config, pairs)}, on_step=lambda *reached: None)
    assert {training_seen.groups[node] for node in training_seen.nodes()} == {"trainers"}
    assert len(training_seen.ran(TRAINER)) == len(training_seen.nodes()) == 1
    disconnect()
    wait_for(only_the_head, seconds=60 + IDLE_SECONDS, what="the end of the GPU node, whose job has ended")
    for seen in (pairing, training_seen):
        assert not seen.nodes("figray") & (seen.ran(READER) | seen.ran(TRAINER) | seen.ran("_part"))
