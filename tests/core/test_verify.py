"""Every kind of damage of a run is named, with what makes it good again."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.checksums import seal
from core.places import Place
from core.records import Reject, to_table
from core.runs import Table
from core.verify import verify

ROW = Reject(item_id="i", article_id="PMC1.1", stage="s", code="c", message="m")
RECORDS = {"figures": (Reject, "figray collect")}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    table = Table(Place.at(tmp_path / "figures"), Reject)
    for number in range(3):
        table.commit(number, tables={"": to_table([ROW] * 2, Reject)}, rejects=[ROW], inputs="x", counts={}, taken=3)
    (tmp_path / "figures" / "settings.json").write_text("{}")
    model = tmp_path / "models" / "processed" / "checkpoint"
    model.mkdir(parents=True)
    (model / "model.safetensors").write_bytes(b"weights")
    seal(model)
    return tmp_path


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-5])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def recount(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | {"taken": 4}))


DAMAGES: list[tuple[str, Callable[[Path], None], str, str]] = [
    ("figures/part-00001.parquet", Path.unlink, "part-00001.parquet: missing", "delete"),
    ("figures/part-00001.parquet", cut, "part-00001.parquet: ", "makes the part again"),
    ("figures/part-00001.parquet", flip, "other bytes than its manifest says", "makes the part again"),
    ("figures/rejects-00001.parquet", Path.unlink, "rejects-00001.parquet: missing", "makes the part again"),
    ("figures/rejects-00001.parquet", flip, "other bytes", "makes the part again"),
    ("figures/part-00001.json", Path.unlink, "the part is missing", "`figray collect` makes it"),
    ("figures/part-00001.json", cut, "no manifest", "makes the part again"),
    ("figures/part-00001.json", recount, "4 in, 2 kept, 1 left out or failed", "makes the part again"),
    ("figures/settings.json", cut, "no JSON", "delete it"),
    ("models/processed/checkpoint/model.safetensors", flip, "model.safetensors is damaged", "train it again"),
    ("models/processed/checkpoint/model.safetensors", Path.unlink, "model.safetensors is missing", "train it again"),
]


def test_a_whole_run_has_nothing_to_say(run: Path) -> None:
    assert list(verify(Place.at(run), RECORDS)) == []


@pytest.mark.parametrize(("file", "harm", "said", "cure"), DAMAGES)
def test_damage_is_named_with_its_cure(
    file: str, harm: Callable[[Path], None], said: str, cure: str, run: Path
) -> None:
    harm(run / file)
    told = [str(each) for each in verify(Place.at(run), RECORDS)]
    assert any(said in line and cure in line for line in told), told


def test_a_manifest_of_another_part_and_a_file_of_none_are_told(run: Path) -> None:
    (run / "figures" / "part-00001.json").write_bytes((run / "figures" / "part-00000.json").read_bytes())
    told = "\n".join(map(str, verify(Place.at(run), RECORDS)))
    assert "it is the manifest of part 0" in told and "part-00001.parquet: no manifest names it" in told
