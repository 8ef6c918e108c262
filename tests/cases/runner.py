"""What all cases need: commands run as a user runs them, what they leave, and the row that says whether it is right."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.places import Place
from core.records import Figure, Pair, Radiograph, from_table
from core.runs import Table

HERE = Path(__file__).resolve().parent.parent.parent
BUCKET = ("--set", "select.keyword=", "--set", "select.min_side=16")


@dataclass(frozen=True)
class Row:
    """What happened in a case; right: None where it is only shown."""

    case: str
    happened: str
    right: bool | None


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    code: int
    output: str

    @property
    def last(self) -> str:
        """Its last line."""
        return next(reversed(self.output.strip().splitlines()), "")

    @property
    def in_a_line(self) -> bool:
        """Whether it was refused in one line, without a trace."""
        return self.code == 2 and len(self.output.strip().splitlines()) == 1 and self.last.startswith("figray: ")


Case = Callable[[Path, Path], Iterator[Row]]  # the folder of the case, and an empty one


def figray(*words: str | Path) -> Said:
    """A command in a process of its own."""
    command = [sys.executable, "-m", "app.cli", *map(str, words)]
    told = dict(os.environ) | {"PYTHONPATH": str(HERE)}
    done = subprocess.run(command, capture_output=True, text=True, env=told, timeout=1200, check=False)
    return Said(done.returncode, "\n".join(filter(None, (done.stdout.strip(), done.stderr.strip()))))


def failed(case: str, said: Said) -> Row:
    """The row of a command that should have run."""
    return Row(case, f"exit {said.code}: {said.last[:160]}", right=False)


def figures_of(run: Path) -> list[Figure]:
    """The figures that a run has collected."""
    return from_table(Table(Place.at(run) / "figures", Figure).read(), Figure)


def left_out(run: Path) -> dict[str, str]:
    """What a run's collecting left out: item -> code."""
    rows = Table(Place.at(run) / "figures", Figure).rejects().to_pylist()
    return {row["item_id"]: row["code"] for row in rows}


def radiographs_of(run: Path) -> list[Radiograph]:
    """The radiographs of a run, of all splits."""
    table = Table(Place.at(run) / "radiographs", Radiograph)
    return [row for split in ("train", "val", "test") for row in from_table(table.read(f"split={split}"), Radiograph)]


def radiographs_left_out(run: Path) -> dict[str, str]:
    """What a run's table of radiographs left out: image -> why."""
    rows = Table(Place.at(run) / "radiographs", Radiograph).rejects().to_pylist()
    return {row["item_id"]: f"{row['code']}: {row['message']}" for row in rows}


def texts_of(run: Path) -> list[str]:
    """The texts of a run's pairs."""
    table = Table(Place.at(run) / "pairs", Pair)
    return [row.text for split in ("train", "val", "test") for row in from_table(table.read(f"split={split}"), Pair)]


def rows_in(out: Path) -> list[dict[str, Any]]:
    """The rows that a command wrote as JSON."""
    found: list[dict[str, Any]] = json.loads(out.read_text(encoding="utf-8"))
    return found


def labels_in(row: dict[str, Any]) -> dict[str, str]:
    """The text of each label of a split caption."""
    return {label: part["text"] for part in row["subcaptions"] for label in part["labels"]}
