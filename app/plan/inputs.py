"""What a plan is made from: measured rates, assumptions, prices, the node types of cluster.yaml, a run's own counts."""

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from math import log
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from app.plan.nodes import Machines, NodeGroup
from app.plan.stations import GIB
from core.cluster import local_cpus
from core.config import UserError
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure
from core.runs import Part, Table
from core.settings import Config
from core.yaml_text import YamlError, read_yaml
from trainers.flops import step_flops

MEASURED = Path("runs/rates.json")  # where `make bench` leaves them
MONTH = 24 * 365 / 12  # hours
End = Literal["value", "cheap", "dear"]
Model = TypeVar("Model", bound=BaseModel)


class PlanInputError(UserError):
    """A file or name that a plan needs is missing or wrong; the message says which, and how to make or mend it."""


class Stated(BaseModel):
    """What a file states; names that are not declared are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Range(Stated):
    """A number between its cheap and its dear end, and where it comes from."""

    value: float
    cheap: float
    dear: float
    source: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not min(self.cheap, self.dear) <= self.value <= max(self.cheap, self.dear):
            raise ValueError(f"{self.value} does not lie between its ends {self.cheap} and {self.dear}")
        return self


class StepRate(Stated):
    """A training step of one model on one CPU thread, for each pair."""

    flops: float = Field(gt=0)
    seconds: float = Field(gt=0)


class Rates(Stated):
    """CPU seconds on one thread of the machine that was measured (`python -m bench.rates`)."""

    machine: str
    date: str
    load: float  # of the machine while they were measured
    figures: str  # which were read
    collect_seconds_per_figure: float
    separate_seconds_per_figure: float
    separate_seconds_per_panel: float
    pair_seconds_per_panel: float
    whole_seconds_per_figure: float
    hash_seconds_per_picture: float
    compare_seconds_per_two_pictures: float  # of those whose hashes are near, told for each two of all
    compare_seconds_per_near_picture: float
    shuffle_seconds_per_picture: float
    prepare_seconds_per_pair: float
    steps: dict[str, StepRate] = Field(min_length=1)  # by recipe
    ray_share: float | None = None  # of what plain processes do (bench.cluster)
    gpu_share: float | None = None  # of its stated rate that a step reached on a GPU (bench.gpu_step)
    gpu: str | None = None  # which


class Instance(Stated):
    """A type of node, as it is rented."""

    price: float  # dollars an hour on demand
    vcpus: int
    memory_gib: float
    gpus: int = 0
    tflops: float = 0.0  # of one GPU, bfloat16, dense


class Prices(Stated):
    """What is paid, in dollars."""

    region: str
    date: Any  # YAML reads a date
    spot: Range
    volume_gib_month: float
    storage_gib_month: float
    put_per_1000: float
    get_per_1000: float
    egress_gib: float
    instances: dict[str, Instance]


def read_rates(file: Path | None) -> tuple[Rates, bool]:
    """The rates of a file, or those that `make bench` left here; without either those that come with figray, False."""
    chosen = file or (MEASURED if MEASURED.exists() else None)
    if chosen:
        return _read(Rates, _text(chosen), str(chosen)), True
    return _read(Rates, files("app.plan").joinpath("rates.yaml").read_bytes(), "app/plan/rates.yaml"), False


def read_prices(file: Path | None) -> Prices:
    """The prices of a file; None: those that come with figray."""
    text = _text(file) if file else files("app.plan").joinpath("prices.yaml").read_bytes()
    return _read(Prices, text, str(file or "app/plan/prices.yaml"))


def assumptions() -> dict[str, Range]:
    """The assumptions that come with figray."""
    stated = read_yaml(files("app.plan").joinpath("assumptions.yaml").read_bytes())
    return {name: Range.model_validate(value) for name, value in stated.items()}


def assumed(ranges: Mapping[str, Range], changes: Sequence[str]) -> dict[str, Range]:
    """The assumptions with some set to one value, "name=value"."""
    found = dict(ranges)
    for change in changes:
        name, equals, value = change.partition("=")
        if name not in found or not equals:
            raise PlanInputError(f"--assume {change}: write NAME=VALUE, with one of {', '.join(found)}")
        try:
            found[name] = fixed(float(value), "--assume")
        except ValueError as error:
            raise PlanInputError(f"--assume {change}: {value!r} is no number") from error
    return found


def fixed(value: float, source: str) -> Range:
    """A number that is what it is."""
    return Range(value=value, cheap=value, dear=value, source=source)


def measured(config: Config, rates: Rates, *, here: bool, pieces: float) -> dict[str, Range]:
    """The rates as numbers of a plan. here: measured on this machine. pieces: of a text, on the mean.

    Of the measured training steps that one counts for a model whose arithmetic is nearest to its own.
    """
    where = f"{rates.machine}, {rates.date}, on {rates.figures}" + ("" if here else "; NOT OF THIS MACHINE")
    cheap, dear = (0.9, 1.25) if here else (0.6, 2.0)
    names = [name for name in Rates.model_fields if "_seconds_per_" in name]
    found = {name: _around(getattr(rates, name), cheap, dear, where) for name in names}
    asked = step_flops(config, pieces)
    name, step = min(rates.steps.items(), key=lambda item: abs(log(item[1].flops / asked)))
    if rates.ray_share:
        found["ray_share"] = _around(rates.ray_share, 1.1, 0.85, f"bench.cluster, {where}")
    if rates.gpu_share:
        found["gpu_share"] = _around(rates.gpu_share, 1.15, 0.7, f"bench.gpu_step on {rates.gpu}; another may differ")
    found["cpu_flops"] = _around(step.flops / step.seconds, 1 / cheap, 1 / dear, f"a step of {name}; {where}")
    return found


def paid_for(prices: Prices) -> dict[str, Range]:
    """The prices that are no node's."""
    source = f"{prices.region}, {prices.date}"
    names = ("storage_gib_month", "put_per_1000", "get_per_1000")
    return {"spot": prices.spot} | {name: fixed(getattr(prices, name), source) for name in names}


