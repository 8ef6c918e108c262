"""`figray plan`: from what is asked on the command line to the table and its JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.own_files import writable
from app.plan.inputs import (
    MEASURED,
    Range,
    assumed,
    assumptions,
    counted,
    machines_of,
    measured,
    numbers_at,
    paid_for,
    read_prices,
    read_rates,
    this_machine,
)
from app.plan.nodes import Machines
from app.plan.stations import Plan, plan
from app.plan.table import Estimate, lines, short
from core.config import load, override
from core.places import Place
from core.settings import Config


@dataclass(frozen=True)
class Asked:
    """The options of the command."""

    articles: int
    cluster: Path | None = None
    recipe: str | None = None
    like: str | None = None
    schemes: tuple[str, ...] = ()  # of the models that are trained; none: the recipe's
    gpu_group: str | None = None
    rates: Path | None = None
    prices: Path | None = None
    assume: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Planned:
    """The estimate, what it was made from, and both in words."""

    estimate: Estimate
    ranges: Mapping[str, Range]
    lines: tuple[str, ...]


def planned(asked: Asked) -> Planned:
    """Plan what is asked; raises a UserError on what is missing, does not fit or has no price."""
    config = load(asked.recipe, asked.settings)
    prices = read_prices(asked.prices)
    machines = machines_of(asked.cluster, prices, gpu_group=asked.gpu_group) if asked.cluster else this_machine(config)
    rates, here = read_rates(asked.rates)
    ranges = assumptions() | (counted(Place.at(asked.like)) if asked.like else {})
    pieces = assumed(ranges, [each for each in asked.assume if each.startswith("text_pieces=")])["text_pieces"].value
    ranges |= paid_for(prices) | measured(config, rates, here=here, pieces=pieces)
    ranges = assumed(ranges, asked.assume)  # of all numbers: a measured rate too can be set
    schemes = asked.schemes or (config.train.scheme,)
    estimate = estimated(config, asked.articles, machines, ranges, schemes)
    said = [*_missing(here), *lines(estimate, ranges), *_wider(config, asked.articles, machines, ranges, schemes)]
    return Planned(estimate, ranges, tuple(said))


def estimated(
    config: Config, articles: int, machines: Machines, ranges: Mapping[str, Range], schemes: tuple[str, ...]
) -> Estimate:
    """The plan as expected, at the cheap end of all numbers, and at the dear end."""
    expected, cheap, dear = (
        plan(config, articles, machines, numbers_at(ranges, end), schemes=schemes) for end in ("value", "cheap", "dear")
    )
    return Estimate(expected, cheap, dear)


def write(found: Planned, out: Path) -> None:
    """The estimate and what it assumes, as JSON."""
    ends = {name: _as_json(each) for name, each in vars(found.estimate).items()}
    Place.at(writable(out)).write_json(
        {**ends, "assumed": {name: each.model_dump() for name, each in found.ranges.items()}}
    )


def _as_json(one: Plan) -> dict[str, Any]:
    totals = {"hours": one.hours, "node_hours": one.node_hours, "cost": one.cost}
    return {**asdict(one), "total": totals}


def _missing(here: bool) -> Iterator[str]:
    if not here:
        yield f"No rates of this machine: `make bench` leaves them in {MEASURED}. These are another machine's."
        yield ""


def _wider(
    config: Config, articles: int, machines: Machines, ranges: Mapping[str, Range], schemes: tuple[str, ...]
) -> Iterator[str]:
    """What more readers, and a training on more GPUs, would change: as many as the groups may have."""
    changes = dict[str, Any]()
    most = machines.cpu.cores * machines.cpu.most
    if not machines.one and config.tables.readers[1] < most:
        changes |= {"tables.readers": (1, most), "tables.reader_cpus": 1.0}
    gpus = machines.gpus.gpus * machines.gpus.most if machines.gpus else 1
    if config.train.gpu and config.train.most_workers < gpus <= config.train.batch_size:
        changes |= {"train.workers": gpus}
    if changes:
        wide = estimated(override(config, changes), articles, machines, ranges, schemes)
        yield ""
        yield f"With {' '.join(f'--set {name}={_told(value)}' for name, value in changes.items())}: {short(wide)}"


def _told(value: Any) -> str:
    return f"[{value[0]},{value[1]}]" if isinstance(value, tuple) else f"{value:g}"
