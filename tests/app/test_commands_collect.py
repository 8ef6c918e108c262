"""Collecting by topic, what it would take, and the first contact."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from app.cli import cli
from app.commands_collect import absolute, of_topic
from core.config import UserError, load
from phantom.pmc.server import Served, serve


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, draw_corpus: Callable[..., None]) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("served")
    draw_corpus(folder, articles=40, seed=0)
    with serve(folder / "bucket") as there:
        yield there


@pytest.fixture
def here(served: Served, tmp_path: Path) -> str:
    """A recipe that leads to the served corpus."""
    file = tmp_path / "here.yaml"
    file.write_text(yaml.safe_dump(served.settings | {"source.esearch_per_second": 1000}))
    return str(file)


def figray(*words: str) -> Result:
    return CliRunner().invoke(cli, list(words))


def test_a_dry_run_says_what_each_clause_finds_and_what_it_would_take(here: str, served: Served) -> None:
    before = len(served.requests)
    said = figray("collect", here, "--topic", "brain", "--dry-run")
    assert said.exit_code == 0, said.output
    assert "case reports" in said.output and '"case reports"[pt]' in said.output
    assert "expected: at most" in said.output and "minutes on this machine" in said.output
    assert all("/esearch.fcgi" in request for request in served.requests[before:])  # counts alone


def test_nothing_found_is_said_with_the_clause_that_is_to_blame(here: str) -> None:
    said = figray("collect", here, "--topic", "zygomycosis", "--dry-run")
    assert "nothing found, because of “topic”" in said.output and "nothing found, because of “caption”" in said.output
    own = figray("collect", here, "--dry-run", "--set", "source.index=pmc", "--set", "source.query=x[Legend]")
    assert "because of “your query”: ESearch of pmc does not know x[Legend]" in own.output


def test_every_way_can_be_tried_dry(here: str) -> None:
    for index in ("pmc", "europepmc"):
        said = figray("collect", here, "--topic", "brain", "--dry-run", "--set", f"source.index={index}")
        assert said.exit_code == 0 and f"index: {index}" in said.output


def test_a_bucket_has_no_dry_run() -> None:
    assert isinstance(figray("collect", "--source", "bucket:/x", "--dry-run").exception, UserError)


def test_a_topic_sets_what_is_asked_and_what_is_looked_for() -> None:
    config = load("blip-brain", of_topic("glioma"))
    assert (config.source.topic, config.source.query, config.select.keyword) == ("glioma", None, None)
    assert of_topic(None) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [("pmc", "pmc"), ("bucket:http://127.0.0.1:1/x", "bucket:http://127.0.0.1:1/x"), ("bucket:/a/../b", "bucket:/b")],
)
def test_a_folder_is_found_from_any_process(source: str, found: str) -> None:
    assert absolute(source) == found
    assert absolute("bucket:here") == f"bucket:{Path.cwd() / 'here'}"


@pytest.mark.ray
def test_a_bucket_named_wrongly_is_not_remembered(local_ray: None, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    said = figray("collect", "--source", f"bucket:{tmp_path}/empty", "--run", str(tmp_path / "run"))
    assert isinstance(said.exception, UserError) and "has no articles" in str(said.exception)
    assert not (tmp_path / "run").exists()
