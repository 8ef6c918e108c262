"""cluster.yaml by Ray's own checks, and by what the stations ask for."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
import typer
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from app.cli import cli
from core.cluster import IDLE, IDLE_MS, nodes
from core.config import load, names
from tests.groups import JOBS, started, stations

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "cluster.yaml"


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@pytest.fixture
def on_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray says that it is the cluster of cluster.yaml, of which the head alone is there."""
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"figray": 1.0, "memory": 1e10})


@pytest.mark.parametrize(("station", "settings", "expected"), JOBS)
def test_ray_starts_nodes_of_exactly_one_group_for_each_station(
    cluster: dict[str, Any], on_the_cluster: None, station: str, settings: list[str], expected: dict[str, int]
) -> None:
    bundles = stations(load("blip-brain", settings))[station]
    assert started(cluster["available_node_types"], "head", bundles) == expected


def test_what_pipelines_ask_for_fits_no_other_group_however_much_is_free(
    cluster: dict[str, Any], on_the_cluster: None
) -> None:
    for station, bundles in stations(load("blip-brain")).items():
        fits = {
            name
            for name, kind in cluster["available_node_types"].items()
            if all(kind["resources"].get(what, 0) >= amount for what, amount in bundles[0].items())
        }
        kinds = {name.partition("-")[0] for name in fits}
        assert kinds == ({"gpu", "gpus"} if station == "train" else {"cpu"})


@pytest.mark.parametrize(
    ("station", "missing", "expected"),
    [
        ("pairs", ["cpu"], {"cpu-other": 2}),
        ("pairs", ["cpu", "cpu-other"], {"cpu-ondemand": 2}),
        ("train", ["gpu"], {"gpu-other": 1}),
        ("train", ["gpu", "gpu-other"], {"gpu-ondemand": 1}),
        ("several", ["gpus"], {"gpus-ondemand": 1}),
    ],
)
def test_where_the_cloud_has_no_such_node_the_next_group_is_taken(
    cluster: dict[str, Any], on_the_cluster: None, station: str, missing: list[str], expected: dict[str, int]
) -> None:
    settings = ["tables.readers=[1, 128]", "train.workers=4"] if station == "several" else ["tables.readers=[1, 128]"]
    bundles = stations(load("blip-brain", settings))["train" if station == "several" else station]
    assert started(cluster["available_node_types"], "head", bundles, missing=missing) == expected


def test_what_takes_a_groups_place_is_like_it_and_comes_after_it(cluster: dict[str, Any]) -> None:
    kinds = cluster["available_node_types"]
    for name, kind in kinds.items():
        first, _, other = name.partition("-")
        if other:
            assert kind["resources"] == kinds[first]["resources"] and kind["priority"] < kinds[first]["priority"]
            assert ("InstanceMarketOptions" in kind["node_config"]) == (other != "ondemand")
            assert kind["node_config"]["ImageId"] == kinds[first]["node_config"]["ImageId"]


def test_elsewhere_nothing_of_a_group_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0, "pipelines": 1.0})
    assert nodes("pipelines") == {}
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert nodes("trainers") == {}


def test_ray_accepts_it(cluster: dict[str, Any]) -> None:
    validate_config(prepare_config(cluster))


def uncommented(text: str, first: str) -> dict[str, Any]:
    """The file with the commented block that begins with a line taken in."""
    block = text[text.index(f"# {first}") :].partition("\n\n")[0]
    return dict(yaml.safe_load(text.replace(block, re.sub(r"^# ", "", block, flags=re.MULTILINE))))


def test_nodes_from_a_container_are_a_way_that_ray_accepts() -> None:
    from ray.autoscaler._private.docker import validate_docker_config

    contained = uncommented(FILE.read_text(encoding="utf-8"), "initialization_commands:")
    prepared = prepare_config(contained)
    validate_config(prepared)
    validate_docker_config(prepared)
    assert prepared["docker"]["container_name"] == "figray" and prepared["initialization_commands"]


