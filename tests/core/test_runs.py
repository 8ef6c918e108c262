"""Tables that are committed part by part."""

import json
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pytest

from core.places import Place
from core.records import Reject, arrow_schema
from core.runs import (
    FORMAT,
    INDEX,
    RunConflict,
    Table,
    claim,
    digest,
    figray_version,
    named_by_manifests,
    stamp,
)

SCHEMA = arrow_schema(Reject)
ROW = asdict(Reject(item_id="a", article_id="PMC1.1", stage="s", code="c", message="m"))


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


def test_a_setting_that_no_longer_counts_is_forgotten(tmp_path: Path) -> None:
    claim(Place.at(tmp_path), {"a": 1, "workers": 2})
    claim(Place.at(tmp_path), {"a": 1}, no_longer=["workers"])
    with pytest.raises(RunConflict, match="workers was 2, now None"):
        claim(Place.at(tmp_path), {"a": 1})


def test_a_digest_tells_lists_apart() -> None:
    assert digest(["a", "b"]) != digest(["b", "a"])
    assert digest([]) == digest([])


def test_a_part_says_its_format_and_one_of_a_newer_figray_is_refused(tmp_path: Path) -> None:
    table, manifest = Table(Place.at(tmp_path), Reject), tmp_path / "part-00000.json"
    commit(table, 0, 2)
    written = json.loads(manifest.read_text())
    assert (written["format"], written["figray"]) == (FORMAT, figray_version())
    older = {name: value for name, value in written.items() if name not in ("format", "figray")}
    manifest.write_text(json.dumps(older))
    assert table.rows == 2  # what is older than the field opens
    manifest.write_text(json.dumps({**written, "format": FORMAT + 1}))
    with pytest.raises(RunConflict, match=r"newer figray .* make it again in another folder"):
        table.parts()


def test_a_run_says_which_figray_began_it(tmp_path: Path) -> None:
    new, older, newer = (Place.at(tmp_path / name) for name in ("new", "older", "newer"))
    stamp(new)
    assert (new / "version.json").read_json() == {"figray": figray_version(), "format": FORMAT}
    stamp(new)
    (older / "config.yaml").write_bytes(b"seed: 0")
    stamp(older)
    assert not (older / "version.json").exists()  # nobody knows which one began it
    (newer / "version.json").write_json({"figray": "9", "format": FORMAT + 1})
    with pytest.raises(RunConflict, match="newer figray"):
        stamp(newer)


def test_manifests_are_read_once_and_a_changed_one_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = Table(Place.at(tmp_path) / "t", Reject)
    for number in range(70):
        table.commit(number, tables={}, rejects=[], inputs=str(number), counts={})
    first = table.parts()
    read: list[str] = []
    read_bytes = Place.read_bytes

    def noted(place: Place) -> bytes:
        read.append(place.name)
        return read_bytes(place)

    monkeypatch.setattr(Place, "read_bytes", noted)
    assert table.parts() == first and read == [INDEX]
    again = table.commit(3, tables={}, rejects=[], inputs="other", counts={}, version=1)
    (table.place / "part-00005.json").delete_file()
    assert table.parts() == [*first[:3], again, first[4], *first[6:]] and read[1:] == [INDEX, "part-00003.json"]
    (table.place / INDEX).write_bytes(b"[[")
    assert [part.part for part in table.parts()] == [part.part for part in (*first[:5], *first[6:])]


def test_what_manifests_say_of_a_file_is_found_by_its_name(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path) / "t", Reject)
    rows = arrow_schema(Reject).empty_table()
    part = table.commit(2, tables={"": rows, "split=val": rows}, rejects=[], inputs="", counts={})
    names = [file.name for file in part.files]
    files = [(table.place / name).uri for name in (*names, "part-00007.parquet")]
    assert named_by_manifests(files) == [*part.files, None]
