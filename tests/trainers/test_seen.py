"""What a model has seen is told beside it, wherever its folder stands and however old it is."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.checksums import DamagedFolder, refuse_damaged, seal
from core.config import UserError
from core.places import Place
from trainers.seen import FILE, carry, is_told, pieces_of, point_to, seen_by, seen_rows, write_seen


@pytest.fixture
def told(tmp_path: Path) -> Path:
    """The file of a training, in two pieces that share an image."""
    pieces = [seen_rows("article", ["PMC1.1", "PMC2.1"]), seen_rows("image", ["a", "b"]), seen_rows("image", ["b"])]
    write_seen(Place.at(tmp_path) / "seen", pieces)
    return tmp_path / "seen"


def test_all_of_it_or_what_is_among_others_is_told(told: Path) -> None:
    assert seen_by(told, "article") == {"PMC1.1", "PMC2.1"} and seen_by(told, "image") == {"a", "b"}
    assert seen_by(told, "image", among={"b", "c"}) == {"b"} and seen_by(told, "article", among=[]) == set()
    assert seen_by(told, "article", among={"a": 1}.keys()) == set()  # a mark is no id


def test_a_checkpoint_points_to_it_and_a_model_that_is_published_carries_it(told: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    point_to(folder, str(told))
    seal(folder)
    assert is_told(folder) and seen_by(folder, "image") == {"a", "b"} and not (folder / FILE).exists()
    carry(folder)
    (told / FILE).unlink()
    assert seen_by(folder, "article") == {"PMC1.1", "PMC2.1"}
    refuse_damaged(Place.at(folder))
    (folder / FILE).write_bytes((folder / FILE).read_bytes()[:-1] + b"x")
    with pytest.raises(DamagedFolder, match=r"seen\.parquet is damaged"):
        refuse_damaged(Place.at(folder))


def test_what_is_gone_or_was_never_told_is_not_taken_for_nothing(told: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    with pytest.raises(UserError, match="does not say what its model was trained on"):
        seen_by(folder, "article")
    point_to(folder, str(told))
    (told / FILE).unlink()
    with pytest.raises(UserError, match="which is gone"):
        seen_by(folder, "article")


def test_an_older_model_tells_it_as_json(tmp_path: Path) -> None:
    (tmp_path / "training_articles.json").write_text(json.dumps(["PMC1.1"]))
    assert is_told(tmp_path) and seen_by(tmp_path, "article") == {"PMC1.1"} and seen_by(tmp_path, "image") == set()
    assert sum(piece.num_rows for piece in pieces_of(tmp_path)) == 1


def test_many_small_pieces_are_few_row_groups(tmp_path: Path) -> None:
    write_seen(Place.at(tmp_path) / "seen", (seen_rows("article", [f"{n}", f"{n}x"]) for n in range(100)))
    told = pq.read_metadata(tmp_path / "seen" / FILE)
    assert (told.num_rows, told.num_row_groups) == (200, 1)


def test_rows_of_a_column_have_each_name_once_and_no_missing_one() -> None:
    assert seen_rows("image", pa.chunked_array([["a", None], ["a", "b"]]))["name"].to_pylist() == ["a", "b"]