def test_image_and_machine_image_hold_what_a_node_would_install(cluster: dict[str, Any]) -> None:
    import hcl2

    dockerfile = (ROOT / "images" / "Dockerfile").read_text(encoding="utf-8")
    packer = hcl2.loads((ROOT / "images" / "figray.pkr.hcl").read_text(encoding="utf-8"))
    told = json.dumps(packer)
    code = {here for there, here in cluster["file_mounts"].items() if "auth_token" not in there}
    copied = {word for line in re.findall(r"^COPY --chown=ubuntu (.+)$", dockerfile, re.MULTILINE)
              for word in line.split()[:-1]}  # fmt: skip
    assert copied == code and all(f'\\"{name}\\"' in told for name in code)
    installed = re.search(r"install\s+(make .+?) &&", " ".join(cluster["setup_commands"]))
    assert installed and installed[1] in told and all(word in dockerfile for word in installed[1].split())
    make = "make setup PYTHON=python3.12 LOCK=requirements.lock"
    assert all(make in text for text in (dockerfile, told, " ".join(cluster["setup_commands"])))
    assert all("/usr/share/figray-ready" in text for text in (dockerfile, told))
    assert re.search(r"^FROM \S+@sha256:[0-9a-f]{64}$", dockerfile, re.MULTILINE)
    for kind in cluster["available_node_types"].values():
        assert kind["node_config"]["ImageId"].removeprefix("resolve:ssm:") in told


def test_cloudformations_own_linter_finds_nothing() -> None:
    linter = Path(sys.executable).with_name("cfn-lint")
    assert subprocess.run([linter, ROOT / "aws" / "account.yaml"], capture_output=True, check=False).returncode == 0


