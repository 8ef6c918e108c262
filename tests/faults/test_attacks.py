"""A run from a stranger: whatever command reads it, no value of its files is unpickled; a marker shows it."""

import json
import os
import pickle
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from core.places import Place
from core.records import Figure, Pair, Radiograph, Reject, SeparatedFigure
from core.runs import Part, PartFile, Table
from tests.core.test_tables import Runs, hostile

TABLES: dict[str, tuple[type, tuple[str, ...], str]] = {
    "figures": (Figure, ("",), "caption"),
    "separated": (SeparatedFigure, ("",), "caption"),
    "pairs": (Pair, ("split=train", "split=val", "split=test"), "text"),
    "whole": (Pair, ("split=train", "split=val", "split=test"), "text"),
    "radiographs": (Radiograph, ("split=train", "split=val", "split=test"), "text"),
}
SPACE = "optim.lr: {log_uniform: [1.0e-4, 1.0e-3]}\n"
COMMANDS: list[tuple[str, ...]] = [
    ("report", "--run", "RUN"),
    ("verify", "RUN"),
    ("check", "--changed", "RUN", "--set", "source.attempts=1"),  # of services that are not there
    ("export", "processed", "OUT", "--run", "RUN"),
    ("sweep", "demo", "--space", "SPACE", "--run", "RUN"),
    ("sweep", "demo", "--space", "SPACE", "--run", "RUN", "--resume", "--name", "planted"),
    ("plan", "--run", "RUN"),
]
WITH_RAY: list[tuple[str, ...]] = [
    ("collect", "demo", "--run", "RUN"),
    ("pair", "--run", "RUN"),
    ("train", "processed", "--run", "RUN"),
    ("train", "demo", "--run", "RUN"),
    ("evaluate", "processed", "--run", "RUN", "--on", "RUN"),
    ("retry", "RUN"),
    ("refresh", "RUN"),
    ("reproduce", "medvl-table1", "--run", "RUN", "--seeds", "1"),
    ("reproduce", "mlip-table1", "--run", "RUN", "--seeds", "1"),
]


def hostile_file(place: Path, name: str, record: type, column: str, marker: Path) -> PartFile:
    """A file whose column holds what runs a command, with the manifest's words for it."""
    from core.records import arrow_schema

    schema = arrow_schema(record)
    table = schema.empty_table()
    row = {field.name: None for field in schema}
    import pyarrow as pa

    table = pa.table({name: pa.array([row[name]], field.type) for name, field in zip(schema.names, schema)})
    data = hostile(table, column, marker)
    (place / name).parent.mkdir(parents=True, exist_ok=True)
    (place / name).write_bytes(data)
    return PartFile(name=name, rows=1, bytes=len(data), sha256=sha256(data).hexdigest())


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Tables that are whole by their manifests, each with such a column; and a sweep's folder full of pickles."""
    run, marker = tmp_path / "run", tmp_path / "marker"
    for name, (record, folders, column) in TABLES.items():
        place = run / name
        files = [
            hostile_file(place, f"{each}/part-00000.parquet".lstrip("/"), record, column, marker) for each in folders
        ]
        rejects = hostile_file(place, "rejects-00000.parquet", Reject, "message", marker)
        part = Part(part=0, inputs="x", files=files, rejects=rejects, left_out={"gone": 1}, counts={"articles": 1})
        (place / "part-00000.json").write_text(part.model_dump_json())
    (run / "figures" / "articles.json").write_text('["PMC1"]')
    (run / "figures" / "found.json").write_text("{}")
    (run / "figures" / "metadata-00000.json").write_text('{"metadata/PMC1.1.json": "0"}')
    (run / "config.yaml").write_text("seed: 0\n")
    attack = pickle.dumps(Runs(marker))
    for name in ("processed", "raw"):
        folder = run / "models" / name / "checkpoint"
        folder.mkdir(parents=True)
        for file in ("progress.pt", "model.safetensors", "pytorch_model.bin"):
            (folder / file).write_bytes(attack)
        (folder / "config.json").write_text(json.dumps({"model": {}, "objective": {"name": "blip"}}))
    for sweep in ("planted", "space"):
        folder = run / "sweeps" / sweep
        (folder / "tune").mkdir(parents=True)
        for file in ("asha.rungs", "tune/tuner.pkl", "tune/trainable.pkl", "tune/searcher-state-1.pkl"):
            (folder / file).write_bytes(attack)
    (tmp_path / "space.yaml").write_text(SPACE)
    return run


def asked(command: tuple[str, ...], run: Path) -> str:
    """What a command says; AssertionError where the marker is there after it, or it ends in a trace of ours."""
    line = [sys.executable, "-m", "app.cli", *words(command, run)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=280, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert not (run.parent / "marker").exists(), f"{command}: a command ran"
    return f"{done.returncode}: {done.stderr}"


def words(command: tuple[str, ...], run: Path) -> list[str]:
    meant = {"RUN": str(run), "OUT": str(run.parent / "out"), "SPACE": str(run.parent / "space.yaml")}
    return [meant.get(each, each) for each in command]


@pytest.mark.parametrize("command", COMMANDS[:3], ids=" ".join)
def test_no_command_runs_what_a_strangers_run_holds(command: tuple[str, ...], run: Path) -> None:
    import ray.data  # noqa: F401  as in a process that has Ray: Arrow knows its types then

    CliRunner().invoke(cli, words(command, run))
    assert not (run.parent / "marker").exists(), f"{command}: a command ran"


@pytest.mark.cluster
@pytest.mark.timeout(300)
@pytest.mark.parametrize("command", [*COMMANDS[3:], *WITH_RAY], ids=" ".join)
def test_no_slow_command_does_either(command: tuple[str, ...], run: Path) -> None:
    asked(command, run)


def test_the_attack_is_one_and_the_tables_refuse_it_by_name(run: Path) -> None:
    import pyarrow.parquet as pq
    import ray.data  # noqa: F401  whose types Arrow then knows

    from core.tables import TableError

    with pytest.raises(TableError, match="extension type"):
        Table(Place.at(run / "pairs"), Pair).read("split=train")
    pq.read_table(run / "pairs" / "split=train" / "part-00000.parquet").to_pylist()
    assert (run.parent / "marker").exists()
