"""The rows of a user's own tables, and the parts that they are dealt out to."""

import io
import json
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.config import SettingError, UserError
from pipelines.dealing import Piece
from pipelines.given_rows import Given, given


def values(found: Given) -> list[tuple[str, str]]:
    """Id and text of each row."""
    rows = found.few if found.few is not None else [row for n in range(len(found.pieces)) for row in found.read(n)]
    return [(row.id, row.value["text"]) for row in rows]


def test_the_second_of_two_ids_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,image,text\na,img/0.png,x\na,img/1.png,y\n")
    found = given(tmp_path / "t.csv", {})
    assert found.few is not None
    first, second = (row.value for row in found.few)
    assert (first["code"], first["image"]) == ("", "img/0.png")
    assert (second["code"], second["image"], second["text"]) == ("twice", "", "y")
    assert [found.counts(row.value) for row in found.few] == [[], ["twice"]]


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        (
            "t.csv",
            "picture,words\na,b\n",
            "no column of the image: name it by --column image=NAME; there are picture, words",
        ),
        ("t.json", "{", "t.json"),
        ("t.xyz", "", "a table is Parquet"),
        ("t.csv", "image,text\n", "has no row"),
    ],
)
def test_what_is_no_table_is_said(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=said):
        given(tmp_path / name, {})


def test_a_column_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("image,text\na,b\n")
    with pytest.raises(SettingError, match="--column words"):
        given(tmp_path / "t.csv", {"words": "text"})
    with pytest.raises(UserError, match="has no column said; there are image, text"):
        given(tmp_path / "t.csv", {"text": "said"})


def test_each_row_group_is_a_piece_and_its_rows_know_where_they_are(tmp_path: Path) -> None:
    rows = [{"image": b"x", "text": f"Text {k}."} for k in range(5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet", row_group_size=2)
    found = given(tmp_path / "a.parquet", {})
    assert [piece[1:] for piece in found.pieces] == [(0, 0), (1, 2), (2, 4)] and found.few is not None
    assert [(row.piece, row.number, row.id, row.value["at"]) for row in found.few] == [
        (0, 0, "a/1", (0, 0)), (0, 1, "a/2", (0, 1)), (1, 0, "a/3", (1, 0)), (1, 1, "a/4", (1, 1)),
        (2, 0, "a/5", (2, 0)),
    ]  # fmt: skip


def test_no_more_rows_are_read_than_are_dealt_at_once(tmp_path: Path) -> None:
    lines = [json.dumps({"image": f"{k}.png", "text": "x"}) for k in range(4)]
    (tmp_path / "t.jsonl").write_text("\n".join([*lines, "{"]))
    found = given(tmp_path / "t.jsonl", {}, at_most=3)
    assert found.few is None and found.pieces == [Piece(str(tmp_path / "t.jsonl"))]
    with pytest.raises(UserError, match=r"t\.jsonl, line 5, character 2: Expecting property name"):
        given(tmp_path / "t.jsonl", {}, at_most=4)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"image": "a", "text": "x"}\n\n{"image": "b" "text": "y"}\n', r"t\.json, line 3, character 15"),
        ('\n\n[{"image": "a",\n "text": }]', r"t\.json, line 4, character 10"),
        ('{"image": "a", "text": "x"}\n[1]\n', r"t\.json, row 2: no object"),
    ],
)
def test_where_in_a_file_json_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(UserError, match=said):
        given(tmp_path / "t.json", {})


def test_lines_and_a_list_are_the_same_rows(tmp_path: Path) -> None:
    rows = [{"image": f"{k}.png", "text": "a\u2028b\x85c", "id": k} for k in range(3)]
    (tmp_path / "list.json").write_text("\n " + json.dumps(rows, indent=1, ensure_ascii=False))
    (tmp_path / "lines.json").write_text("\n\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    assert values(given(tmp_path / "list.json", {})) == values(given(tmp_path / "lines.json", {}))
    assert values(given(tmp_path / "lines.json", {})) == [(str(k), "a b c") for k in range(3)]


def test_a_tar_of_any_length_is_a_stream(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "train-0.tar", "w") as tar:
        for number in range(5):
            for suffix, data in (("png", b"x" * number), ("txt", f"Text {number}.".encode())):
                info = tarfile.TarInfo(f"{'deep/' * 30}{number}.{suffix}")  # a name that takes a block of its own
                info.size = len(data)
                tar.addfile(info, io.BytesIO(data))
    found = given(tmp_path / "train-0.tar", {})
    assert [text for _, text in values(found)] == [f"Text {number}." for number in range(5)]


def test_what_is_wrong_with_a_later_file_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("image,text\n" + "x.png,CT.\n" * 3)
    (tmp_path / "b.csv").write_text("image,words\nx.png,CT.\n")
    with pytest.raises(UserError, match=r"b\.csv has no column of the text"):
        given(tmp_path, {}, at_most=1)
