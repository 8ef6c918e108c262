"""Several Ray nodes on one machine: they join, work and lose power as machines do, and can be watched."""

import json
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psutil
from ray.cluster_utils import Cluster

STORE = 200_000_000  # bytes of a node's object store
READER, TRAINER = "SeparatePart", "RayTrainWorker"  # as Ray names processes that read figures, and that train
GROUPS = ("figray", "pipelines", "trainers")  # a node's group is the resource of its own that cluster.yaml gives it


class Nodes:
    """A cluster of ray.cluster_utils whose head runs no work, as in cluster.yaml."""

    def __init__(self) -> None:
        head = {"num_cpus": 0, "resources": {"figray": 1}, "object_store_memory": STORE, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)

    @property
    def address(self) -> str:
        """For cluster.address."""
        return str(self.cluster.address)

    def add(self, group: str = "pipelines", *, cpus: int = 1) -> None:
        """A node of one of cluster.yaml's groups joins."""
        self.cluster.add_node(num_cpus=cpus, resources={group: 1000}, object_store_memory=STORE)

    def add_apart(self, folder: Path, group: str = "pipelines", *, cpus: int = 1) -> None:
        """A node joins whose `folder`, where it keeps its temporary files, no other node sees: each has its own there.

        Ends in TimeoutError if it has not joined after minutes.
        """
        folder.mkdir(parents=True, exist_ok=True)
        before = set(raylets())
        apart = 'mount -t tmpfs tmpfs "$1" && export TMPDIR="$1" && exec "${@:2}"'
        ray = [str(Path(sys.executable).with_name("ray")), "start", f"--address={self.address}", "--block"]
        ray += [f"--num-cpus={cpus}", f"--resources={json.dumps({group: 1000})}", f"--object-store-memory={STORE}"]
        subprocess.Popen(["unshare", "--mount", "bash", "-c", apart, "bash", str(folder), *ray])
        wait_for(lambda: bool(set(raylets()) - before), seconds=120, what="a node's raylet")


def raylets() -> dict[int, str]:
    """The nodes that are up, heads too: the process of each, and its group."""
    found: dict[int, str] = {}
    for process in psutil.process_iter():
        try:
            if process.name() == "raylet" and process.status() != psutil.STATUS_ZOMBIE:
                command = " ".join(process.cmdline())  # "" until its program is loaded
                found.update((process.pid, group) for group in GROUPS if re.search(rf"\b{group},", command))
        except psutil.NoSuchProcess:
            continue
    return found


def working(raylet: int) -> set[str]:
    """What the worker processes of a node do now, by the names that Ray gives them."""
    found = set()
    with suppress(psutil.NoSuchProcess):
        for process in psutil.Process(raylet).children():
            with suppress(psutil.NoSuchProcess):
                found.add(" ".join(process.cmdline()))
    return {title for title in found if title.startswith("ray::") and not title.startswith("ray::IDLE")}


def kill(raylet: int) -> None:
    """The node loses power: its raylet and all that runs on it, at once."""
    node = psutil.Process(raylet)
    for process in [node, *node.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            process.kill()


@dataclass
class Seen:
    """Which nodes were up, and what ran on them."""

    groups: dict[int, str] = field(default_factory=dict)  # by the node's raylet
    work: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))

    def nodes(self, *groups: str) -> set[int]:
        """The nodes of some groups; of those that do work, if none is named."""
        return {raylet for raylet, group in self.groups.items() if group in (groups or GROUPS[1:])}

    def ran(self, name: str) -> set[int]:
        """The nodes on which something of this name ran."""
        return {raylet for raylet, titles in list(self.work.items()) if any(name in title for title in titles)}


@contextmanager
def watched() -> Iterator[Seen]:
    """All nodes, seen ten times a second while the block runs."""
    seen, ended = Seen(), Event()

    def watch() -> None:
        while not ended.wait(0.1):
            for raylet, group in raylets().items():
                seen.groups[raylet] = group
                seen.work[raylet] |= working(raylet)

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def wait_for(happens: Callable[[], Any], *, seconds: float, what: str) -> None:
    """Wait until a function's value is true; TimeoutError, naming what was waited for, if it never is."""
    end = time.monotonic() + seconds
    while not happens():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come in {seconds:g} s")
        time.sleep(0.2)
