"""A user's files as work: none is lost, whatever its name."""

import os
from pathlib import Path

import pytest

from core.images import ImageError
from core.places import Place
from pipelines.loose_files import FigureWork, images_in, loose_bytes, named, with_captions


def test_images_are_found_by_suffix_at_any_depth_and_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/2.PNG", "c.tif", "a.jpeg", "notes.txt", "b/list.json"):
        (tmp_path / name).touch()
    assert images_in(Place.at(tmp_path)) == ["a.jpeg", "b/2.PNG", "c.tif"]


def test_links_in_circles_end_and_broken_ones_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "circle").symlink_to(tmp_path)
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere")
    assert images_in(Place.at(tmp_path)) == ["a.png", "broken.png"]


def test_a_name_that_is_no_utf8_is_a_name(tmp_path: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).touch()
    except OSError:
        return  # a file system that takes only UTF-8
    assert len(images_in(Place.at(tmp_path))) == 1


def test_captions_find_their_images_by_path_or_by_a_file_name_that_is_theirs_alone() -> None:
    images = ["a.png", "x/b.png", "x/c.png", "y/c.png"]
    assert named(images, ["images/a.png", "x/b.png"]) == {"images/a.png": "a.png", "x/b.png": "x/b.png"}
    assert named(images, ["c.png"]) == {}  # which of the two?
    assert named(images, ["p/a.png", "q/a.png"]) == {}
    assert named(images, ["x/c.png", "y/c.png"]) == {"x/c.png": "x/c.png", "y/c.png": "y/c.png"}


def test_what_has_no_counterpart_keeps_a_row() -> None:
    works = with_captions(["a.png", "b.png", "d.png"], {"a.png": "one", "c.png": "two", "d.png": None})
    assert works[0] == FigureWork("a.png", "one")
    assert [(work.image, work.code) for work in works[1:]] == [
        ("b.png", "no_caption"),
        ("c.png", "no_image"),
        ("d.png", "no_caption"),
    ]


def test_what_is_no_file_of_the_folder_is_not_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "figures", tmp_path / "secret.png"
    inside.mkdir()
    outside.write_bytes(b"secret")
    (inside / "real.png").write_bytes(b"png")
    (inside / "near.png").symlink_to("real.png")
    (inside / "out.png").symlink_to(outside)
    (inside / "circle.png").symlink_to("circle.png")
    os.mkfifo(inside / "pipe.png")
    (inside / "folder.png").mkdir()
    folder = Place.at(inside)
    assert loose_bytes(folder, "real.png") == loose_bytes(folder, "near.png") == b"png"
    for name, said in (
        ("out.png", "leads out of the folder"), ("../secret.png", "leads out of the folder"),
        ("pipe.png", "is no file"), ("folder.png", "is no file"), ("circle.png", ""), ("a\0b", ""), ("gone.png", ""),
    ):  # fmt: skip
        with pytest.raises(ImageError, match=said) as told:
            loose_bytes(folder, name)
        assert told.value.code == "unreadable"
