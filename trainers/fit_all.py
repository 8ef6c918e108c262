"""fit_all(): several trainings, side by side where there is room, each steered from this node."""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from time import monotonic
from types import MappingProxyType
from typing import Any

import ray
from ray.data import DataContext
from ray.exceptions import RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from core.cluster import nodes, patience
from core.config import UserError
from core.places import Place, StorageError
from core.settings import Config
from trainers.fit import FitResult, fit
from trainers.restarts import ask_to_stop
from trainers.trackers import METRICS

# Ray Data asks an autoscaler for CPUs of any kind when those it has are busy, and forgets the group: a training would
# bring up nodes of other groups. What its tasks and workers wait for brings up their own.
ASKS_FOR_NONE = {
    f"RAY_DATA_DEFAULT_CLUSTER_SCALING_UP_{what}_UTIL_THRESHOLD": "2"  # of 1
    for what in ("CPU", "GPU", "MEMORY", "OBJECT_STORE_MEMORY")
}
GRACE = 25.0  # seconds for the checkpoint of a training that is stopped
ASKED_SECONDS = 10.0  # between two looks at metrics that are not on this machine


def fit_all(
    runs: Mapping[str, tuple[Config, Sequence[str]]],
    *,
    on_step: Callable[[str, int, int], None],
    watched: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[FitResult]:
    """fit() for several folders, each with its settings and files: side by side where the CPUs allow it.

    watched: by folder the files of its validation split, see fit(). on_step is told the folder, the step reached and
    the steps in all, every second. Each runs in a process of its own, for Ray Train takes Ctrl-C for itself where it is
    called, and on this node: what steers a training must not go with a node that is only lent. Raises as fit() does.
    """
    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    environment = {"env_vars": ASKS_FOR_NONE} if nodes("trainers") else {}
    task: Any = ray.remote(num_cpus=0, max_retries=0)(_fit_in_task).options(
        scheduling_strategy=here, runtime_env=environment
    )
    waiting, running = list(runs), dict[Any, _Running]()
    at_once = _at_once([config for config, _ in runs.values()])
    try:
        start = partial(_start, task, runs, watched)
        return _fitted(start, runs, waiting, running, at_once, on_step)
    except KeyboardInterrupt:
        _save(running)
        raise


def _start(
    task: Any, runs: Mapping[str, tuple[Config, Sequence[str]]], watched: Mapping[str, Sequence[str]], out: str
) -> Any:
    return task.remote(*runs[out], out, watched.get(out, ()))


def _fitted(
    start: Callable[[str], Any],
    runs: Mapping[str, tuple[Config, Sequence[str]]],
    waiting: list[str],
    running: "dict[Any, _Running]",
    at_once: int,
    on_step: Callable[[str, int, int], None],
) -> list[FitResult]:
    done = []
    while waiting or running:
        while waiting and len(running) < at_once:
            out = waiting.pop(0)
            running[start(out)] = _Running(out)
        ended, _ = ray.wait(list(running), timeout=1.0)
        for each in running.values():
            on_step(each.out, each.reached(), runs[each.out][0].optim.steps or 0)
        for reference in ended:
            del running[reference]
            done.append(_result(reference))
    return done


def _save(running: "Mapping[Any, _Running]") -> None:
    """Have what trains save a checkpoint and end, and wait for it; a second signal waits no longer."""
    for each in running.values():
        with suppress(OSError, StorageError):
            ask_to_stop(Place.at(each.out))
    if running:
        ray.wait(list(running), num_returns=len(running), timeout=GRACE)


def _at_once(configs: Sequence[Config]) -> int:
    """How many may train side by side: on a cluster that grows all, for what does not fit yet waits for its nodes."""
    if nodes("trainers"):
        return len(configs)
    most = max((config.training_cpus for config in configs), default=1.0)
    return max(1, int(ray.cluster_resources().get("CPU", 0) // most))


def _fit_in_task(config: Config, train_files: Sequence[str], out: str, watched: Sequence[str]) -> FitResult:
    DataContext.get_current().enable_progress_bars = False
    DataContext.get_current().execution_no_progress_timeout_s = patience(config.cluster)
    return fit(config, train_files=train_files, out=out, watched=watched)


def _result(reference: Any) -> FitResult:
    try:
        return ray.get(reference)
    except RayTaskError as error:
        if isinstance(error.cause, UserError):
            raise error.cause from None
        raise


@dataclass
class _Running:
    """A training in its folder, and how far it was when its metrics were last read."""

    out: str
    step: int = 0
    read_at: float = float("-inf")

    def reached(self) -> int:
        """The last step that its metrics tell of."""
        metrics = Place.at(self.out) / METRICS
        if metrics.is_local or monotonic() - self.read_at > ASKED_SECONDS:
            lines = metrics.read_bytes().splitlines() if metrics.exists() else []
            self.step, self.read_at = int(json.loads(lines[-1])["step"]) if lines else 0, monotonic()
        return self.step
