"""A station's work on the nodes that a cluster may have: how many, for how long, and what they cost.

Arithmetic alone; `numbers` are rates and assumptions by name, as app/plan/inputs.py reads them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from core.config import UserError

HOUR = 3600.0  # seconds

Numbers = Mapping[str, float]


class PlanError(UserError):
    """The job cannot run on these machines; the message says what to change."""


@dataclass(frozen=True)
class NodeGroup:
    """Nodes of one kind."""

    name: str
    instance: str
    cpus: float  # logical ones of a node, as Ray counts them
    cores: int  # vCPUs of a node
    gpus: int
    memory: float  # bytes of a node
    most: int  # nodes at a time
    price: float  # dollars an hour of a node on demand
    spot: bool
    disk_price: float  # dollars an hour of a node
    flops: float = 0.0  # a second, of one GPU, as its maker states


@dataclass(frozen=True)
class Machines:
    """Where each station's work goes. One machine is head and CPU group at once, and nobody pays for its hours."""

    head: NodeGroup  # where the command itself runs
    cpu: NodeGroup
    gpu: NodeGroup | None
    idle: float  # seconds before a node without work is given back
    gpus: NodeGroup | None = None  # of a training of several workers: that with the most GPUs a node
    one: bool = False  # all of it is one machine that is there already


@dataclass(frozen=True)
class Work:
    """A station's work before it is put on nodes."""

    name: str
    items: float
    unit: str
    cpu_seconds: float  # on a logical CPU of the measured machine
    at_once: int  # processes at most
    cpus: float  # logical ones that a process asks Ray for; 0: the command's own process does it
    limit: str  # what holds `at_once`
    least: float = 0.0  # seconds that no machine shortens
    least_by: str = ""


@dataclass(frozen=True)
class Placed:
    """The nodes that a station has, for how long, and what would have to grow to make it faster."""

    group: NodeGroup
    nodes: int
    seconds: float
    bound: str


@dataclass(frozen=True)
class Station:
    """A station on its nodes."""

    name: str
    items: float
    unit: str
    group: str
    instance: str
    nodes: int
    hours: float  # from its begin to its end, the start of its nodes included
    node_hours: float  # paid for: start and idle end included; those of the head are the head's
    cost: float  # dollars
    bound: str


def placed(work: Work, group: NodeGroup, numbers: Numbers) -> Placed:
    """A station's work on as many nodes as its processes fill."""
    room = int(group.cpus / work.cpus) * group.most if work.cpus else work.at_once
    if not room:
        raise PlanError(
            f"{work.name} asks for {work.cpus:g} logical CPUs; {group.most} nodes of group {group.name} have "
            f"{group.cpus:g} each"
        )
    processes = max(1, min(work.at_once, room))
    nodes = max(1, ceil(processes * work.cpus / group.cpus)) if work.cpus else 1
    running = min(processes, nodes * group.cores)
    busy = work.cpu_seconds * numbers["core"] * lost(group, numbers) / (running * numbers["ray_share"])
    bound = work.limit if processes == work.at_once else f"the {group.most} nodes that group {group.name} may have"
    if running < processes:
        bound = f"the {running} vCPUs of {nodes} {group.instance}"
    if work.least > busy:
        bound = work.least_by
    start = numbers["station_seconds"] if work.cpus else 0.0  # the command's own process is there already
    return Placed(group, nodes, max(busy, work.least) + start, bound)


def paid(name: str, items: tuple[float, str], where: Placed, machines: Machines, numbers: Numbers) -> Station:
    """A station with what it costs: each of its nodes starts once, and idles once before it is given back.

    items: how many, and what they are.
    """
    group, rented = where.group, not machines.one and where.group is not machines.head
    start = numbers["node_minutes"] * 60 if rented else 0.0
    up = where.seconds + start + machines.idle if rented or machines.one else 0.0
    return Station(
        name=name,
        items=items[0],
        unit=items[1],
        group=group.name,
        instance=group.instance,
        nodes=where.nodes,
        hours=(where.seconds + start) / HOUR,
        node_hours=where.nodes * up / HOUR,
        cost=where.nodes * up / HOUR * hourly(group, numbers),
        bound=where.bound,
    )


def whole_time(head: NodeGroup, stations: Sequence[Station], numbers: Numbers) -> Station:
    """The head, up from before the first station to the end of the last."""
    hours = sum(station.hours for station in stations) + numbers["node_minutes"] / 60
    return Station(
        name="head",
        items=1,
        unit="node",
        group=head.name,
        instance=head.instance,
        nodes=1,
        hours=hours,
        node_hours=hours,
        cost=hours * hourly(head, numbers),
        bound="the stations, one after the other",
    )


def hourly(group: NodeGroup, numbers: Numbers) -> float:
    """Dollars an hour of a node with its disk."""
    return group.price * (numbers["spot"] if group.spot else 1.0) + group.disk_price


def lost(group: NodeGroup, numbers: Numbers) -> float:
    """Times the work, for what is lost with nodes that are taken away."""
    return numbers["lost_work"] if group.spot else 1.0
