"""Workers between a least and a most: a training goes on with fewer when a node is taken back."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq
import pytest
import ray

from core.cluster import connect
from core.config import load
from core.places import Place
from tests.cluster.nodes import TRAINER, Nodes, kill, raylets, wait_for, watched
from tests.cluster.test_storage_of_nodes import TINY, committed, drawn_pairs, records
from trainers.fit_all import fit_all

pytestmark = [pytest.mark.cluster, pytest.mark.ray]

STEPS, SEEN = 100, 5  # steps in all, and before the node is drained
ELASTIC = [
    "train.workers=[1, 2]", "train.cpus_per_worker=0.7", "train.checkpoint_steps=null", "train.checkpoint_minutes=600",
    f"optim.steps={STEPS}",
]  # fmt: skip


@pytest.fixture
def watcher(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray Train looks for nodes that are to go, as it does by itself; tests on one machine turn that off."""
    monkeypatch.setenv("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "1")


def drain(node: dict[str, Any], address: str) -> None:
    """Say to Ray what a cloud says of a spot instance: it goes in a moment."""
    command = [str(Path(sys.executable).with_name("ray")), "drain-node", f"--address={address}"]
    command += [f"--node-id={node['NodeID']}", "--reason=DRAIN_NODE_REASON_PREEMPTION"]
    command += ["--reason-message=spot", "--deadline-remaining-seconds=300"]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def raylet_of(node: dict[str, Any]) -> int:
    """The process of a node, by the port that it listens at."""
    port = int(node["NodeManagerPort"])
    for pid in raylets():
        if any(each.laddr.port == port for each in psutil.Process(pid).net_connections() if each.status == "LISTEN"):
            return pid
    raise LookupError(f"no raylet listens at {port}")


def test_a_training_saves_before_a_node_is_taken_back_and_goes_on_with_fewer_workers(
    watcher: None, nodes: Nodes, tmp_path: Path
) -> None:
    pq.write_table(drawn_pairs(48), tmp_path / "pairs.parquet")
    out = Place.at(tmp_path / "model")
    for _ in range(2):
        nodes.add()
    config = load("demo", [*TINY, *ELASTIC, f"cluster.address={nodes.address}"])
    connect(config)
    before: list[dict[str, Any]] = []

    def take_back(name: str, step: int, steps: int) -> None:
        if before or step < SEEN:
            return
        assert len(seen.ran(TRAINER)) == 2
        node = next(each for each in ray.nodes() if each["Alive"] and "pipelines" in each["Resources"])
        drain(node, nodes.address)
        wait_for(lambda: committed(out), seconds=120, what="a checkpoint before the node goes")
        before.extend(records(out)[: committed(out)])
        kill(raylet_of(node))

    with watched() as seen:
        [result] = fit_all({out.uri: (config, [str(tmp_path / "pairs.parquet")])}, on_step=take_back)
    after = records(out)
    assert result.steps == STEPS and [record["step"] for record in after] == list(range(1, STEPS + 1))
    assert SEEN <= len(before) < STEPS and after[: len(before)] == before  # they were not taken again
