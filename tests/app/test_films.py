"""Radiographs of sets that hold each other: without the patients that a model has seen, or refused."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from app.films import POOLS, comparable, read_films, refuse_related
from core.config import UserError
from core.places import Place
from core.records import Radiograph, Split, Target, to_table
from core.runs import RunConflict, Table
from core.tables import rows_of
from trainers.datasets.containment import UNKNOWN
from trainers.evaluation.retrieval import LeakError

Patients = dict[Split, list[str]]
BLANK = Radiograph(
    image_id="", patient_id="", study_id="", dataset="", split="train", image=b"", width=8, height=8, view=None,
    text="", targets=[Target(name="Mass", present=True)], regions=[], md5="", notes=[],
)  # fmt: skip


def run_of(place: Place, dataset: str, patients: Patients, trained: list[str] | None = None) -> Place:
    """A run with radiographs, one a patient; with a model if it was trained on some."""
    tables = {}
    for split in get_args(Split):
        rows = [
            replace(BLANK, image_id=f"{split}{n}", patient_id=patient, dataset=dataset, split=split)
            for n, patient in enumerate(patients.get(split, []))
        ]
        if rows:
            tables[f"split={split}"] = to_table(rows, Radiograph)
    Table(place / "radiographs", Radiograph).commit(0, tables=tables, rejects=[], inputs="", counts={})
    if trained is not None:
        folder = Path(place.path) / "models" / "m" / "checkpoint"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        (folder / "training_articles.json").write_text(json.dumps(trained))
    return place


@pytest.fixture
def nih(tmp_path: Path) -> Place:
    """A run on NIH with a model that was trained on patients 1 to 4."""
    trained = [f"NIH {number}" for number in range(1, 5)]
    patients: Patients = {"train": trained, "val": ["NIH 5"], "test": ["NIH 6"]}
    return run_of(Place.at(tmp_path / "nih"), "NIH", patients, trained)


def patients_in(files: list[str]) -> list[str]:
    found: list[str] = rows_of(files, Radiograph).to_table(columns=["patient_id"])["patient_id"].to_pylist()
    return found


def test_patients_of_the_training_are_left_out_of_the_pool_and_counted(nih: Place, tmp_path: Path) -> None:
    patients: Patients = {"train": ["NIH 1"], "val": ["NIH 2", "NIH 7"], "test": ["NIH 3", "NIH 8", "NIH 9", "x-1"]}
    films = read_films(run_of(Place.at(tmp_path / "rsna"), "RSNA", patients))
    for _ in range(2):  # the second finds what the first has kept
        fit = comparable(nih, "m", films)
        assert patients_in(fit.files["val"]) == ["NIH 7"] and patients_in(fit.files["test"]) == ["NIH 8", "NIH 9"]
        assert fit.files["train"] == films.files["train"] and fit.digest != films.digest
        assert fit.notes == (
            "RSNA: left out, by NIH's patients: 1 of 2 in val are of patients that the model was trained on; "
            "1 of 4 in test are of patients that the model was trained on, 1 of unknown ones",
        )
    floor = comparable(nih, "m-untrained", films)  # asked what the model is
    assert [patients_in(floor.files[split]) for split in POOLS] == [patients_in(fit.files[split]) for split in POOLS]


def test_a_pool_of_which_nothing_remains_is_refused(nih: Place, tmp_path: Path) -> None:
    patients: Patients = {"train": ["NIH 1"], "val": ["NIH 7"], "test": ["NIH 3"]}
    films = read_films(run_of(Place.at(tmp_path / "rsna"), "RSNA", patients))
    with pytest.raises(LeakError, match="1 of 1 in test are of patients that the model was trained on; none remain"):
        comparable(nih, "m", films)


def test_patients_nobody_saw_change_nothing_but_the_note(nih: Place, tmp_path: Path) -> None:
    patients: Patients = {"train": ["NIH 1"], "val": ["NIH 7"], "test": ["NIH 8"]}
    films = read_films(run_of(Place.at(tmp_path / "rsna"), "RSNA", patients))
    fit = comparable(nih, "m", films)
    assert (fit.files, fit.digest) == (films.files, films.digest) and "0 of 1 in val" in fit.notes[0]


@pytest.mark.parametrize("probed", [f"RSNA{UNKNOWN}", "SIIM", "ChestX-Det"])
def test_a_part_whose_patients_cannot_be_told_apart_is_refused(probed: str, nih: Place, tmp_path: Path) -> None:
    patients: Patients = {"train": ["a"], "val": ["b"], "test": ["c"]}
    films = read_films(run_of(Place.at(tmp_path / "part"), probed, patients))
    with pytest.raises(LeakError, match=r"is taken from NIH.*Its patients cannot be told apart here") as refused:
        comparable(nih, "m", films)
    assert ("with RSNA's mapping file tells them apart" in str(refused.value)) == probed.startswith("RSNA")


def test_parts_of_one_whole_get_a_note(tmp_path: Path) -> None:
    patients: Patients = {"train": ["a"], "val": ["b"], "test": ["c"]}
    run = run_of(Place.at(tmp_path / "siim"), "SIIM", patients, ["a"])
    films = read_films(run_of(Place.at(tmp_path / "rsna"), f"RSNA{UNKNOWN}", patients))
    (note,) = comparable(run, "m", films).notes
    assert "both are taken from NIH; patients may be in both" in note


def test_one_set_known_and_unknown_by_patients_is_refused(tmp_path: Path) -> None:
    patients: Patients = {"train": ["NIH 1"], "val": ["NIH 2"], "test": ["NIH 3"]}
    run = run_of(Place.at(tmp_path / "known"), "RSNA", patients, ["NIH 1"])
    unlike: Patients = {"train": ["a"], "val": ["b"], "test": ["c"]}
    films = read_films(run_of(Place.at(tmp_path / "unknown"), f"RSNA{UNKNOWN}", unlike))
    with pytest.raises(LeakError, match="make both tables with the mapping of patients, or both without"):
        comparable(run, "m", films)


def test_sets_that_have_nothing_to_do_with_each_other_stay_as_they_are(nih: Place, tmp_path: Path) -> None:
    patients: Patients = {"train": ["a"], "val": ["b"], "test": ["c"]}
    films = read_films(run_of(Place.at(tmp_path / "drawn"), "drawn", patients))
    assert comparable(nih, "m", films) == films


def test_judging_sweeps_on_a_related_set_of_unknown_patients_is_refused(nih: Place, tmp_path: Path) -> None:
    unknown: Patients = {"train": ["a"], "val": ["b"], "test": ["c"]}
    known: Patients = {"train": ["NIH 20"], "val": ["NIH 21"], "test": ["NIH 22"]}
    with pytest.raises(LeakError, match="cannot be told apart"):
        refuse_related(nih, run_of(Place.at(tmp_path / "unknown"), f"RSNA{UNKNOWN}", unknown))
    refuse_related(nih, run_of(Place.at(tmp_path / "known"), "RSNA", known))
    refuse_related(nih, run_of(Place.at(tmp_path / "drawn"), "drawn", unknown))


def test_radiographs_are_needed_in_every_split(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match="no radiographs yet"):
        read_films(Place.at(tmp_path / "none"))
    run = run_of(Place.at(tmp_path / "run"), "drawn", {"train": ["a"], "test": ["c"]})
    with pytest.raises(UserError, match="has none in val"):
        read_films(run)