def counted(run: Place) -> dict[str, Range]:
    """What a run's own tables say of its articles, as far as it has come; PlanInputError if it has no figures yet."""
    figures = Table(run / "figures", Figure).parts()
    articles = sum(part.counts.get("articles", 0) for part in figures)
    kept = sum(part.rows for part in figures)
    if not articles or not kept:
        raise PlanInputError(f"--like {run}: it has no figures; `figray collect` makes them")
    source = f"{run.name}: {kept:,} figures of {articles:,} articles"
    found = {
        "figures_per_article": fixed(kept / articles, source),
        "figure_bytes": fixed(_bytes(figures) / kept, source),
    }
    separated, pairs = Table(run / "separated", SeparatedFigure).parts(), Table(run / "pairs", Pair).parts()
    if separated:
        panels = sum((Counter(part.counts) for part in separated), Counter())["subfigures"]
        found["panels_per_figure"] = fixed(panels / sum(part.rows for part in separated), source)
    if pairs:
        found["panel_bytes"] = fixed(_bytes(pairs) / max(1, sum(part.rows for part in pairs)), source)
    return found


def numbers_at(ranges: Mapping[str, Range], end: End) -> dict[str, float]:
    """All numbers at one end, or as expected."""
    return {name: getattr(each, end) for name, each in ranges.items()}


def this_machine(config: Config) -> Machines:
    """The machine that this runs on, without its GPUs; it costs nothing."""
    node = NodeGroup(
        name="local", instance="this machine", cpus=local_cpus(config.cluster), cores=os.cpu_count() or 1, gpus=0,
        memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), most=1, price=0.0, spot=False, disk_price=0.0,
    )  # fmt: skip
    return Machines(head=node, cpu=node, gpu=None, idle=0.0, one=True)


