"""A whole job's stations, and that they grow and shrink as they should."""

from dataclasses import replace

import pytest

from app.plan.inputs import assumptions, measured, numbers_at, paid_for, read_prices, read_rates
from app.plan.nodes import Machines, NodeGroup
from app.plan.stations import Plan, corpus_of, plan
from core.config import load, override
from core.settings import Config

CPU = NodeGroup(
    name="cpu", instance="c6i.4xlarge", cpus=16, cores=16, gpus=0, memory=2**35, most=16, price=0.68, spot=True,
    disk_price=0.01,
)  # fmt: skip
HEAD = replace(CPU, name="head", instance="m6i.xlarge", cpus=0, cores=4, spot=False, price=0.192)
GPU = replace(CPU, name="gpu", instance="g6e.2xlarge", cpus=8, cores=8, gpus=1, most=8, price=2.24, flops=362e12)
MACHINES = Machines(head=HEAD, cpu=CPU, gpu=GPU, idle=300.0)
WIDE = {"tables.readers": (1, 256), "tables.reader_cpus": 1.0}
CONFIG = override(load("blip-brain"), WIDE)
RATES, _ = read_rates(None)
RANGES = assumptions() | paid_for(read_prices(None)) | measured(CONFIG, RATES, here=True, pieces=45)
NUMBERS = numbers_at(RANGES, "value")
AT_ONCE = NUMBERS | {"station_seconds": 0.0, "training_seconds": 0.0, "node_minutes": 0.0}


def planned(articles: int, *, config: Config = CONFIG, machines: Machines = MACHINES) -> Plan:
    return plan(config, articles, replace(machines, idle=0.0), AT_ONCE, schemes=("processed",))


def node_hours(made: Plan, *names: str) -> list[float]:
    return [station.node_hours for station in made.stations if station.name in names]


def test_a_corpus_by_hand() -> None:
    corpus = corpus_of(Config(), 1000, {"figures_per_article": 2, "panels_per_figure": 3, "figure_bytes": 2**20,
                                        "panel_bytes": 2**19})  # fmt: skip
    assert (corpus.figures, corpus.panels, corpus.pictures) == (2000, 6000, 8000)
    assert corpus.requests == 3 * 1000 + 2000
    assert corpus.gib == pytest.approx((3 * 2000 + 6000 / 2) / 1024)
    assert corpus.pairs("processed") == 6000
    assert corpus.pairs("raw") == 2000


def test_the_stations_stand_in_their_order() -> None:
    made = planned(100_000)
    assert [station.name for station in made.stations] == [
        "collect", "separate", "copies", "pairs", "train", "evaluate", "head",
    ]  # fmt: skip
    assert made.hours == pytest.approx(sum(station.hours for station in made.stations[:-1]))
    assert made.cost == pytest.approx(sum(station.cost for station in made.stations) + made.requests_cost)


def test_twice_the_articles_take_twice_the_node_hours() -> None:
    names = ("collect", "separate", "pairs", "train")
    one, two = node_hours(planned(100_000), *names), node_hours(planned(200_000), *names)
    assert two == pytest.approx([2 * each for each in one], rel=1e-3)


def test_and_copies_too_where_each_picture_meets_as_many_as_it_may() -> None:
    one, two = (planned(articles).stations[2] for articles in (4_000_000, 8_000_000))
    assert two.node_hours / one.node_hours == pytest.approx(2, rel=0.02)
    assert one.group == "cpu" and one.nodes == 16
    assert "one process" not in {station.bound for station in planned(500_000).stations if station.name == "copies"}


def test_few_pictures_are_compared_by_the_command_itself() -> None:
    copies = planned(1_000).stations[2]
    assert (copies.group, copies.bound) == ("head", "one process, up to tables.copies_exact_below")


def test_more_nodes_shorten_what_nodes_bind_and_nothing_else() -> None:
    few, many = (planned(500_000, machines=replace(MACHINES, cpu=replace(CPU, most=most))) for most in (4, 16))
    by_name = {station.name: (station.hours, other.hours) for station, other in zip(few.stations, many.stations)}
    assert by_name["separate"][0] == pytest.approx(4 * by_name["separate"][1])
    assert by_name["collect"][0] == by_name["collect"][1]
    assert node_hours(few, "separate") == pytest.approx(node_hours(many, "separate"))


def test_the_rate_that_pmc_allows_bounds_collecting() -> None:
    slow = override(CONFIG, {"source.bucket_per_second": 10})
    station = planned(100_000, config=slow).stations[0]
    assert station.bound == "source.bucket_per_second=10"
    assert station.hours == pytest.approx((3 * 100_000 + 170_000) / 10 / 3600)
    few = override(CONFIG, {"source.connections": 2})
    assert planned(100_000, config=few).stations[0].bound == "source.connections=2"


def test_what_does_not_fit_in_memory_is_noted() -> None:
    assert planned(1_000).notes == ()
    whole_pool = override(CONFIG, {"evaluate.pool": None})
    notes = planned(100_000_000, config=whole_pool).notes
    assert notes[0].startswith("evaluate holds some ")
    assert notes[0].endswith("GiB in the command's own process; m6i.xlarge has 32 GiB")
    one_part = override(CONFIG, {"tables.parts": 2})
    assert planned(100_000, config=one_part).notes[-1].endswith("all of it in a task's memory; raise tables.parts")


def test_the_cheap_end_is_cheaper_and_the_dear_end_dearer() -> None:
    cheap, expected, dear = (
        plan(CONFIG, 100_000, MACHINES, numbers_at(RANGES, end), schemes=("processed",)).cost
        for end in ("cheap", "value", "dear")
    )
    assert cheap < expected < dear


def test_one_machine_costs_nothing_and_has_no_head() -> None:
    node = replace(CPU, name="local", instance="this machine", cpus=4, cores=2, most=1, price=0.0, spot=False,
                   disk_price=0.0)  # fmt: skip
    machines = Machines(head=node, cpu=node, gpu=None, idle=0.0, one=True)
    made = plan(load("demo"), 240, machines, NUMBERS, schemes=("raw", "processed"))
    assert made.stations[-1].name == "evaluate"
    assert {station.cost for station in made.stations} == {0.0}
    assert made.node_hours == pytest.approx(made.hours)


def test_it_foretells_the_demo_of_docs_results() -> None:
    """240 drawn articles on the two cores where rates.yaml was measured: 212 found, 639 figures, 1,529 panels."""
    node = replace(CPU, name="local", instance="this machine", cpus=4, cores=2, most=1, price=0.0, spot=False,
                   disk_price=0.0)  # fmt: skip
    machines = Machines(head=node, cpu=node, gpu=None, idle=0.0, one=True)
    config = load("demo")
    counts = {"figures_per_article": 639 / 212, "panels_per_figure": 1529 / 639, "request_seconds": 0.01, "alike": 1.0}
    numbers = numbers_at(RANGES | measured(config, RATES, here=True, pieces=45), "value") | counts
    made = plan(config, 212, machines, numbers, schemes=("raw", "processed"))
    seconds = {station.name: 3600 * station.hours for station in made.stations}
    took = {"collect": 11, "separate": 42, "pair": 17, "train": 259}
    foretold = {**seconds, "pair": seconds["copies"] + seconds["pairs"]}
    for name, measured_seconds in took.items():
        assert 1 / 1.5 < foretold[name] / measured_seconds < 1.5, (name, foretold[name])
