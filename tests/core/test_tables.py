"""Tables of strangers: read by the declared schema, damage named, and no value of an extension type ever looked at."""

import os
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.records import Reject, to_table
from core.tables import TableError, located, parsed, rows_of, written

ROOT = Path(__file__).resolve().parent.parent.parent
ROW = Reject(item_id="i", article_id="PMC1.1", stage="s", code="c", message="m")


class Runs:
    """What runs a command where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


def hostile(table: pa.Table, column: str, marker: Path) -> bytes:
    """A table as a file whose column holds pickled objects, as Ray Data 2.60 writes and registers them."""
    from ray.data._internal.object_extensions.arrow import ArrowPythonObjectArray

    values = ArrowPythonObjectArray.from_objects([Runs(marker)] * table.num_rows)
    at = table.schema.get_field_index(column)
    return written(table.set_column(at, column, values))


def test_a_column_of_pickled_objects_is_refused_unread(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    data = hostile(to_table([ROW], Reject), "message", marker)
    (tmp_path / "x.parquet").write_bytes(data)
    pq.read_table(tmp_path / "x.parquet").to_pylist()
    assert marker.is_dir(), "the attack is none"
    marker.rmdir()
    with pytest.raises(TableError, match=r"x\.parquet has a column of an extension type"):
        rows_of([str(tmp_path / "x.parquet")], Reject)
    with pytest.raises(TableError, match="mine has a column of an extension type"):
        parsed(data, Reject, "mine")
    assert not marker.exists()


def test_a_column_that_nobody_declared_is_refused_too_if_it_is_of_such_a_type(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    table = to_table([ROW], Reject).append_column("more", pa.array(["x"]))
    (tmp_path / "x.parquet").write_bytes(hostile(table, "more", marker))
    with pytest.raises(TableError, match="extension type"):
        rows_of([str(tmp_path / "x.parquet")], Reject)
    assert not marker.exists()


def test_rows_come_in_the_order_of_the_files_by_the_declared_types_and_none_from_none(tmp_path: Path) -> None:
    for name in "ab":
        pq.write_table(pa.table({"item_id": [name], "more": [1]}), tmp_path / name)
    rows = rows_of([str(tmp_path / name) for name in "ba"], Reject)
    assert rows.schema.names == ["item_id"]
    assert rows.to_table()["item_id"].to_pylist() == ["b", "a"]
    assert rows_of([], Reject).count_rows() == 0


def test_a_flipped_bit_of_a_page_is_found_as_it_is_read(tmp_path: Path) -> None:
    data = bytearray(written(to_table([ROW] * 50, Reject)))
    data[data.index(b"PMC1.1") + 2] ^= 1
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(OSError, match="CRC"):
        rows_of([str(tmp_path / "x.parquet")], Reject).to_table()
    with pytest.raises(TableError, match="mine is damaged"):
        parsed(bytes(data), Reject, "mine")


@pytest.mark.parametrize("kept", [0, 3, 4, 100, -1])
def test_a_file_that_is_cut_is_named(kept: int, tmp_path: Path) -> None:
    data = written(to_table([ROW], Reject))[:kept]
    (tmp_path / "x.parquet").write_bytes(data)
    with pytest.raises(TableError, match=r"x\.parquet is damaged"):
        rows_of([str(tmp_path / "x.parquet")], Reject)
    with pytest.raises(TableError, match="mine is damaged"):
        parsed(data, Reject, "mine")


def test_a_file_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"x\.parquet is missing, and a manifest names it"):
        rows_of([str(tmp_path / "x.parquet")], Reject)


def test_the_same_rows_are_the_same_bytes_and_are_read_back() -> None:
    table = to_table([ROW], Reject)
    assert written(table) == written(table)
    assert parsed(written(table), Reject, "x") == table


def test_files_of_one_place_have_one_filesystem() -> None:
    assert located(["/a/b", "file:///c"])[1] == ["/a/b", "/c"]


def test_no_other_module_opens_a_table() -> None:
    opens = re.compile(
        r"read_table\(|ParquetFile\(|\bds\.dataset\(|dataset\.dataset\(|read_parquet\(|open_file\(|feather"
    )
    rooms = ("core", "pipelines", "trainers", "tuning", "phantom", "app")
    found = {
        str(path.relative_to(ROOT))
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if any(opens.search(line.partition("#")[0]) for line in path.read_text(encoding="utf-8").splitlines())
    }
    assert found == {"core/tables.py"}
