"""kuberay/rayjob.yaml: the fields of KubeRay's ray.io/v1 that it uses, and the groups of cluster.yaml."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import ray
import yaml
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.config import load
from tests.groups import JOBS, started, stations

ROOT = Path(__file__).resolve().parent.parent
RAYJOB = ROOT / "kuberay" / "rayjob.yaml"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class Variable(Strict):
    name: str
    value: str | None = None
    value_from: dict[Literal["secretKeyRef"], dict[Literal["name", "key"], str]] | None = None


class Amounts(Strict):
    requests: dict[str, str | int]
    limits: dict[str, str | int]


class Container(Strict):
    name: str
    image: str = Field(pattern=r"^[\w.\-/]+:[\w.\-]+$")
    env: list[Variable] = []
    resources: Amounts
    volume_mounts: list[dict[Literal["name", "mountPath"], str]] = []


class PodSpec(Strict):
    service_account_name: str
    containers: list[Container] = Field(min_length=1, max_length=1)
    node_selector: dict[str, str] = {}
    tolerations: list[dict[Literal["key", "operator", "value", "effect"], str]] = []
    volumes: list[dict[str, Any]] = []


class Template(Strict):
    spec: PodSpec


class Head(Strict):
    ray_start_params: dict[str, str]
    template: Template


class Workers(Head):
    group_name: str
    replicas: int
    min_replicas: int
    max_replicas: int


class RayCluster(Strict):
    ray_version: str
    enable_in_tree_autoscaling: Literal[True]
    autoscaler_options: dict[Literal["idleTimeoutSeconds", "upscalingMode", "version"], int | str]
    auth_options: dict[Literal["mode"], Literal["token"]]
    head_group_spec: Head
    worker_group_specs: list[Workers]


class JobSpec(Strict):
    entrypoint: str
    shutdown_after_job_finishes: Literal[True]
    ttl_seconds_after_finished: int
    active_deadline_seconds: int
    backoff_limit: int
    submission_mode: Literal["K8sJobMode"]
    ray_cluster_spec: RayCluster


class RayJob(Strict):
    api_version: Literal["ray.io/v1"]
    kind: Literal["RayJob"]
    metadata: dict[Literal["name"], str]
    spec: JobSpec


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def on_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray says that it is this cluster, of which the head alone is there."""
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"figray": 1.0})


@pytest.fixture
def rayjob() -> RayCluster:
    return RayJob.model_validate(yaml.safe_load(RAYJOB.read_text(encoding="utf-8"))).spec.ray_cluster_spec


def declared(params: Mapping[str, str], container: Container) -> dict[str, Any]:
    """A group as Ray's autoscaler sees it."""
    own = json.loads(json.loads(params["resources"]))  # JSON within quotes of the shell
    gpus = container.resources.limits.get("nvidia.com/gpu", 0)
    found = {"CPU": int(params["num-cpus"]), **own}
    return found | {"GPU": int(gpus)} if gpus else found


def test_the_groups_of_kubernetes_are_those_of_aws(rayjob: RayCluster, cluster: dict[str, Any]) -> None:
    kinds = {name: kind["resources"] for name, kind in cluster["available_node_types"].items() if "-" not in name}
    head = rayjob.head_group_spec
    assert declared(head.ray_start_params, head.template.spec.containers[0]) == kinds.pop("head")
    groups = {group.group_name: group for group in rayjob.worker_group_specs}
    found = {name: declared(each.ray_start_params, each.template.spec.containers[0]) for name, each in groups.items()}
    own = {"cpu": "pipelines", "gpu": "trainers", "gpus": "trainers"}
    assert {name: (has[own[name]], has.get("GPU")) for name, has in found.items()} == {
        name: (has[own[name]], has.get("GPU")) for name, has in kinds.items()
    }
    assert all(group.min_replicas == group.replicas == 0 for group in groups.values())
    assert {name: group.max_replicas for name, group in groups.items()} == {
        name: cluster["available_node_types"][name]["max_workers"] for name in groups
    }


@pytest.mark.parametrize(("station", "settings", "expected"), JOBS)
def test_on_kubernetes_too_a_station_starts_nodes_of_exactly_one_group(
    rayjob: RayCluster, on_the_cluster: None, station: str, settings: list[str], expected: dict[str, int]
) -> None:
    groups: dict[str, Any] = {
        group.group_name: {
            "resources": declared(group.ray_start_params, group.template.spec.containers[0]),
            "max_workers": group.max_replicas,
        }
        for group in rayjob.worker_group_specs
    }
    found = started(groups | {"head": {"resources": {"CPU": 0}, "max_workers": 0}}, "head", stations(
        load("blip-brain", settings)
    )[station])  # fmt: skip
    assert found.keys() == expected.keys()


def test_rays_version_is_that_of_the_lock(rayjob: RayCluster) -> None:
    (locked,) = re.findall(r"^ray\[?[\w,\-]*\]?==([\d.]+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    assert rayjob.ray_version == locked
    images = {group.template.spec.containers[0].image for group in [rayjob.head_group_spec, *rayjob.worker_group_specs]}
    assert len(images) == 1 and not images.pop().endswith(":latest")
