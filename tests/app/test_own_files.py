"""A user's own files: read with a reason where they do not fit, written whole or not at all."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.caption_files import FileError
from app.own_files import captioned_figures, figures_in, images_below, read_json, writable, write_rows
from core.places import Place
from pipelines.loose_files import FigureWork


def written(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_what_cannot_be_used_is_said(tmp_path: Path) -> None:
    (tmp_path / "in.json").touch()
    with pytest.raises(FileError, match=r"no\.json: No such file"):
        read_json(tmp_path / "no.json", list[int])
    with pytest.raises(FileError, match=r"in\.json: Invalid JSON"):
        read_json(tmp_path / "in.json", list[int])
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
    (tmp_path / "c.heic").touch()
    assert [work.code for work in figures_in(Place.at(tmp_path))] == ["", "", "not_read"]
    assert images_below(Place.at(tmp_path)) == ["a.png", "b.png"]
    (tmp_path / "captions.csv").write_text("Image,Caption\nb.png,two\n")
    works = captioned_figures(Place.at(tmp_path), tmp_path / "captions.csv")
    assert [(work.code, work.caption) for work in works] == [("no_caption", None), ("", "two"), ("not_read", None)]


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
