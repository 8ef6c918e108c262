"""Tables that are committed part by part."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from core.places import Place
from core.records import Reject, arrow_schema
from core.runs import RunConflict, Table, claim, digest, part_of

SCHEMA = arrow_schema(Reject)
ROW = {"item_id": "a", "article_id": "PMC1.1", "stage": "s", "code": "c", "message": "m"}


def commit(table: Table, number: int, rows: int) -> None:
    data = pa.Table.from_pylist([ROW] * rows, schema=SCHEMA)
    table.commit(number, tables={"": data}, rejects=[Reject(**ROW)], inputs="x", counts={"seen": rows})


def test_only_files_that_a_manifest_names_are_read(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path), Reject)
    commit(table, 0, 2)
    commit(table, 3, 5)
    (tmp_path / "part-00001.parquet").write_bytes(b"PAR1")  # what a killed writer may leave
    assert table.read().num_rows == 7
    assert [part.part for part in table.parts()] == [0, 3]
    assert table.rejects().num_rows == 2


def test_a_part_written_twice_is_the_same_bytes(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path), Reject)
    commit(table, 0, 2)
    first = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    commit(table, 0, 2)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == first


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path), Reject)
    commit(table, 0, 2)
    data = bytearray((tmp_path / "part-00000.parquet").read_bytes())
    data[40] ^= 1
    (tmp_path / "part-00000.parquet").write_bytes(data)
    with pytest.raises(RunConflict, match="not the file its manifest names"):
        table.read_part(0)


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with pytest.raises(OSError, match=r"there|directory"):
        (Place.at(tmp_path) / "there").write_bytes(b"a folder stands where the file should")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


def test_a_table_read_before_it_is_made_is_empty_with_its_schema(tmp_path: Path) -> None:
    assert Table(Place.at(tmp_path / "none"), Reject).read().schema == SCHEMA
    with pytest.raises(RunConflict, match="has no part 4"):
        Table(Place.at(tmp_path), Reject).read_part(4)


def test_a_folder_made_otherwise_is_refused_by_the_names_of_the_settings(tmp_path: Path) -> None:
    folder = Place.at(tmp_path)
    claim(folder, {"select.keyword": "brain", "seed": 0})
    claim(folder, {"select.keyword": "brain", "seed": 0})
    with pytest.raises(RunConflict, match=r"select\.keyword was 'brain', now 'heart'"):
        claim(folder, {"select.keyword": "heart", "seed": 0})
    assert json.loads((tmp_path / "settings.json").read_text())["select.keyword"] == "brain"


def test_all_versions_of_an_article_fall_into_one_part_and_parts_are_even() -> None:
    assert part_of("PMC12.1", 16) == part_of("PMC12.2", 16) == part_of("PMC12", 16)
    counts = [0] * 4
    for number in range(4000):
        counts[part_of(f"PMC{number}", 4)] += 1
    assert min(counts) > 900


def test_a_digest_tells_lists_apart() -> None:
    assert digest(["a", "b"]) != digest(["b", "a"])
    assert digest([]) == digest([])
