"""What a plan reads: its own files, cluster.yaml, a run's tables; and what is said where something is missing."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from app.plan.inputs import (
    PlanInputError,
    Rates,
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
from core.config import load
from core.places import Place
from core.records import Figure, SeparatedFigure, to_table
from core.runs import Table
from core.settings import Config

ROOT = Path(__file__).resolve().parents[3]


def described(tmp_path: Path, **groups: Mapping[str, object]) -> Path:
    file = tmp_path / "cluster.yaml"
    head = {"resources": {"CPU": 0}, "max_workers": 0, "node_config": {"InstanceType": "m6i.xlarge"}}
    types = {"head": head, **groups}
    file.write_text(
        yaml.safe_dump(
            {"max_workers": 5, "head_node_type": "head", "available_node_types": types, "idle_timeout_minutes": 7}
        )
    )
    return file


CPU = {"resources": {"CPU": 16}, "max_workers": 16, "node_config": {
    "InstanceType": "c6i.4xlarge", "InstanceMarketOptions": {"MarketType": "spot"},
    "BlockDeviceMappings": [{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 100}}],
}}  # fmt: skip
GPU = {"resources": {"CPU": 8, "GPU": 1}, "node_config": {"InstanceType": "g6e.2xlarge"}}


def test_the_groups_of_a_cluster(tmp_path: Path) -> None:
    found = machines_of(described(tmp_path, cpu=CPU, gpu=GPU), read_prices(None))
    assert (found.head.instance, found.head.cpus, found.head.cores) == ("m6i.xlarge", 0, 4)
    assert (found.cpu.most, found.cpu.spot, found.cpu.price) == (5, True, 0.68)  # no more than the cluster may have
    assert found.cpu.disk_price == pytest.approx(100 * 0.08 / 730)
    assert found.gpu is not None
    assert (found.gpu.gpus, found.gpu.flops, found.gpu.spot) == (1, 362e12, False)
    assert (found.idle, found.one) == (420.0, False)


def test_the_shipped_cluster_has_a_price_for_every_node() -> None:
    found = machines_of(ROOT / "cluster.yaml", read_prices(None))
    assert found.cpu.name == "cpu"
    assert found.gpu is not None
    assert found.gpu.flops > 0


def test_another_group_can_be_chosen_to_train(tmp_path: Path) -> None:
    file = described(tmp_path, cpu=CPU, gpu=GPU, large=GPU)
    found = machines_of(file, read_prices(None), gpu_group="large")
    assert found.gpu is not None
    assert found.gpu.name == "large"
    with pytest.raises(PlanInputError, match=r"--gpu-group huge: .* has gpu, large"):
        machines_of(file, read_prices(None), gpu_group="huge")


def test_an_instance_without_a_price_says_where_to_add_it(tmp_path: Path) -> None:
    unknown = {"node_config": {"InstanceType": "x9.huge"}}
    with pytest.raises(
        PlanInputError, match=r"no price for x9\.huge, of group cpu: add a line `x9\.huge: \{price: .*prices\.yaml"
    ):
        machines_of(described(tmp_path, cpu=unknown), read_prices(None))
    mine = yaml.safe_load((ROOT / "app" / "plan" / "prices.yaml").read_text())
    mine["instances"]["x9.huge"] = {"price": 9.0, "vcpus": 99, "memory_gib": 999}
    (tmp_path / "prices.yaml").write_text(yaml.safe_dump(mine))
    found = machines_of(described(tmp_path, cpu=unknown), read_prices(tmp_path / "prices.yaml"))
    assert (found.cpu.price, found.cpu.cpus) == (9.0, 99)


def test_a_file_that_describes_no_cluster_is_named(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("- a\n- list\n")
    with pytest.raises(PlanInputError, match=r"other\.yaml is no description of a cluster"):
        machines_of(tmp_path / "other.yaml", read_prices(None))
    with pytest.raises(PlanInputError, match="cannot be read: No such file"):
        machines_of(tmp_path / "nowhere.yaml", read_prices(None))
    with pytest.raises(PlanInputError, match="no group of nodes without a GPU"):
        machines_of(described(tmp_path, gpu=GPU), read_prices(None))


def test_this_machine_has_its_cores_and_costs_nothing() -> None:
    found = this_machine(Config())
    assert found.one
    assert found.cpu.cores >= 1
    assert found.cpu.cpus >= 4
    assert found.cpu.price == found.head.disk_price == 0.0
    assert found.gpu is None


def test_rates_that_were_measured_come_first_and_others_are_marked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rates, here = read_rates(None)
    assert not here
    assert "NOT OF THIS MACHINE" in measured(Config(), rates, here=here, pieces=45)["cpu_flops"].source
    mine = rates.model_copy(update={"machine": "mine"})
    Place.at("runs/rates.json").write_json(mine.model_dump())
    assert read_rates(None) == (mine, True)
    assert "mine, " in measured(Config(), mine, here=True, pieces=45)["cpu_flops"].source
    (tmp_path / "half.json").write_text('{"machine": "half"}')
    with pytest.raises(PlanInputError, match=r"half\.json is not what a plan reads"):
        read_rates(tmp_path / "half.json")


def test_a_model_is_stepped_as_fast_as_the_measured_one_that_is_most_like_it() -> None:
    rates, _ = read_rates(None)
    steps = {"small": {"flops": 1e9, "seconds": 0.1}, "large": {"flops": 1e12, "seconds": 10.0}}
    rates = Rates.model_validate({**rates.model_dump(), "steps": steps})
    assert measured(load("demo"), rates, here=True, pieces=45)["cpu_flops"].value == 1e10
    assert measured(load("blip-brain"), rates, here=True, pieces=45)["cpu_flops"].value == 1e11


def test_ranges_have_their_ends_on_their_sides() -> None:
    rates, _ = read_rates(None)
    ranges = assumptions() | paid_for(read_prices(None)) | measured(Config(), rates, here=True, pieces=45)
    for name, each in ranges.items():
        assert each.source, name
    assert numbers_at(ranges, "cheap")["cpu_flops"] > numbers_at(ranges, "dear")["cpu_flops"]
    assert numbers_at(ranges, "cheap")["spot"] < numbers_at(ranges, "dear")["spot"]


def test_an_assumption_can_be_changed_by_its_name() -> None:
    changed = assumed(assumptions(), ["core=1.3"])["core"]
    assert (changed.value, changed.cheap, changed.dear) == (1.3, 1.3, 1.3)
    for wrong, said in (("cores=1", "with one of figures_per_article"), ("core=fast", "'fast' is no number")):
        with pytest.raises(PlanInputError, match=said):
            assumed(assumptions(), [wrong])


def told_of(manifest: Path, **changes: int) -> None:
    """Let the manifest of an empty part tell of rows."""
    told = json.loads(manifest.read_text())
    told["files"][0] |= changes
    manifest.write_text(json.dumps(told))


def test_a_runs_own_counts(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    with pytest.raises(PlanInputError, match="has no figures; `figray collect` makes them"):
        counted(run)
    figures, separated = Table(run / "figures", Figure), Table(run / "separated", SeparatedFigure)
    for number, articles in enumerate((4, 6)):
        figures.commit(number, tables={"": to_table([], Figure)}, rejects=[], inputs="", counts={"articles": articles})
        told_of(tmp_path / "figures" / f"part-{number:05d}.json", rows=10, bytes=1000)
    found = counted(run)
    assert found["figures_per_article"].value == 2.0
    assert found["figure_bytes"].value == 100.0
    assert "panels_per_figure" not in found
    separated.commit(0, tables={"": to_table([], SeparatedFigure)}, rejects=[], inputs="", counts={"subfigures": 30})
    told_of(tmp_path / "separated" / "part-00000.json", rows=12)
    assert counted(run)["panels_per_figure"].value == 2.5


def test_what_was_measured_of_ray_and_of_a_gpu_replaces_the_estimate() -> None:
    rates, _ = read_rates(None)
    found = measured(Config(), rates.model_copy(update={"ray_share": 0.95, "gpu_share": 0.4, "gpu": "NVIDIA L40S"}),
                     here=True, pieces=45)  # fmt: skip
    assert found["ray_share"].value == 0.95
    assert found["gpu_share"].value == 0.4
    assert found["gpu_share"].source == "bench.gpu_step on NVIDIA L40S; another may differ"
