"""What the stations ask of a cluster, and the nodes that Ray's autoscaler starts for it."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from ray.autoscaler._private.node_provider_availability_tracker import NodeAvailabilitySummary
from ray.autoscaler._private.resource_demand_scheduler import _default_utilization_scorer, get_nodes_for
from ray.data import ActorPoolStrategy

from core.cluster import nodes
from core.settings import Config
from pipelines.build import by_actors, by_tasks

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


def started(groups: dict[str, dict[str, Any]], head: str, bundles: Sequence[Bundle]) -> dict[str, int]:
    """The nodes that Ray's autoscaler adds for what is asked, by group; fails if something finds no place."""
    scorer = partial(_default_utilization_scorer, node_availability_summary=NodeAvailabilitySummary({}))
    asked: list[Any] = list(bundles)
    added, left = get_nodes_for(groups, {head: 1}, head, 100, asked, scorer)
    assert left == []
    return dict(added)
