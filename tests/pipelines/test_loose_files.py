"""A user's files as work: none is lost, whatever its name."""

import os
from pathlib import Path

import pytest

from core.images import ImageError
from core.places import Place
from pipelines.loose_files import (
    CaptionWork,
    FigureWork,
    figures_below,
    images_in,
    loose_bytes,
    named,
    with_captions,
)


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


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("Mu\u0308ller.jpg", "M\u00fcller.jpg"),
        ("sub/fig1.jpg", "sub\\fig1.jpg"),
        ("fig1.jpg", "./fig1.jpg"),
        ("FIG5.JPG", "fig5.jpg"),
        ("x/FIG5.JPG", "fig5.jpg"),
        ("fig6.jpeg", "fig6"),
        ("a/Fig.6.tif", "fig.6"),
    ],
)
def test_a_name_finds_its_image_however_it_is_written(image: str, name: str) -> None:
    assert named([image, "other.png"], [name, "another"]) == {name: image}


def test_a_name_that_fits_several_images_is_no_name() -> None:
    assert named(["fig1.jpg", "fig1.png"], ["fig1"]) == {}
    assert named(["Fig1.jpg", "fig1.jpg"], ["FIG1.JPG"]) == {}
    assert named(["Fig1.jpg", "fig1.jpg"], ["Fig1.jpg", "fig1.jpg"]) == {"Fig1.jpg": "Fig1.jpg", "fig1.jpg": "fig1.jpg"}
    assert named(["fig1.jpg"], ["fig1.jpg", "fig1"]) == {"fig1.jpg": "fig1.jpg"}
    assert named(["u\u0308.jpg", "\u00fc.jpg"], ["u\u0308.jpg"]) == {"u\u0308.jpg": "u\u0308.jpg"}


def test_what_has_no_counterpart_keeps_a_row() -> None:
    figures = [FigureWork("a.png"), FigureWork("b.png"), FigureWork("d.png"), FigureWork("e.heic", code="not_read")]
    captions = [
        CaptionWork("a.png", "one"),
        CaptionWork("c.png", "two"),
        CaptionWork("d.png", "", code="no_caption", message="row 3 has no caption"),
        CaptionWork("e.heic", "four"),
        CaptionWork("a.png", "", code="duplicate_id"),
        CaptionWork("", "", code="bad_row"),
    ]
    works = with_captions(figures, captions)
    assert FigureWork("a.png", "one") in works
    assert [(work.image, work.code) for work in works] == [
        ("", "bad_row"),
        ("a.png", ""),
        ("a.png", "duplicate_id"),
        ("b.png", "no_caption"),
        ("c.png", "no_image"),
        ("d.png", "no_caption"),
        ("e.heic", "not_read"),
    ]


def test_a_kind_that_is_not_read_has_a_work_that_says_so(tmp_path: Path) -> None:
    for name in ("a.heic", "b.dcm", "c.nii.gz", "d.SVG", "e.pdf", "f.bmp", "g.jfif", "notes.txt", "Thumbs.db", "empty"):
        (tmp_path / name).touch()
    for name in ("._a.jpg", ".DS_Store", ".hidden/x.jpg", "__MACOSX/y.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = {work.image: work.message.partition(" is not read here")[0] for work in figures_below(Place.at(tmp_path))}
    assert found == {
        "a.heic": "HEIC",
        "b.dcm": "DICOM",
        "c.nii.gz": "NIfTI",
        "d.SVG": "SVG",
        "e.pdf": "PDF",
        "f.bmp": "",
        "g.jfif": "",
    }


def test_a_file_without_a_suffix_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    (tmp_path / "png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (tmp_path / "1.2.840.99").write_bytes(bytes(128) + b"DICM")
    (tmp_path / "README").write_text("BM and other words")
    found = [(work.image, work.code) for work in figures_below(Place.at(tmp_path))]
    assert found == [("1.2.840.99", "not_read"), ("png", "")]
    (tmp_path / "secret").touch(mode=0)
    assert images_in(Place.at(tmp_path)) == ["png"]


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "there" / "circle").parent.mkdir()
    (tmp_path / "there" / "x.png").touch()
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "link").symlink_to(tmp_path / "there")
    (tmp_path / "there" / "circle").symlink_to(tmp_path / "here")
    assert images_in(Place.at(tmp_path / "here")) == ["link/x.png"]


@pytest.mark.usefixtures("storage_server")
def test_folders_elsewhere_are_read_alike(bucket: str) -> None:
    place = Place.at(f"{bucket}/figures")
    for name, data in {
        "a.png": b"",
        "._a.png": b"",
        "b.heic": b"",
        "noext": b"GIF89a",
        "x/__MACOSX/c.png": b"",
    }.items():
        (place / name).write_bytes(data or b"x")
    assert [(work.image, work.code) for work in figures_below(place)] == [
        ("a.png", ""),
        ("b.heic", "not_read"),
        ("noext", ""),
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