def machines_of(file: Path, prices: Prices, *, gpu_group: str | None = None) -> Machines:
    """The nodes of a cluster.yaml, of groups for one work the first by priority.

    gpu_group: the one that trains; None: the first with a GPU, or for several workers that with the most a node.
    """
    described = _described(file)
    types, head = described["available_node_types"], described["head_node_type"]
    most = int(described.get("max_workers", 0))
    by_priority = sorted(types.items(), key=lambda item: -int(item[1].get("priority", 0)))
    groups = {name: _group(name, node, most, prices) for name, node in by_priority}
    workers = [group for name, group in groups.items() if name != head and group.most]
    with_gpu = {group.name: group for group in workers if group.gpus}
    without = [group for group in workers if not group.gpus]
    if gpu_group is not None and gpu_group not in with_gpu:
        raise PlanInputError(f"--gpu-group {gpu_group}: {file} has {', '.join(with_gpu) or 'none'}")
    if not without:
        raise PlanInputError(f"{file}: no group of nodes without a GPU; the pipelines run there")
    chosen = with_gpu[gpu_group] if gpu_group else None
    return Machines(
        head=groups[head], cpu=without[0],
        gpu=chosen or next(iter(with_gpu.values()), None),
        gpus=chosen or max(with_gpu.values(), key=lambda group: group.gpus, default=None),
        idle=60.0 * float(described.get("idle_timeout_minutes", 5)),
    )  # fmt: skip


class NodeType(BaseModel):
    """What a plan reads of a node type; Ray's launcher knows more."""

    node_config: dict[str, Any] = {}
    resources: dict[str, float] = {}
    max_workers: int | None = None
    priority: int = 0


class Described(BaseModel):
    """What a plan reads of a cluster.yaml."""

    available_node_types: dict[str, NodeType] = Field(min_length=1)
    head_node_type: str
    max_workers: int = 0
    idle_timeout_minutes: float = 5


def _described(file: Path) -> dict[str, Any]:
    """A cluster.yaml as it stands; PlanInputError, naming what does not fit."""
    try:
        described = read_yaml(_text(file))
        if not isinstance(described, dict):
            raise YamlError("it holds no settings by name")
        head = Described.model_validate(described).head_node_type
        if head not in described["available_node_types"]:
            raise YamlError(f"head_node_type {head} is none of {', '.join(described['available_node_types'])}")
    except YamlError as error:
        raise PlanInputError(f"{file} is no description of a cluster: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        name, said = ".".join(map(str, first["loc"])), " ".join(first["msg"].split())
        raise PlanInputError(f"{file} is no description of a cluster: {name}: {said}") from error
    return described


def _group(name: str, node: Mapping[str, Any], most: int, prices: Prices) -> NodeGroup:
    config, resources = node.get("node_config", {}), node.get("resources", {})
    kind = config.get("InstanceType") or config.get("machineType")
    if kind not in prices.instances:
        raise PlanInputError(
            f"no price for {kind}, of group {name}: add a line `{kind}: {{price: DOLLARS AN HOUR, vcpus: , memory_gib: "
            f", gpus: , tflops: }}` to app/plan/prices.yaml, or to a copy of it given with --prices"
        )
    instance = prices.instances[kind]
    volumes = [disk.get("Ebs", {}).get("VolumeSize", 0) for disk in config.get("BlockDeviceMappings", [])]
    return NodeGroup(
        name=name, instance=kind, cpus=float(resources.get("CPU", instance.vcpus)), cores=instance.vcpus,
        gpus=int(resources.get("GPU", instance.gpus)), memory=instance.memory_gib * GIB,
        most=min(most, int(node.get("max_workers", most))), price=instance.price,
        spot=config.get("InstanceMarketOptions", {}).get("MarketType") == "spot",
        disk_price=sum(volumes) * prices.volume_gib_month / MONTH, flops=instance.tflops * 1e12,
    )  # fmt: skip


def _around(value: float, cheap: float, dear: float, source: str) -> Range:
    return Range(value=value, cheap=value * cheap, dear=value * dear, source=source)


def _bytes(parts: Iterable[Part]) -> int:
    return sum(file.bytes for part in parts for file in part.files)


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise PlanInputError(f"{file} cannot be read: {error.strerror}") from error


def _read(model: type[Model], text: bytes, source: str) -> Model:
    try:
        return model.model_validate(read_yaml(text))  # JSON is YAML
    except (YamlError, ValidationError) as error:
        raise PlanInputError(f"{source} is not what a plan reads: {error}") from error