def test_grafana_asks_for_numbers_that_ray_gives() -> None:
    dashboard = json.loads((ROOT / "metrics" / "grafana.json").read_text(encoding="utf-8"))
    exprs = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    asked = set(re.findall(r"ray_([a-z_]+[a-z])", exprs)) - {"train_run_name"}
    package = Path(ray.__file__).parent
    sources = [
        *(package / "dashboard").rglob("*.py"),
        *(package / "data").rglob("*.py"),
        *(package / "train").rglob("*.py"),
    ]
    text = "\n".join(file.read_text(encoding="utf-8") for file in sources)
    assert asked and [name for name in asked if name not in text and name.removeprefix("data_") not in text] == []
    scraped = yaml.safe_load((ROOT / "metrics" / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    assert scraped[0]["file_sd_configs"][0]["files"] == ["/tmp/ray/prom_metrics_service_discovery.json"]


def _misspelt(cluster: dict[str, Any]) -> str:
    cluster["available_node_types"]["cpu"]["max_wrkers"] = 3
    return "max_wrkers"


def _unknown(cluster: dict[str, Any]) -> str:
    cluster["setup_command"] = []
    return "setup_command"


def _no_head(cluster: dict[str, Any]) -> str:
    cluster["head_node_type"] = "haed"
    return "head_node_type"


def _in_words(cluster: dict[str, Any]) -> str:
    cluster["available_node_types"]["gpu"]["resources"]["GPU"] = "one"
    return "one"


def _bare(cluster: dict[str, Any]) -> str:
    del cluster["available_node_types"]["gpus"]["resources"]
    return "resources"


def _too_many(cluster: dict[str, Any]) -> str:
    cluster["available_node_types"]["cpu"]["min_workers"] = cluster["max_workers"] + 1
    return "max_workers"


@pytest.mark.parametrize("mistake", [_misspelt, _unknown, _no_head, _in_words, _bare, _too_many])
def test_ray_would_have_found_a_mistake(cluster: dict[str, Any], mistake: Callable[[dict[str, Any]], str]) -> None:
    named = mistake(cluster)
    with pytest.raises(Exception, match=named):
        validate_config(prepare_config(cluster))


def test_no_work_and_no_spot_price_reach_the_head(cluster: dict[str, Any]) -> None:
    head = cluster["available_node_types"][cluster["head_node_type"]]
    assert head["resources"] == {"CPU": 0, "figray": 1}
    assert "InstanceMarketOptions" not in head["node_config"]
    workers = {name: kind for name, kind in cluster["available_node_types"].items() if name != "head"}
    first = {name: kind for name, kind in workers.items() if "-" not in name}
    assert all(kind["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"} for kind in first.values())
    assert all(kind["min_workers"] == 0 for kind in workers.values())
    assert cluster["max_workers"] == sum(kind["max_workers"] for kind in first.values())


def test_ray_starts_with_a_token_and_shows_itself_on_loopback_alone(cluster: dict[str, Any]) -> None:
    prepared = prepare_config(cluster)
    for kind in ("head", "worker"):
        (start,) = (line for line in prepared[f"{kind}_start_ray_commands"] if "ray start" in line)
        assert "RAY_AUTH_MODE=token" in start and "ulimit -n 65536" in start
        assert f" {IDLE}={IDLE_MS};" in start  # as a local Ray has it
        assert start.count("--dashboard-host=127.0.0.1") == (kind == "head")
    everything = json.dumps(prepared)
    assert "0.0.0.0" not in everything and "pip install" not in everything  # of Ray's defaults
    assert "/home/ubuntu/.ray/auth_token" in prepared["file_mounts"]


def test_what_travels_is_there_and_is_all_that_setup_and_jobs_read(cluster: dict[str, Any]) -> None:
    mounts = {Path(there).name: here for there, here in cluster["file_mounts"].items()}
    token = mounts.pop("auth_token")
    assert token.startswith("~/")  # not of the tree
    assert all((ROOT / here).exists() and name == here for name, here in mounts.items())
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"requirements.lock", "pyproject.toml", "LICENSE", "README.md"} <= mounts.keys()
    assert {"core", "phantom", "app", "pipelines", "trainers", "tuning"} <= mounts.keys()
    assert "LOCK=requirements.lock" in " ".join(cluster["setup_commands"])  # no test tools, no demo
    assert "--compile-bytecode" in makefile and "--require-hashes" in makefile


@pytest.mark.parametrize("file", ["cluster.yaml", "aws/account.yaml", "kuberay/rayjob.yaml"])
def test_no_key_stands_in_it(file: str) -> None:
    assert not re.search(
        r"AKIA|ASIA[A-Z0-9]{16}|PRIVATE KEY|secret_?(access)?_?key", (ROOT / file).read_text(), re.IGNORECASE
    )


class Template(yaml.SafeLoader):
    """CloudFormation's YAML; what its tags stand for is left open, and their words are kept."""


Template.add_multi_constructor("!", lambda loader, tag, node: str(node.value))


@pytest.fixture
def account() -> dict[str, Any]:
    text = (ROOT / "aws" / "account.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Template)["Resources"]  # noqa: S506


def test_the_head_starts_what_is_its_own_alone_and_gives_no_other_machine_its_name(
    cluster: dict[str, Any], account: dict[str, Any]
) -> None:
    (policy,) = account["HeadRole"]["Properties"]["Policies"]
    statements = policy["PolicyDocument"]["Statement"]

    def allowing(action: str) -> list[dict[str, Any]]:
        return [each for each in statements if action in np.atleast_1d(each["Action"])]

    started = [each for each in allowing("ec2:RunInstances") if "instance/*" in str(each["Resource"])]
    assert [each["Condition"]["StringEquals"]["aws:RequestTag/ray-cluster-name"] for each in started] == ["figray"]
    assert all(
        "Condition" in each for action in ("CreateTags", "TerminateInstances") for each in allowing(f"ec2:{action}")
    )
    conditions = [each["Condition"]["StringEquals"] for each in allowing("ec2:CreateTags")]
    assert conditions == [{"ec2:CreateAction": "RunInstances"}, {"ec2:ResourceTag/ray-cluster-name": "figray"}]
    assert not any(each["Action"] == "*" or "ec2:*" in np.atleast_1d(each["Action"]) for each in statements)
    assert cluster["cluster_name"] == "figray"


def test_the_head_may_start_every_type_of_cluster_yaml(cluster: dict[str, Any]) -> None:
    text = (ROOT / "aws" / "account.yaml").read_text(encoding="utf-8")
    allowed = yaml.load(text, Template)["Parameters"]["InstanceTypes"]["Default"].split(", ")  # noqa: S506
    kinds = {name: kind["node_config"]["InstanceType"] for name, kind in cluster["available_node_types"].items()}
    assert set(allowed) == {kind for name, kind in kinds.items() if name != "head"}


def test_the_bucket_is_closed_outlives_the_stack_and_keeps_what_was_written_over(account: dict[str, Any]) -> None:
    bucket = account["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    closed = bucket["Properties"]["PublicAccessBlockConfiguration"]
    assert len(closed) == 4 and all(closed.values())
    assert bucket["Properties"]["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert rules["half-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert rules["old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert (rules["scratch"]["Prefix"], rules["scratch"]["ExpirationInDays"]) == ("scratch/", 30)
    (refused,) = account["TlsAlone"]["Properties"]["PolicyDocument"]["Statement"]
    assert refused["Effect"] == "Deny" and refused["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_the_newcomers_page_names_commands_and_settings_that_exist() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    given = re.findall(r"(?:bin/figray|submit --|`figray) ([a-z][a-z-]*)", page)
    assert given and set(given) <= commands.keys()
    settings = re.findall(r"--set \"?([a-z_.]+)=|`((?:source|tables|train|cluster)\.[a-z_]+)", page)
    assert settings and {either or other for either, other in settings} <= {*names(), "cluster.yaml"}
    for group in ("head", "cpu", "gpu", "gpus"):
        assert f"**{group}**" in page
