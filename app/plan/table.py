"""A plan as a table of at most 100 columns, and what it assumes in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap

from app.plan.inputs import Range
from app.plan.stations import Plan

HEAD = ("station", "items", "nodes", "hours", "node-hours", "dollars")
WIDTHS = (9, 17, 15, 18, 18, 18)
WIDTH = sum(WIDTHS) + len(WIDTHS) - 1
TOTALS = ("hours", "node_hours", "cost")


@dataclass(frozen=True)
class Estimate:
    """One job planned three times: as expected, with every number at its cheap end, and at its dear end."""

    expected: Plan
    cheap: Plan
    dear: Plan

    @property
    def plans(self) -> tuple[Plan, Plan, Plan]:
        """In this order."""
        return self.expected, self.cheap, self.dear


def lines(estimate: Estimate, ranges: Mapping[str, Range]) -> Iterator[str]:
    """The table, what bounds each station, what is kept, what to think about, and what is assumed."""
    yield from _table(estimate)
    yield from ("", "What bounds each:")
    for station in estimate.expected.stations:
        yield f"  {station.name}: {station.bound}"
    kept, monthly = _of(estimate.plans, "gib"), _of(estimate.plans, "storage_cost")
    yield from ("", f"Kept: {kept} GiB, for {monthly} dollars a month")
    for note in estimate.expected.notes:
        yield from wrap(f"Note: {note}", WIDTH, subsequent_indent="  ")
    yield from ("", "Assumed, with the cheap and the dear end; the range above is all of them at one end:")
    for source, names in _by_source(ranges).items():
        told = ", ".join(f"{name} {_assumed(ranges[name])}" for name in names)
        yield from wrap(f"{told}: {source}", WIDTH, initial_indent="  ", subsequent_indent="    ")


def short(estimate: Estimate) -> str:
    """The totals in a line."""
    hours, node_hours, cost = (_of(estimate.plans, name) for name in TOTALS)
    return f"{hours} hours, {node_hours} node-hours, {cost} dollars"


def _table(estimate: Estimate) -> Iterator[str]:
    yield _row(HEAD)
    for stations in zip(*(plan.stations for plan in estimate.plans), strict=True):
        first = stations[0]
        items, nodes = f"{_items(first.items)} {first.unit}", f"{first.nodes} {first.instance}"
        yield _row((first.name, items, nodes, *(_of(stations, name) for name in TOTALS)))
    yield _row(("total", "", "", *(_of(estimate.plans, name) for name in TOTALS)))


def _by_source(ranges: Mapping[str, Range]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, each in ranges.items():
        found.setdefault(each.source, []).append(name)
    return found


def _assumed(number: Range) -> str:
    if number.cheap == number.dear:
        return _number(number.value)
    return f"{_number(number.value)} ({_number(number.cheap)} to {_number(number.dear)})"


def _row(cells: tuple[str, ...]) -> str:
    """Words to the left, numbers to the right."""
    aligned = (
        cell.ljust(width) if place < 3 else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(cells, WIDTHS, strict=True))
    )
    return " ".join(aligned).rstrip()


def _of(three: tuple[object, ...], name: str) -> str:
    """A number as expected, with its ends."""
    value, cheap, dear = (float(getattr(each, name)) for each in three)
    return f"{_number(value)} ({_number(cheap)}-{_number(dear)})" if value or dear else "-"


def _items(count: float) -> str:
    return f"{count / 1e6:.3g} M" if count >= 1e6 else f"{count:,.0f}"


def _number(value: float) -> str:
    """Two digits that count, whole numbers up to ten thousand."""
    for size, name in ((1e12, "e12"), (1e9, "e9"), (1e6, " M"), (1e4, " k")):
        if value >= size:
            return f"{value / (1e3 if name == ' k' else size):.3g}{name}"
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value >= 1e-3 or not value else f"{value:.1e}"
