"""A user's own files: read with a reason where they do not fit, written whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.own_files import FileError, captioned_figures, captions_in, figures_in, writable, write_rows
from core.places import Place
from core.records import Span
from pipelines.loose_files import CaptionWork, FigureWork


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_captions_are_read_with_their_emphasis(tmp_path: Path) -> None:
    rows = [{"id": "1", "caption": "(a) Axial", "emphasis": [{"start": 1, "end": 2, "kind": "bold"}], "more": 1}]
    assert captions_in(written(tmp_path / "in.json", rows)) == [
        CaptionWork("1", "(a) Axial", [Span(start=1, end=2, kind="bold")])
    ]
    (tmp_path / "bom.json").write_text('[{"id": "1", "caption": "ä"}]', encoding="utf-8-sig")
    assert captions_in(tmp_path / "bom.json") == [CaptionWork("1", "ä")]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"1": "a caption"}, "should be a valid array"),
        ([{"id": "1"}], "at 0, caption: Field required"),
        ([{"id": "1", "caption": "x"}, {"id": "2", "caption": None}], "at 1, caption"),
        ([{"id": "1", "caption": "x", "emphasis": [{"start": 0, "end": 2, "kind": "bold"}]}], "outside its 1 char"),
    ],
)
def test_a_wrong_shape_is_named_by_its_place(value: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(FileError, match=said):
        captions_in(written(tmp_path / "in.json", value))


def test_what_is_not_there_or_no_json_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"in\.json: No such file"):
        captions_in(tmp_path / "in.json")
    (tmp_path / "in.json").write_bytes(b'[{"id": "1", "caption": "cut')
    with pytest.raises(FileError, match="Invalid JSON"):
        captions_in(tmp_path / "in.json")
    with pytest.raises(FileError, match="is no folder"):
        figures_in(Place.at(tmp_path / "in.json"))
    with pytest.raises(FileError, match=r"has no images: no file ends in \.jpg"):
        figures_in(Place.at(tmp_path))
    with pytest.raises(FileError, match="is a folder"):
        writable(tmp_path)
    with pytest.raises(FileError, match="cannot make the folder"):
        writable(tmp_path / "in.json" / "out.json")


def test_figures_get_the_captions_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b.png").touch()
    captions = written(tmp_path / "captions.json", {"a.png": "one"})
    assert [work.code for work in captioned_figures(Place.at(tmp_path), captions)] == ["", "no_caption"]
    assert figures_in(Place.at(tmp_path)) == [FigureWork("a.png"), FigureWork("b.png")]


def test_rows_are_counted_and_stand_in_the_file_only_when_all_are_there(tmp_path: Path) -> None:
    out, seen = tmp_path / "out.json", []
    bad = {"image": "\udcff.png", "error": {"code": "truncated", "message": ""}}

    def rows() -> Iterator[dict[str, Any]]:
        yield {"image": "ä.png", "subfigures": []}
        assert not out.exists()
        yield bad

    told = write_rows(out, rows(), "figures", 2, lambda *counts: seen.append(counts))
    assert told == {"": 1, "truncated": 1}
    assert seen == [("figures", 1, 0, 2), ("figures", 2, 1, 2)]
    assert json.loads(out.read_text(encoding="utf-8")) == [{"image": "ä.png", "subfigures": []}, bad]
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_job_that_breaks_leaves_what_stood_there(tmp_path: Path) -> None:
    out = written(tmp_path / "out.json", "as before")

    def rows() -> Iterator[dict[str, Any]]:
        yield {"image": "a.png"}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_rows(out, rows(), "figures", 2, lambda *counts: None)
    assert json.loads(out.read_text()) == "as before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert write_rows(out, iter([]), "figures", 0, lambda *counts: None) == {}
    assert json.loads(out.read_text()) == []
