"""The rates that a plan is made from are measured by the stations themselves."""

import json
from pathlib import Path

import pytest

from bench.rates import line, measured, of_gpu, of_ray, stepping
from core.config import load
from core.places import Place

NAMES = ("collect_seconds_per_figure", "pair_seconds_per_panel", "whole_seconds_per_figure", "prepare_seconds_per_pair")


def test_a_line_through_costs() -> None:
    each, unit = line([1, 2, 4], [0.3, 0.5, 0.9])
    assert (each, unit) == (pytest.approx(0.1), pytest.approx(0.2))
    assert line([1, 2], [0.5, 0.1])[1] == 0  # nothing costs less than nothing


def test_a_step_costs_what_its_arithmetic_is() -> None:
    config = load("demo", ["train.batch_size=4"])
    rate = stepping(config)
    assert 1e8 < rate.flops < 1e10
    assert 1e7 < rate.flops / rate.seconds < 1e12


def test_what_other_benches_left_joins_the_rates(tmp_path: Path) -> None:
    assert of_ray(tmp_path / "none.json") == of_gpu(tmp_path / "none.json") == {}
    (tmp_path / "cluster.json").write_text('{"times_pool": 0.93}')
    assert of_ray(tmp_path / "cluster.json") == {"ray_share": 0.93}
    file, step = tmp_path / "gpu.json", {"pairs": 64, "samples_per_second": 500.0}
    told = {"device": "NVIDIA L40S", "flop": 64 * 362e9, "variants": {"bf16": step}}
    file.write_text(json.dumps(told))
    assert of_gpu(file) == {"gpu_share": pytest.approx(0.5), "gpu": "NVIDIA L40S"}
    file.write_text(json.dumps(told | {"device": "some other GPU"}))
    assert of_gpu(file) == {}


@pytest.mark.cluster  # it takes a minute on a busy machine
def test_every_station_is_measured(tmp_path: Path) -> None:
    rates = measured(Place.at(tmp_path), None, articles=6, models=["demo"])
    assert all(getattr(rates, name) > 0 for name in NAMES)
    assert rates.separate_seconds_per_figure + rates.separate_seconds_per_panel > 0
    assert rates.hash_seconds_per_picture > 0 < rates.shuffle_seconds_per_picture
    assert rates.compare_seconds_per_near_picture >= rates.compare_seconds_per_two_pictures >= 0
    assert set(rates.steps) == {"demo"}
