"""Captions as people have them: each row read, or its reason kept beside it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.caption_files import FileError, captions_in
from core.csv_rows import CsvError
from core.records import Span
from pipelines.loose_files import CaptionWork


def read(tmp_path: Path, name: str, text: str | bytes) -> list[CaptionWork]:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return captions_in(file)


def shown(works: list[CaptionWork]) -> list[tuple[str, str]]:
    """The id of each row, and its caption or why it has none."""
    return [(work.id, work.code or work.caption) for work in works]


def test_captions_are_read_with_their_emphasis(tmp_path: Path) -> None:
    rows = [{"id": "1", "caption": "(a) Axial", "emphasis": [{"start": 1, "end": 2, "kind": "bold"}], "more": 1}]
    assert read(tmp_path, "in.json", json.dumps(rows)) == [
        CaptionWork("1", "(a) Axial", [Span(start=1, end=2, kind="bold")])
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"id": "1", "caption": "ä"}, {"id": 2, "caption": "b"}]'),
        ("a.json", '[{"image": "1", "Caption": "ä"}, {"file_name": 2.0, "text": "b"}]'),
        ("a.json", '{"1": "ä", "2": "b"}'),
        ("a.json", '{"1": {"caption": "ä"}, "2": {"text": "b"}}'),
        ("a.json", '{"id": "1", "caption": "ä"}\n{"id": "2", "caption": "b"}\n'),  # lines, by another name
        ("a.jsonl", '{"id": "1", "caption": "ä"}\r\n\r\n{"id": "2", "caption": "b"}'),
        ("a.ndjson", '{"id": "1", "caption": "ä"}\n{"id": "2", "caption": "b"}\n'),
        ("a.txt", '[{"id": "1", "caption": "ä"}, {"id": 2, "caption": "b"}]'),
        ("a.csv", "id,caption\n1,ä\n2,b\n"),
        ("a.csv", "Image Name;File Name;Caption\nx;1;ä\ny;2;b\n"),
        ("a.tsv", "FILE\ttext\n1\tä\n2\tb\n"),
        ("a.txt", "name,caption\n1,ä\n2,b\n"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_form_is_read(name: str, text: str, encoding: str, tmp_path: Path) -> None:
    assert shown(read(tmp_path, name, text.encode(encoding))) == [("1", "ä"), ("2", "b")]


@pytest.mark.parametrize(
    ("row", "expected", "said"),
    [
        ('{"id": "b", "caption": null}', ("b", "no_caption"), "row 2 has no caption"),
        ('{"id": "b", "caption": NaN}', ("b", "no_caption"), "row 2 has no caption"),
        ('{"id": "b", "caption": "nan"}', ("b", "no_caption"), "row 2 has no caption"),
        ('{"id": "b", "caption": " "}', ("b", "no_caption"), "row 2 has no caption"),
        ('{"id": "b"}', ("b", "no_caption"), "row 2 has no caption"),
        ('{"id": "b", "caption": 7}', ("b", "bad_row"), "its caption is a number; a text was expected"),
        ('{"id": "b", "caption": ["x"]}', ("b", "bad_row"), "its caption is a list"),
        ('{"id": null, "caption": "x"}', ("", "bad_row"), r"its id is nothing \(null\)"),
        ('{"id": true, "caption": "x"}', ("", "bad_row"), "its id is true"),
        ('{"id": NaN, "caption": "x"}', ("", "bad_row"), "its id is a number"),
        ('{"id": " ", "caption": "x"}', ("", "bad_row"), "its id is empty"),
        ('{"caption": "x"}', ("", "bad_row"), "row 2 has no id, image"),
        ("7", ("", "bad_row"), "row 2 is a number"),
        ("null", ("", "bad_row"), "row 2 is nothing"),
        ('{"id": "a", "caption": "y"}', ("a", "duplicate_id"), "row 1 has the id a too"),
        ('{"id": "b", "caption": "x", "emphasis": 1}', ("b", "bad_row"), "emphasis"),
        (
            '{"id": "b", "caption": "x", "emphasis": [{"start": 0, "end": 2, "kind": "bold"}]}',
            ("b", "bad_row"),
            "outside its 1 characters",
        ),
    ],
)
def test_a_bad_row_costs_itself(row: str, expected: tuple[str, str], said: str, tmp_path: Path) -> None:
    rows = ['{"id": "a", "caption": "(A) x."}', row, '{"id": 1, "caption": "(A) y."}']
    for name, text in (("a.json", f"[{','.join(rows)}]"), ("a.jsonl", "\n".join(rows))):
        works = read(tmp_path, name, text)
        assert shown(works) == [("a", "(A) x."), expected, ("1", "(A) y.")]
        assert works[1].message and pytest.raises(AssertionError, match=said).matches(AssertionError(works[1].message))


def test_what_stands_twice_in_an_object_or_a_table_is_told(tmp_path: Path) -> None:
    twice = [("a", "x"), ("a", "duplicate_id")]
    assert shown(read(tmp_path, "a.json", '{"a": "x", "a": "y"}')) == twice
    assert shown(read(tmp_path, "a.csv", "id,caption\na,x\na,y\n")) == twice
    assert shown(read(tmp_path, "a.csv", "id,caption\na,NA\n,y\n")) == [("a", "no_caption"), ("", "bad_row")]


def test_a_line_that_is_no_json_costs_itself(tmp_path: Path) -> None:
    text = '{"id": "a", "caption": "x"}\n{"id": "b", "caption": \n{"id": "c", "caption": "z"}'
    for name in ("a.jsonl", "a.json"):
        assert shown(read(tmp_path, name, text)) == [("a", "x"), ("", "bad_row"), ("c", "z")]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.json", b'[{"id": "1", "caption": "cut', "Invalid JSON"),
        ("a.json", b"", "Invalid JSON"),
        ("a.json", b"7", r"holds a number; \[\{\"id\""),
        ("a.json", b"[" * 100_000, "Invalid JSON"),
        ("a.json", b'["M\xfcller"]', "line 1: byte 0xfc is no UTF-8"),
        ("a.json", b"PK\x03\x04", "is XLSX"),
        ("a.csv", b"file,words\na,b\n", "has no column caption or text for the caption; it has file, words"),
        ("a.csv", b"number,caption\n1,b\n", "has no column id, image"),
        ("a.csv", b"id,caption\na,MRI (A) of, (B)\n", "line 2: 3 cells, and the header has 2"),
        ("a.csv", b"", "has no header"),
    ],
)
def test_a_file_that_is_none_is_one_line(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises((FileError, CsvError), match=said) as refused:
        read(tmp_path, name, data)
    assert "\n" not in str(refused.value)


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"in\.json: No such file"):
        captions_in(tmp_path / "in.json")
    with pytest.raises(FileError, match="is a folder"):
        captions_in(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "caption", "emphasis", "image", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(rows=st.lists(JSON, max_size=4))
def test_no_row_is_lost_and_none_breaks_the_others(rows: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    works = read(tmp_path_factory.mktemp("json"), "a.json", json.dumps([*rows, {"id": "last one", "caption": "x"}]))
    assert len(works) == len(rows) + 1
    assert all(work.code or work.id for work in works)
    assert works[-1].id == "last one"
