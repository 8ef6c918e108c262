"""figray dataset: what is asked, and the tables that a published and a drawn set become."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app import radiographs
from app.steps import table
from core.config import SettingError, UserError, load
from core.places import Place
from core.records import Pair, Radiograph, from_table
from core.runs import RunConflict
from tests.rsna_patients import write_set
from trainers.datasets.nih_mapping import NAME

TEXTS = ("The heart is large. No effusion.", "Clear lungs. No pneumothorax is seen.", "")


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Twelve images of six patients, one of them broken, and the CSV that describes them."""
    rows = ["image,patient_id,split,text,label_Mass"]
    for number in range(12):
        split = ("train", "val", "test")[number // 2 % 3]
        rows.append(f"{number}.png,p{number // 2},{split},{TEXTS[number % 3]},{number % 2}")
        file = io.BytesIO()
        Image.fromarray(np.full((40, 30), 10 * number, dtype=np.uint8)).save(file, "PNG")
        (tmp_path / f"{number}.png").write_bytes(file.getvalue() if number != 7 else b"no image")
    (tmp_path / "films.csv").write_text("\n".join(rows))
    return tmp_path


def test_what_is_asked_is_checked_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no data set chexpert: there are mimic, rsna, siim, nih, csv, phantom"):
        radiographs.asked("chexpert", tmp_path)
    with pytest.raises(SettingError, match=r"there is no .*nowhere"):
        radiographs.asked("rsna", tmp_path / "nowhere")
    with pytest.raises(SettingError, match="rsna is read from a folder"):
        radiographs.asked("rsna", None)
    with pytest.raises(SettingError, match="--column patient: write it as"):
        radiographs.asked("csv", tmp_path, columns=["patient"])
    for kind in ("mimic", "rsna", "siim", "nih", "csv"):
        with pytest.raises(UserError, match=r"comes from|no CSV file"):
            radiographs.source_of(radiographs.asked(kind, tmp_path), load())
    told = radiographs.asked("csv", tmp_path, views="pa, AP", columns=["text=report"])
    assert (told.views, dict(told.columns)) == (("PA", "AP"), {"text": "report"})
    assert radiographs.asked("phantom", None).kind == "phantom"


@pytest.mark.ray
def test_a_set_becomes_tables_once(local_ray: None, films: Path, tmp_path: Path) -> None:
    run, config = Place.at(tmp_path / "run"), load(None, ["tables.parts=3"])
    asked = radiographs.asked("csv", films)
    seen: list[int] = []
    made = radiographs.write_tables(
        config, run, radiographs.source_of(asked, config), lambda _, part, total: seen.append(total)
    )
    assert seen == [3, 3, 3]
    assert made.rows == 11
    assert made.left_out == {"not_image": 1}
    pairs = table(run, "pairs", Pair)  # as `figray train` finds them
    rows = [row for split in ("train", "val", "test") for row in from_table(pairs.read(f"split={split}"), Pair)]
    assert {row.text for row in rows} == set(TEXTS[:2])
    for row in rows:
        assert " ".join(row.text[each.start : each.end] for each in row.sentences) == row.text
        assert len(row.sentences) == 2
    said = "\n".join(radiographs.summary(made))
    assert "train: 3 images of 2 patients; 3 with a report" in said
    assert "Mass: 1 of 3 train (33.3 %), 2 of 4 val (50.0 %), 2 of 4 test (50.0 %)" in said
    assert "left out: 1 not_image" in said

    before = {part.part: part.files for part in made.parts()}
    again = radiographs.write_tables(config, run, radiographs.source_of(asked, config), lambda *_: None)
    assert {part.part: part.files for part in again.parts()} == before
    (films / "films.csv").write_text("image,text\n0.png,Something else now.")
    with pytest.raises(RunConflict):
        radiographs.write_tables(config, run, radiographs.source_of(asked, config), lambda *_: None)


@pytest.mark.ray
def test_a_set_of_which_nothing_can_be_used_says_why(local_ray: None, films: Path, tmp_path: Path) -> None:
    (films / "films.csv").write_text("image,text\n7.png,Clear lungs today.\ngone.png,Clear lungs today.")
    with pytest.raises(UserError, match="no radiograph could be used: 1 missing_image, 1 not_image"):
        source = radiographs.source_of(radiographs.asked("csv", films), load())
        radiographs.write_tables(load(), Place.at(tmp_path / "run"), source, lambda *_: None)


@pytest.mark.ray
def test_drawn_patients_become_tables(local_ray: None, tmp_path: Path) -> None:
    run = Place.at(tmp_path / "run")
    config = load(None, ["phantom.patients=4", "model.image_size=48", "tables.parts=2"])
    made = radiographs.draw_chests(config, run, lambda *_: None)
    rows = [row for split in ("train", "val", "test") for row in from_table(made.read(f"split={split}"), Radiograph)]
    assert len({row.patient_id for row in rows}) == 4
    assert all(max(row.width, row.height) == 48 and row.text for row in rows)
    assert table(run, "pairs", Pair).rows == len(rows)


def test_a_mapping_is_for_rsna_and_is_there(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="--mapping is for rsna alone"):
        radiographs.asked("csv", tmp_path, mapping=tmp_path)
    with pytest.raises(SettingError, match=r"there is no .*nowhere\.json"):
        radiographs.asked("rsna", tmp_path, mapping=tmp_path / "nowhere.json")


def test_the_table_of_rsna_depends_on_whose_patients_it_knows(tmp_path: Path) -> None:
    write_set({"a-1": "00000001_000.png", "a-2": "00000001_003.png"}, tmp_path / "set")
    known = radiographs.source_of(radiographs.asked("rsna", tmp_path / "set"), load())
    assert {work.patient_id for work in known.works} == {"NIH 1"}
    assert known.asked["patients"] == "NIH's" and "2 of 2 images are of 1 patients" in known.notes[0]
    (tmp_path / "set" / NAME).rename(tmp_path / "away.json")
    unknown = radiographs.source_of(radiographs.asked("rsna", tmp_path / "set"), load())
    assert unknown.asked["patients"] == "unknown" and "patients are unknown" in unknown.notes[0]
    named = radiographs.asked("rsna", tmp_path / "set", mapping=tmp_path / "away.json")
    assert radiographs.source_of(named, load()).asked["patients"] == "NIH's"


def test_a_published_list_of_splits_decides_and_makes_another_table(films: Path) -> None:
    listed = films / "published.csv"
    listed.write_text("image_id,split\n" + "\n".join(f"{n},{('test', 'train')[n > 3]}" for n in range(10)))
    asked = radiographs.asked("csv", films / "films.csv")
    plain, by_list = (radiographs.source_of(each, load()) for each in (asked, replace(asked, splits=(str(listed),))))
    sides = {Path(work.image).stem: work.split for work in by_list.works}
    assert len(plain.works) == 12 and len(sides) == 10
    assert {name for name, side in sides.items() if side == "test"} == {"0", "1", "2", "3"}
    assert by_list.asked != plain.asked and "2 of 12 images are not in published.csv" in by_list.notes
