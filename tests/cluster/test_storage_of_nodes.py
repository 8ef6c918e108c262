"""Nodes that share nothing but S3: a run's tables, and a training that goes on where a dead node left it."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from pyarrow.fs import FileSelector

from app import steps
from core.cluster import connect
from core.config import load
from core.places import Place
from core.records import Figure, Pair
from tests.cluster.nodes import READER, TRAINER, Nodes, kill, watched
from trainers.checkpoint import load_model, training_articles
from trainers.fit_all import fit_all

pytestmark = [pytest.mark.cluster, pytest.mark.ray]

STEPS, SAVED = 60, 4  # steps in all, and between checkpoints
TINY = [
    "model.image_size=32", "model.patch=16", "model.image_width=32", "model.image_depth=1", "model.image_heads=2",
    "model.text_width=32", "model.text_depth=1", "model.text_heads=2", "model.embedding=16", "model.max_tokens=16",
    "model.vocabulary=100", "train.batch_size=8", "train.log_seconds=1e-9", "optim.warmup_steps=2",
    f"optim.steps={STEPS}", f"train.checkpoint_steps={SAVED}",
]  # fmt: skip


PANGRAM = "The quick brown fox jumps over a lazy dog"  # every letter, so that a vocabulary of some size is found


def drawn_pairs(count: int) -> pa.Table:
    """Plain squares with captions that tell their brightness."""
    rows = []
    for number in range(count):
        image, level = io.BytesIO(), np.random.default_rng([7, number]).integers(256)
        Image.new("L", (40, 40), int(level)).save(image, "PNG")
        rows.append({
            "pair_id": f"A{number}.1/f#0", "figure_id": f"A{number}.1/f", "article_id": f"A{number}.1",
            "image": image.getvalue(), "text": f"{PANGRAM}, at level {level // 32}.",
        })  # fmt: skip
    return pa.Table.from_pylist(rows)


def records(out: Place) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "metrics.jsonl").read_bytes().splitlines()]


def committed(out: Place) -> int:
    """The step of the last checkpoint from which a restart would go on; 0 if there is none."""
    for file in out.filesystem.get_file_info(
        FileSelector(f"{out.path}/restarts", recursive=True, allow_not_found=True)
    ):
        if file.base_name == "checkpoint_manager_snapshot.json":
            return max(map(int, re.findall(rb"step-(\d+)", Place(out.filesystem, file.path).read_bytes())))
    return 0


def test_a_training_whose_node_dies_goes_on_on_another_from_s3(bucket: str, nodes: Nodes, tmp_path: Path) -> None:
    pairs, out = Place.at(f"{bucket}/pairs.parquet"), Place.at(f"{bucket}/run/models/processed")
    pq.write_table(drawn_pairs(48), pairs.path, filesystem=pairs.filesystem)
    for _ in range(2):
        nodes.add_apart(tmp_path / "own")
    config = load("demo", [*TINY, f"cluster.address={nodes.address}"])
    connect(config)
    killed: list[int] = []
    before: list[dict[str, Any]] = []

    def kill_the_trainer(name: str, step: int, steps: int) -> None:
        if not killed and committed(out):
            before.extend(records(out)[: committed(out)])
            killed.extend(seen.ran(TRAINER))
            kill(killed[0])

    with watched() as seen:
        [result] = fit_all({out.uri: (config, [pairs.uri])}, on_step=kill_the_trainer)
    assert len(killed) == 1 and len(before) >= SAVED
    assert len(seen.ran(TRAINER)) == 2 and len(seen.nodes()) == 2
    after = records(out)
    assert [record["step"] for record in after] == list(range(1, STEPS + 1))
    assert after[: len(before)] == before  # to the microsecond: they were not taken again
    assert result.checkpoint == f"{bucket}/run/models/processed/checkpoint" and result.steps == STEPS
    model, tokenizer = load_model(result.checkpoint)
    assert model.settings.vocabulary == len(tokenizer) and len(training_articles(result.checkpoint)) == 48


def figray(*arguments: str) -> str:
    """The command as a user types it; what it says."""
    command = [str(Path(sys.executable).with_name("figray")), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_commands_on_two_nodes_hand_their_tables_on_through_s3(
    bucket: str, nodes: Nodes, served: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        nodes.add_apart(tmp_path / "own")
    monkeypatch.setenv("RAY_ADDRESS", nodes.address)
    monkeypatch.chdir(tmp_path)
    run = Place.at(f"{bucket}/run")
    chosen = [*served, "source.max_articles=5", "tables.readers=[2, 2]", "tables.reader_cpus=1"]
    set_ = [part for setting in chosen for part in ("--set", setting)]
    assert f"{bucket}/run/figures" in figray("collect", "demo", "--run", run.uri, *set_)
    with watched() as seen:
        assert f"{bucket}/run/pairs" in figray("pair", "--run", run.uri)
    assert len(seen.ran(READER)) == 2
    figures, pairs = steps.table(run, "figures", Figure), steps.table(run, "pairs", Pair)
    assert 0 < figures.rows < pairs.rows
    assert all(file.startswith(f"{bucket}/run/pairs/") for file in pairs.files("split=train"))
    assert (run / "contact_sheet.html").exists()
    assert [path.name for path in tmp_path.rglob("*")] == ["own"]
