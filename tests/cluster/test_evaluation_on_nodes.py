"""Copies, an evaluation and probes on three nodes: the rows of one node, and those of a job in which a node dies."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np
import pytest

from app import steps
from app.radiographs import draw_chests
from core.cluster import connect
from core.config import load, override
from core.places import Place
from core.records import Pair
from core.runs import Part
from core.settings import Config
from tests.cluster.nodes import Nodes, Seen, kill, raylets, watched
from tests.cluster.test_pairs_on_nodes import assert_same_rows, manifests
from trainers.evaluation import on_ray, ranking
from trainers.evaluation.on_ray import OnRay, encode_films
from trainers.evaluation.retrieval import Plan, Result, evaluate
from trainers.inline import fit_here

# As Ray names what seeks copies, each a moment on workers that are there, and what evaluates.
COPIES, ACTOR = ("_pixels", "_bands", "_near", "_with_seconds", "_with_firsts"), "_Worker"


pytestmark = [pytest.mark.cluster, pytest.mark.ray]


def silent(station: str, part: Part, parts: int) -> None:
    """No progress bars."""


@contextmanager
def struck(seen: Seen, *works: str) -> Iterator[list[int]]:
    """The first node on which one of some works is seen loses power; which one it was."""
    killed, ended = list[int](), Event()

    def strike() -> None:
        while not killed and not ended.wait(0.05):
            for raylet in set.union(*map(seen.ran, works)) & set(raylets()):
                if raylets().get(raylet) != "figray":
                    kill(raylet)
                    killed.append(raylet)
                    return

    thread = Thread(target=strike, daemon=True)
    thread.start()
    try:
        yield killed
    finally:
        ended.set()
        thread.join()


def on(nodes: Nodes, served: list[str], *more: str) -> Config:
    return load("demo", [*served, f"cluster.address={nodes.address}", "tables.reader_cpus=1", *more])


def test_copies_by_shuffles_on_three_nodes_are_those_of_one_and_a_node_that_dies_changes_nothing(
    nodes: Nodes, served: list[str], tmp_path: Path
) -> None:
    one, three = tmp_path / "one", tmp_path / "three"
    nodes.add()
    config = on(nodes, served, "tables.copies_exact_below=0", "tables.readers=[1, 1]")
    connect(config)
    steps.collect(config, Place.at(one), silent)
    shutil.copytree(one, three)
    steps.pair(config, Place.at(one), silent)
    nodes.add()
    nodes.add()
    with watched() as seen, struck(seen, *COPIES) as killed:
        steps.pair(config, Place.at(three), silent)
    assert killed and killed[0] not in raylets()
    assert manifests(one) == manifests(three)
    assert_same_rows(three, one)
    assert (one / "pairs" / "duplicates.csv").read_bytes() == (three / "pairs" / "duplicates.csv").read_bytes()


def judged(config: Config, model: Path, files: list[str]) -> Result:
    plan = Plan(batch_size=8, rerank=4, resamples=20, pool=None)
    return evaluate(model, files, plan, machine=OnRay(config))


def test_an_evaluation_on_three_nodes_gives_the_rows_of_one_and_a_node_that_dies_changes_nothing(
    nodes: Nodes, served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_ray, "HERE", 0)  # few pairs are ranked in the process
    monkeypatch.setattr(ranking, "CELLS", 40 * 16)
    run = Place.at(tmp_path / "run")
    nodes.add()
    few = ["optim.steps=3", "train.batch_size=8", "split.val=0.3", "split.test=0.3"]
    config = on(nodes, served, "evaluate.actors=[1, 1]", "evaluate.actor_cpus=1", *few)
    connect(config)
    steps.collect(config, run, silent)
    steps.pair(config, run, silent)
    pairs = steps.table(run, "pairs", Pair)
    fit_here(
        override(config, {"train.workers": 1}), train_files=pairs.files("split=train"), out=str(tmp_path / "model")
    )
    files = pairs.files("split=test") + pairs.files("split=val")
    model = tmp_path / "model" / "checkpoint"
    alone = judged(config, model, files)
    nodes.add()
    nodes.add()
    config = override(config, {"evaluate.actors": [3, 3]})
    with watched() as seen, struck(seen, ACTOR) as killed:
        found = judged(config, model, files)
    assert killed and killed[0] not in raylets()
    assert found.answers.equals(alone.answers) and found.told.metrics == alone.told.metrics
    assert len(seen.ran(ACTOR)) > 1


def test_probes_films_encoded_on_three_nodes_are_those_of_one_and_a_node_that_dies_changes_nothing(
    nodes: Nodes, tmp_path: Path
) -> None:
    run = Place.at(tmp_path / "run")
    nodes.add()
    asked = ["phantom.patients=40", "tables.parts=6", "optim.steps=3", "train.batch_size=8", "tables.reader_cpus=1"]
    asked += [f"cluster.address={nodes.address}", "evaluate.actors=[1, 1]", "evaluate.actor_cpus=1"]
    config = load("mlip-phantom", asked)
    connect(config)
    films = draw_chests(config, run, silent).files("split=train")
    pairs = steps.table(run, "pairs", Pair).files("split=train")
    fit_here(override(config, {"train.workers": 1}), train_files=pairs, out=str(tmp_path / "model"))
    model = str(tmp_path / "model" / "checkpoint")
    alone = encode_films(config, model, films)
    nodes.add()
    nodes.add()
    with watched() as seen, struck(seen, ACTOR) as killed:
        found = encode_films(override(config, {"evaluate.actors": [3, 3]}), model, films)
    assert killed and killed[0] not in raylets()
    assert found.rows == alone.rows
    assert np.array_equal(found.embeddings, alone.embeddings) and np.array_equal(found.states, alone.states)
