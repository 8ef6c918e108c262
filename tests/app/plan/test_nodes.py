"""Work on nodes, worked out by hand."""

from dataclasses import replace

import pytest

from app.plan.nodes import Machines, NodeGroup, PlanError, Work, hourly, paid, placed, whole_time

NUMBERS = {
    "core": 1.0, "ray_share": 1.0, "lost_work": 1.0, "station_seconds": 0.0, "node_minutes": 0.0, "spot": 0.5,
}  # fmt: skip
CPU = NodeGroup(
    name="cpu", instance="c6i.4xlarge", cpus=16, cores=16, gpus=0, memory=2**35, most=4, price=0.68, spot=False,
    disk_price=0.0,
)  # fmt: skip
HEAD = replace(CPU, name="head", instance="m6i.xlarge", cpus=0, cores=4, most=0, price=0.2)
MACHINES = Machines(head=HEAD, cpu=CPU, gpu=None, idle=0.0)
WORK = Work("separate", 1000, "figures", cpu_seconds=36_000, at_once=1000, cpus=1, limit="tables.readers, at most 1000")


def test_ten_cpu_hours_on_sixteen_cpus() -> None:
    where = placed(replace(WORK, at_once=16), CPU, NUMBERS)
    assert (where.nodes, where.seconds) == (1, 2250)
    assert where.bound == "tables.readers, at most 1000"
    station = paid("separate", (1000, "figures"), where, MACHINES, NUMBERS)
    assert station.hours == station.node_hours == 0.625
    assert station.cost == pytest.approx(0.625 * 0.68)


def test_more_nodes_cut_hours_and_not_node_hours() -> None:
    found = [placed(WORK, replace(CPU, most=most), NUMBERS) for most in (1, 2, 4)]
    assert [where.nodes for where in found] == [1, 2, 4]
    assert [where.seconds for where in found] == [2250, 1125, 562.5]
    hours = {paid("separate", (1, ""), where, MACHINES, NUMBERS).node_hours for where in found}
    assert hours == {0.625}
    assert found[-1].bound == "the 4 nodes that group cpu may have"


def test_what_is_bound_by_a_rate_is_not_quicker_on_more_nodes() -> None:
    work = replace(WORK, least=100_000.0, least_by="source.bucket_per_second=100")
    found = [placed(work, replace(CPU, most=most), NUMBERS) for most in (1, 4)]
    assert [where.seconds for where in found] == [100_000, 100_000]
    assert {where.bound for where in found} == {"source.bucket_per_second=100"}


def test_processes_of_half_a_cpu_share_the_cores() -> None:
    where = placed(replace(WORK, cpus=0.5, at_once=32), CPU, NUMBERS)
    assert (where.nodes, where.seconds) == (1, 2250)
    assert where.bound == "the 16 vCPUs of 1 c6i.4xlarge"


def test_slower_cores_idle_cores_and_lost_nodes_multiply() -> None:
    spot = replace(CPU, spot=True)
    numbers = NUMBERS | {"core": 1.5, "ray_share": 0.75, "lost_work": 1.2, "station_seconds": 7.0}
    assert placed(replace(WORK, at_once=16), spot, numbers).seconds == pytest.approx(2250 * 1.5 / 0.75 * 1.2 + 7)
    assert hourly(spot, numbers) == pytest.approx(0.34)


def test_a_node_is_paid_for_from_its_order_to_its_end() -> None:
    numbers = NUMBERS | {"node_minutes": 6.0}
    where = placed(replace(WORK, at_once=32), CPU, numbers)
    station = paid("separate", (1, ""), where, replace(MACHINES, idle=360.0), numbers)
    assert station.hours == pytest.approx(1125 / 3600 + 0.1)
    assert station.node_hours == pytest.approx(2 * (1125 / 3600 + 0.1 + 0.1))


def test_the_head_is_paid_for_once_and_not_by_what_runs_on_it() -> None:
    copies = paid("copies", (1, ""), placed(replace(WORK, at_once=1, cpus=0), HEAD, NUMBERS), MACHINES, NUMBERS)
    assert (copies.hours, copies.node_hours, copies.cost) == (10, 0, 0)
    head = whole_time(HEAD, [copies, copies], NUMBERS | {"node_minutes": 30.0})
    assert (head.node_hours, head.cost) == (20.5, pytest.approx(20.5 * 0.2))


def test_a_process_that_fits_no_node_is_said() -> None:
    with pytest.raises(PlanError, match="separate asks for 32 logical CPUs; 4 nodes of group cpu have 16 each"):
        placed(replace(WORK, cpus=32), CPU, NUMBERS)
