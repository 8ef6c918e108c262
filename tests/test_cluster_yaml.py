"""cluster.yaml by Ray's own checks, and by what the stations ask for."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import ray
import typer
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from app.cli import cli
from core.cluster import nodes
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
        assert fits == ({"gpu", "gpus"} if station == "train" else {"cpu"})


def test_elsewhere_nothing_of_a_group_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 4.0, "pipelines": 1.0})
    assert nodes("pipelines") == {}
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    assert nodes("trainers") == {}


def test_ray_accepts_it(cluster: dict[str, Any]) -> None:
    validate_config(prepare_config(cluster))


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
    workers = [kind for name, kind in cluster["available_node_types"].items() if name != "head"]
    assert all(kind["node_config"]["InstanceMarketOptions"] == {"MarketType": "spot"} for kind in workers)
    assert all(kind["min_workers"] == 0 for kind in workers)
    assert cluster["max_workers"] == sum(kind["max_workers"] for kind in workers)


def test_ray_starts_with_a_token_and_shows_itself_on_loopback_alone(cluster: dict[str, Any]) -> None:
    prepared = prepare_config(cluster)
    for kind in ("head", "worker"):
        (start,) = (line for line in prepared[f"{kind}_start_ray_commands"] if "ray start" in line)
        assert "RAY_AUTH_MODE=token" in start and "ulimit -n 65536" in start
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
    """CloudFormation's YAML; what its tags stand for is left open."""


Template.add_multi_constructor("!", lambda loader, tag, node: tag)


def test_the_bucket_is_closed_outlives_the_stack_and_forgets_half_uploads() -> None:
    template = yaml.load((ROOT / "aws" / "account.yaml").read_text(encoding="utf-8"), Template)  # noqa: S506
    bucket = template["Resources"]["Bucket"]
    assert bucket["DeletionPolicy"] == bucket["UpdateReplacePolicy"] == "Retain"
    closed = bucket["Properties"]["PublicAccessBlockConfiguration"]
    assert len(closed) == 4 and all(closed.values())
    rules = {rule["Id"]: rule for rule in bucket["Properties"]["LifecycleConfiguration"]["Rules"]}
    assert rules["half-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert (rules["scratch"]["Prefix"], rules["scratch"]["ExpirationInDays"]) == ("scratch/", 30)


def test_the_newcomers_page_names_commands_and_settings_that_exist() -> None:
    page = (ROOT / "docs" / "cluster.md").read_text(encoding="utf-8")
    commands = typer.main.get_command(cli).commands  # type: ignore[attr-defined]
    given = re.findall(r"(?:bin/figray|submit --|`figray) ([a-z][a-z-]*)", page)
    assert given and set(given) <= commands.keys()
    settings = re.findall(r"--set \"?([a-z_.]+)=|`((?:source|tables|train|cluster)\.[a-z_]+)", page)
    assert settings and {either or other for either, other in settings} <= {*names(), "cluster.yaml"}
    for group in ("head", "cpu", "gpu", "gpus"):
        assert f"**{group}**" in page
