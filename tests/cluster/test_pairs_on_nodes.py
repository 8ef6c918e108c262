"""Pairs on several nodes: the tables are those of one node, and those of a job in which a node dies."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from app import steps
from core.cluster import connect
from core.config import load
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure
from core.runs import Part, Table
from core.settings import Config
from tests.cluster.nodes import READER, Nodes, kill, raylets, watched

pytestmark = [pytest.mark.cluster, pytest.mark.ray]

TABLES = {"figures": Figure, "separated": SeparatedFigure, "pairs": Pair, "whole": Pair}
Progress = Callable[[str, Part, int], None]


def settings(nodes: Nodes, served: list[str], *, readers: list[int]) -> Config:
    """A reader takes a logical CPU, a node has one: so many readers need so many nodes."""
    actors = [f"tables.readers={readers}", "tables.reader_cpus=1"]
    return load("demo", [*served, f"cluster.address={nodes.address}", *actors])


def silent(station: str, part: Part, parts: int) -> None:
    """No progress bars."""


def manifests(run: Path) -> dict[str, list[Part]]:
    """Of every table its parts: rows, what was left out and why, and the SHA-256 of every file."""
    return {name: Table(Place.at(run) / name, record).parts() for name, record in TABLES.items()}


def assert_same_rows(run: Path, other: Path) -> None:
    """Table by table and row by row; no file is there that no manifest names, but what is known of copies, the same."""
    for name, record in TABLES.items():
        table = Table(Place.at(run) / name, record)
        for part in table.parts():
            assert table.read_part(part.part).equals(Table(Place.at(other) / name, record).read_part(part.part))
        named = {file.name for part in table.parts() for file in [*part.files, part.rejects]}
        there = {path.relative_to(run / name).as_posix() for path in (run / name).rglob("*.parquet")}
        beside = {path for path in there if path.startswith(("signatures/", "duplicates/"))}
        assert there - beside == named
        assert all((run / name / path).read_bytes() == (other / name / path).read_bytes() for path in beside)


def test_three_nodes_make_the_tables_that_one_node_makes(nodes: Nodes, served: list[str], tmp_path: Path) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    nodes.add()
    config = settings(nodes, served, readers=[1, 1])
    connect(config)
    steps.collect(config, Place.at(one), silent)
    steps.pair(config, Place.at(one), silent)
    nodes.add()
    nodes.add()
    config = settings(nodes, served, readers=[3, 3])
    with watched() as seen:
        steps.collect(config, Place.at(three), silent)
        steps.pair(config, Place.at(three), silent)
    assert seen.ran(READER) == seen.nodes("pipelines") and len(seen.nodes("pipelines")) == 3
    assert manifests(one) == manifests(three)
    assert_same_rows(three, one)
    assert sum(part.rows for part in manifests(three)["pairs"]) > 20


def test_a_node_that_dies_in_mid_separation_changes_nothing(nodes: Nodes, served: list[str], tmp_path: Path) -> None:
    calm, struck = tmp_path / "calm", tmp_path / "struck"
    for _ in range(3):
        nodes.add()
    config = settings(nodes, served, readers=[1, 3])
    connect(config)
    steps.collect(config, Place.at(calm), silent)
    shutil.copytree(calm, struck)
    steps.pair(config, Place.at(calm), silent)
    killed, made = [], []

    def kill_one(station: str, part: Part, parts: int) -> None:
        """A node on which a reader works, when the second part is made."""
        made.append((station, part.part))
        if station == "separate" and len(made) == 2:
            killed.append(next(raylet for raylet in seen.ran(READER) if raylet in raylets()))
            kill(killed[0])

    with watched() as seen:
        steps.pair(config, Place.at(struck), kill_one)
    assert killed and killed[0] not in raylets()
    assert len([part for station, part in made if station == "separate"]) == len(manifests(calm)["separated"])
    assert manifests(calm) == manifests(struck)
    assert_same_rows(struck, calm)
