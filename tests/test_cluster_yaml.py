"""cluster.yaml against Ray's own checks, and against what the stations ask for."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from app.cluster import demands
from app.config import load

FILE = Path(__file__).resolve().parent.parent / "cluster.yaml"


@pytest.fixture
def cluster() -> dict[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def test_ray_accepts_it(cluster: dict[str, Any]) -> None:
    validate_config(prepare_config(cluster))


def test_ray_would_have_found_a_mistake(cluster: dict[str, Any]) -> None:
    cluster["available_node_types"]["cpu"]["max_wrkers"] = 3
    with pytest.raises(Exception, match="max_wrkers"):
        validate_config(prepare_config(cluster))


def test_the_head_does_no_work_and_is_not_open_to_the_world(cluster: dict[str, Any]) -> None:
    head = cluster["available_node_types"][cluster["head_node_type"]]
    assert head["resources"]["CPU"] == 0
    start = " ".join(cluster["head_start_ray_commands"])
    assert "--dashboard-host=127.0.0.1" in start
    assert "RAY_AUTH_MODE=token" in start


def test_no_key_stands_in_it() -> None:
    assert not re.search(r"AKIA|PRIVATE KEY|secret", FILE.read_text(encoding="utf-8"), re.IGNORECASE)


def test_each_job_fits_exactly_one_group(cluster: dict[str, Any]) -> None:
    groups = {name: kind["resources"] for name, kind in cluster["available_node_types"].items() if name != "head"}
    for demand in demands(load("blip-brain", ["train.gpu=true"])):
        fits = {
            name
            for name, has in groups.items()
            if bool(has.get("GPU", 0)) == bool(demand.gpus) and has["CPU"] >= demand.cpus
        }
        assert len(fits) == 1, demand
