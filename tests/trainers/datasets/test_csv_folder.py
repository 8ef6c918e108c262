"""A user's folder with a CSV."""

from collections.abc import Callable
from pathlib import Path

import pytest

from core.records import Target
from trainers.datasets.csv_folder import notes, table_in, works
from trainers.datasets.work import DatasetError, Outline, Work

Write = Callable[[str, bytes | str], Path]


def listed(table: Path, **columns: str) -> list[Work]:
    return works(table, columns=columns, mask_target="lungs", seed=0)


def test_all_that_is_known_is_read(write: Write) -> None:
    table = write(
        "films.csv",
        "image,subject,study_id,split,view,text,mask,label_Mass,label_Edema,label_no_finding,extra\n"
        'a.png,7,s1,validate,pa,"Clear, both lungs.",m.png,1,0.0,-1,x\n'
        "b.png,,,TRAIN,,,,,,1,y\n",
    )
    first, second = listed(table, patient_id="subject")
    assert first == Work(
        image="a.png", image_id="a.png", patient_id="films 7", study_id="s1", dataset="films", split="val", view="PA",
        text="Clear, both lungs.", targets=[Target(name="Mass", present=True), Target(name="Edema", present=False)],
        outlines=[Outline(target="lungs", mask="m.png")],
    )  # fmt: skip
    assert (second.patient_id, second.study_id, second.split, second.view) == ("films b.png", "b.png", "train", None)
    assert second.targets == [Target(name="No Finding", present=True)]


def test_without_a_split_patients_are_shared_out(write: Write) -> None:
    lines = [f"{patient}-{n}.png,{patient}" for patient in range(300) for n in range(2)]
    made = listed(write("films.csv", "\n".join(["image,patient_id", *lines])))
    sides = {work.patient_id: work.split for work in made}
    assert all(work.split == sides[work.patient_id] for work in made)
    shares = [sum(side == name for side in sides.values()) / 300 for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.07)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("picture\na.png\n", "has no column image"),
        ("image,split\na.png,dev\n", "split 'dev'; there are train, val and test"),
        ("image,label_Mass\na.png,yes\n", "label_Mass is 'yes'"),
        ("image\na.png\na.png\n", "lists image a.png twice"),
    ],
)
def test_what_does_not_fit_is_named(write: Write, text: str, said: str) -> None:
    with pytest.raises(DatasetError, match=said):
        listed(write("films.csv", text))


def test_columns_are_named_by_what_figray_calls_them(write: Write) -> None:
    table = write("films.csv", "image\na.png\n")
    with pytest.raises(DatasetError, match="--column patient: there are image, patient_id"):
        listed(table, patient="image")
    with pytest.raises(DatasetError, match="has no column subject"):
        listed(table, patient_id="subject")


def test_a_folder_has_one_csv_or_it_is_named(root: Path, write: Write) -> None:
    first = write("a.csv", "image\n")
    assert table_in(root) == table_in(first) == first
    write("b.csv", "image\n")
    with pytest.raises(DatasetError, match=r"several CSV files \(a\.csv, b\.csv\); name one"):
        table_in(root)
    assert table_in(first) == first


def test_hidden_files_are_no_tables(root: Path, write: Write) -> None:
    table = write("a.CSV", "image\n")
    write("._a.csv", "x")
    assert table_in(root) == table


def test_columns_are_found_however_they_are_spelt(write: Write) -> None:
    table = write("films.csv", "Image;Patient ID;Label Mass;LABEL_No-Finding;Text\na.png;103,0;1;0;Clear, both.\n")
    (work,) = listed(table)
    assert (work.image, work.text, work.patient_id) == ("a.png", "Clear, both.", "films 103,0")
    assert work.targets == [Target(name="Mass", present=True), Target(name="No Finding", present=False)]


def test_a_patient_is_one_however_a_spreadsheet_wrote_the_id(write: Write) -> None:
    made = listed(write("films.csv", "image,Patient_ID\na.png,103.0\nb.png,103\nc.png,nan\n"))
    assert [work.patient_id for work in made] == ["films 103", "films 103", "films c.png"]


@pytest.mark.parametrize("nothing", ["nan", "NA", "None", "N/A", "null", ""])
def test_words_for_nothing_are_nothing_in_every_column(nothing: str, write: Write) -> None:
    header = "image,patient_id,study_id,view,text,mask,label_Mass"
    (work,) = listed(write("films.csv", f"{header}\na.png{f',{nothing}' * 6}\n"))
    assert (work.patient_id, work.study_id, work.view, work.text) == ("films a.png", "a.png", None, "")
    assert (work.targets, work.outlines) == ([], [])


def test_a_row_without_an_image_and_two_columns_of_one_finding_are_refused(write: Write) -> None:
    with pytest.raises(DatasetError, match="a row names no image, and holds 7"):
        listed(write("films.csv", "image,patient_id\n,7\n"))
    with pytest.raises(DatasetError, match="columns label_Mass and Label mass are of one finding"):
        listed(write("films.csv", "image,label_Mass,Label mass\na.png,1,1\n"))


def test_an_empty_row_is_passed_over_and_a_cut_one_is_refused(write: Write) -> None:
    assert len(listed(write("films.csv", "image,text\na.png,x\n,\n\n"))) == 1
    with pytest.raises(DatasetError, match="line 2: 3 cells, and the header has 2"):
        listed(write("films.csv", "image,text\na.png,Heart normal, lungs clear\n"))


def test_it_is_said_that_patients_are_unknown_and_what_is_not_read(write: Write) -> None:
    assert notes(write("films.csv", "image,caption\na.png,x\n"), {}) == [
        "films.csv: no patient column: each image is a patient; --column patient_id=NAME names one",
        "films.csv: columns not read: caption; --column text=NAME names one",
    ]
    table = write("films.csv", "image,Subject,note,label_Mass\na.png,7,x,1\nb.png,NA,,0\n")
    assert notes(table, {"patient_id": "subject", "text": "note"}) == [
        "films.csv: 1 rows name no patient: each of their images is one of its own"
    ]
    assert notes(write("films.csv", "image,patient_id\na.png,7\n"), {}) == []


@pytest.mark.shared
def test_real_tables_are_read(shared: Path) -> None:
    notes = works(
        shared / "chest_xrays" / "pairs.csv",
        columns={"patient_id": "patientid", "mask": "mask_v7"},
        mask_target="lungs",
        seed=0,
    )
    assert len(notes) == 165
    assert sum(bool(work.outlines) for work in notes) == 55
    assert all(work.text for work in notes)
    labelled = works(shared / "chest_xrays" / "nih.csv", columns={}, mask_target="mask", seed=0)
    assert len(labelled) == 1126
    assert {len(work.targets) for work in labelled} == {15}


def test_an_error_is_one_line_whatever_the_row_holds(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('image,text\n,"Heart.\nLungs."\n')  # found by fuzzing
    with pytest.raises(DatasetError) as refused:
        works(tmp_path / "t.csv", columns={}, mask_target="mask", seed=0)
    assert "\n" not in str(refused.value)
