"""Names of files: what one machine writes, another finds."""

import unicodedata
from pathlib import Path

import pytest

from core.config import UserError
from core.file_names import files_below, found_below, is_hidden, one_form

COMPOSED, APART = (unicodedata.normalize(form, "Müller_été.jpg") for form in ("NFC", "NFD"))


def touched(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


def test_accents_in_two_forms_are_one_name() -> None:
    assert COMPOSED != APART and one_form(COMPOSED) == one_form(APART)


@pytest.mark.parametrize("path", ["._a.jpg", ".DS_Store", "a/.git/b.png", "__MACOSX/a.jpg", "a/__MACOSX/._b.jpg"])
def test_what_machines_leave_beside_files_is_hidden(path: str) -> None:
    assert is_hidden(path)
    assert not is_hidden(path.replace(".", "x").replace("__MACOSX", "mac"))


def test_files_are_listed_but_hidden_ones(tmp_path: Path) -> None:
    touched(tmp_path, "b/2.png", "a.txt", ".hidden/x.png", "._a.txt", "b/.x", "__MACOSX/._a.txt")
    assert list(files_below(tmp_path)) == ["a.txt", "b/2.png"]


def test_links_to_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    root = touched(tmp_path / "root", "z/a.png", "top.png")
    touched(tmp_path / "elsewhere", "c.png")
    (root / "link").symlink_to(tmp_path / "elsewhere")
    (root / "also").symlink_to(root / "z")  # a second way to a folder that is there
    (root / "z" / "circle").symlink_to(root)
    (tmp_path / "elsewhere" / "back").symlink_to(tmp_path / "elsewhere")
    (root / "broken.png").symlink_to(tmp_path / "nowhere")
    (root / "self").symlink_to(root / "self")
    assert sorted(files_below(root)) == ["broken.png", "link/c.png", "self", "top.png", "z/a.png"]


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="none cannot be read: No such file"):
        list(files_below(tmp_path / "none"))


@pytest.mark.parametrize(("there", "asked"), [(COMPOSED, APART), (APART, COMPOSED)])
def test_a_file_is_found_by_either_form_of_its_name(there: str, asked: str, tmp_path: Path) -> None:
    folder = there.removesuffix(".jpg")
    touched(tmp_path, f"{folder}/{there}")
    found = found_below(tmp_path, f"{asked.removesuffix('.jpg')}/{asked}")
    assert found.samefile(tmp_path / folder / there)


def test_a_path_of_windows_is_found(tmp_path: Path) -> None:
    touched(tmp_path, "images/a.png")
    assert found_below(tmp_path, "images\\a.png") == tmp_path / "images" / "a.png"


def test_what_is_not_there_keeps_its_name(tmp_path: Path) -> None:
    assert found_below(tmp_path, "images/a.png") == tmp_path / "images/a.png"
    assert found_below(tmp_path, "") == tmp_path
