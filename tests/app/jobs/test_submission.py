"""What is submitted: command lines, results that would be lost, sizes, addresses, exit codes."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from app.cli import cli
from app.jobs.submission import (
    JobError,
    address_of,
    asked,
    entrypoint,
    exit_code,
    refuse_large,
    refuse_lost_results,
)

COMMANDS = typer.main.get_command(cli)


def test_a_command_is_read_with_where_its_results_go() -> None:
    read = asked(COMMANDS, ["train", "blip-brain", "--run", "s3://bucket/run", "--set", "optim.lr=1e-4"])
    assert read.results == {"run": "s3://bucket/run"}
    assert str(read) == "figray train blip-brain --run s3://bucket/run --set optim.lr=1e-4"
    assert asked(COMMANDS, ["collect"]).results == {"run": "runs/collected"}
    assert asked(COMMANDS, ["train", "blip-brain"]).results == {"run": ""}  # chosen by what is trained
    assert asked(COMMANDS, ["config", "blip-brain"]).results == {}
    assert asked(COMMANDS, ["separate", "images", "found.json"]).results == {"out": "found.json"}
    exported = asked(COMMANDS, ["export", "pairs", "s3://b/run", "s3://b/out", "--to", "csv"]).results
    assert exported == {"run": "s3://b/run", "out": "s3://b/out"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian", "blip-brain"], "No such command 'trian'"),
        (["train", "blip-brain", "--rum", "x"], "No such option"),
        (["export", "processed"], "Missing argument 'OUT'"),
        (["export", "pairs", "run"], "Missing argument 'OUT'"),
        ([], "Missing argument"),
        (["logs", "train-1"], "logs does not run on a cluster"),
        (["collect", "--set", "source.api_key=abc"], "stands on the dashboard"),
        (["train", "x", "--run", "s3://me:secret@bucket/run"], "stands on the dashboard"),
    ],
)
def test_a_command_that_is_none_is_refused_before_anything_is_packed(words: list[str], said: str) -> None:
    refused = CliRunner().invoke(cli, ["submit", "--address", "http://127.0.0.1:1", "--", *words])
    assert refused.exit_code in (1, 2)
    assert said in refused.output + str(refused.exception)
    assert "packed" not in refused.output


def test_results_that_would_be_deleted_with_the_job_are_refused() -> None:
    for results in ({"run": ""}, {"run": "runs/brain"}, {"run": "s3://bucket/run", "out": "model"}):
        with pytest.raises(JobError, match="deleted with the job"):
            refuse_lost_results(results)
    assert refuse_lost_results({"run": "gs://bucket/run"}) == []
    assert refuse_lost_results({}) == []


def test_results_on_the_heads_disk_are_warned_of() -> None:
    [warning] = refuse_lost_results({"run": "/mnt/runs/brain"})
    assert warning.startswith("/mnt/runs/brain lies on the cluster")
    assert "s3://BUCKET/RUN" in warning


def test_words_reach_the_job_as_they_were_given(tmp_path: Path) -> None:
    """Spaces, quotes, stars, dollars: the shell of the job gives the command what was typed."""
    words = ["collect", "--set", "select.keyword=brain 'tumour' $HOME *", "a\nb"]
    folder = tmp_path / "it's here"
    folder.mkdir()
    show = tmp_path / "show"
    show.write_text('#!/bin/sh\npwd\nprintf "%s|" "$@"\n')
    show.chmod(0o700)
    said = subprocess.run(
        ["sh", "-c", entrypoint(words, python=str(show), folder=folder)], capture_output=True, text=True, check=True
    )
    assert said.stdout == f"{folder}\n" + "|".join(["-P", "-m", "app.cli", *words]) + "|"
    assert shlex.split(entrypoint(words)) == ["exec", "python", "-P", "-m", "app.cli", *words]


@pytest.mark.parametrize(
    ("status", "code", "ends_with"),
    [
        ("SUCCEEDED", 0, 0),
        ("FAILED", 1, 1),
        ("FAILED", 2, 2),
        ("FAILED", 130, 130),
        ("FAILED", 143, 143),
        ("FAILED", -9, 137),  # killed, as a shell says it
        ("FAILED", None, 1),
        ("STOPPED", None, 143),
    ],
)
def test_figray_ends_with_the_jobs_exit_code(status: str, code: int | None, ends_with: int) -> None:
    assert exit_code(status, code) == ends_with


def test_the_address_is_the_options_before_the_environments() -> None:
    environment = {"RAY_ADDRESS": "http://localhost:3", "RAY_API_SERVER_ADDRESS": "http://localhost:2"}
    assert address_of("http://127.0.0.1:1/", environment) == "http://127.0.0.1:1"
    assert address_of(None, environment) == "http://localhost:2"
    assert address_of(None, {"RAY_ADDRESS": "https://cluster.example"}) == "https://cluster.example"
    assert address_of(None, {}) is None


@pytest.mark.parametrize("address", ["auto", "10.0.0.1:6379", "ray://10.0.0.1:10001", "http://"])
def test_an_address_that_is_no_dashboards_is_refused(address: str) -> None:
    with pytest.raises(JobError, match=r"ray dashboard cluster\.yaml"):
        address_of(address, {})
    with pytest.raises(JobError, match=r"RAY_ADDRESS .* jobs go to a dashboard"):
        address_of(None, {"RAY_ADDRESS": address})


def test_the_token_is_not_sent_over_a_network_in_the_clear() -> None:
    for far in ("http://10.0.0.1:8265", "http://cluster.example:8265"):
        with pytest.raises(JobError, match="in the clear"):
            address_of(far, {})
        assert address_of(far, {}, insecure=True) == far
    for near in ("http://127.0.0.1:8265", "http://localhost:8265", "http://[::1]:8265"):
        assert address_of(near, {}) == near


def test_a_folder_too_large_is_refused_with_what_is_biggest_in_it() -> None:
    mib = 2**20
    files = {"app/cli.py": mib, "scans/a.png": 300 * mib, "scans/deep/b.png": 150 * mib, "notes.mp4": 90 * mib}
    with pytest.raises(JobError) as refused:
        refuse_large(files, Path(os.sep))
    assert "541.0 MiB to pack, and Ray takes 500.0 MiB" in str(refused.value)
    assert "scans (450.0 MiB), notes.mp4 (90.0 MiB), app (1.0 MiB)" in str(refused.value)
    refuse_large({"app/cli.py": 500 * mib}, Path(os.sep))
