"""What the stations ask of a cluster, and the nodes that Ray's autoscaler starts for it."""

from collections.abc import Mapping, Sequence
from typing import Any

from ray.autoscaler.v2.instance_manager.config import NodeTypeConfig
from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
from ray.autoscaler.v2.utils import ResourceRequestUtil
from ray.data import ActorPoolStrategy

from core.cluster import nodes
from core.settings import Config
from pipelines.stages import by_actors, by_tasks

Bundle = dict[str, float]
JOBS: list[tuple[str, list[str], dict[str, int]]] = [  # station, settings -> nodes of each group
    ("collect", [], {"cpu": 1}),
    ("separate", ["tables.readers=[1, 128]", "tables.reader_cpus=1"], {"cpu": 8}),
    ("pairs", ["tables.readers=[1, 128]"], {"cpu": 2}),
    ("train", [], {"gpu": 1}),
    ("train", ["train.workers=4"], {"gpus": 1}),
    ("train", ["train.workers=8"], {"gpus": 2}),
]


class Asked:
    """What stands for a dataset, and keeps what a stage asks Ray for."""

    def __init__(self) -> None:
        self.bundle: Bundle = {}

    def map(self, _: object, *, num_cpus: float, resources: Mapping[str, float], **__: object) -> None:
        self.bundle = {"CPU": num_cpus, **resources}


def stations(config: Config) -> dict[str, list[Bundle]]:
    """What each station holds at the same time: a bundle for each task, actor or worker at its most."""
    tables, train = config.tables, config.train
    task = by_tasks(lambda row: row, cpus=tables.task_cpus, at_once=1)
    actor = by_actors(object, (), cpus=tables.reader_cpus, pool=ActorPoolStrategy(size=1))
    bundles = []
    for stage in (task, actor):
        stage(asked := Asked())
        bundles.append(asked.bundle)
    worker = nodes("trainers") | {"CPU": train.cpus_per_worker, "GPU": 1.0}
    return {
        "collect": [bundles[0]] * tables.collectors,
        "separate": [bundles[1]] * tables.readers[1],
        "pairs": [bundles[0]] * tables.readers[1],
        "train": [worker] * train.most_workers + [nodes("trainers") | {"CPU": tables.task_cpus}],
    }


def started(
    groups: dict[str, dict[str, Any]], head: str, bundles: Sequence[Bundle], *, missing: Sequence[str] = ()
) -> dict[str, int]:
    """The nodes that Ray's autoscaler adds for what is asked, by group; fails if something finds no place.

    missing: groups of which the cloud has just had none.
    """
    node_types = {
        name: NodeTypeConfig(
            name=name, min_worker_nodes=0, max_worker_nodes=group["max_workers"] + (name == head),
            priority=group.get("priority", 0), resources=group["resources"],
        )
        for name, group in groups.items()
    }  # fmt: skip
    reply = ResourceDemandScheduler().schedule(
        SchedulingRequest(
            disable_launch_config_check=True,
            node_type_configs=node_types,
            max_num_nodes=100,
            resource_requests=ResourceRequestUtil.group_by_count([ResourceRequestUtil.make(each) for each in bundles]),
            recoverable_resource_availabilities=dict.fromkeys(missing, 0.0),
        )
    )
    assert not reply.infeasible_resource_requests
    return {launch.instance_type: launch.count for launch in reply.to_launch if launch.instance_type != head}
