"""Folders whose files are known by their checksums."""

from pathlib import Path

import pytest

from core.checksums import SEALED, DamagedFolder, damage, refuse_damaged, seal
from core.places import Place


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokenizer").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "tokenizer" / "tokenizer.json").write_text("{}")
    seal(tmp_path)
    return tmp_path


def test_a_whole_folder_is_whole_and_one_that_was_never_sealed_is_not_judged(folder: Path, tmp_path: Path) -> None:
    refuse_damaged(Place.at(folder))
    (tmp_path / SEALED).unlink()
    assert damage(Place.at(tmp_path)) == ""


@pytest.mark.parametrize(
    ("file", "data", "said"),
    [
        ("model.safetensors", b"weightz", "model.safetensors is damaged"),
        ("model.safetensors", b"weigh", "model.safetensors is damaged"),
        ("tokenizer/tokenizer.json", None, "tokenizer/tokenizer.json is missing"),
        (SEALED, b"{", "sha256.json is damaged"),
        (SEALED, b"[]", "sha256.json is damaged"),
    ],
)
def test_what_is_cut_flipped_or_gone_is_named(folder: Path, file: str, data: bytes | None, said: str) -> None:
    if data is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(data)
    assert said in damage(Place.at(folder))
    with pytest.raises(DamagedFolder, match=file):
        refuse_damaged(Place.at(folder))


def test_what_may_be_taken_away_is_not_missed_and_no_folder_is(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    assert damage(Place.at(folder), extra=("model.safetensors",)) == ""
