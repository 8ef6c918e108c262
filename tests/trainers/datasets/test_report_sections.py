"""Reports, written for these tests in the shape of MIMIC-CXR's."""

from pathlib import Path

import pytest

from core.rejection import RejectionError
from trainers.datasets.report_sections import name_of, report_text

USUAL = """                                 FINAL REPORT
 EXAMINATION:  CHEST (PA AND LAT)

 INDICATION:  ___ year old man with cough  // pneumonia?

 COMPARISON:  ___

 FINDINGS:

 The lungs are clear.  No effusion
 or pneumothorax since ___.

 IMPRESSION:

 No acute process.

 NOTIFICATION:  Told to Dr. ___ by phone.
"""


def test_findings_and_impression_in_the_order_of_the_report_on_one_line() -> None:
    assert report_text(USUAL) == "The lungs are clear. No effusion or pneumothorax since ___. No acute process."


def test_an_impression_that_stands_first_comes_first() -> None:
    report = " IMPRESSION:  Small left effusion.\n \n FINDINGS:  The heart is large.\n"
    assert report_text(report) == "Small left effusion. The heart is large."


def test_of_two_sections_of_a_name_the_last_counts() -> None:
    report = (
        " WET READ: ___ Clear lungs here.\n IMPRESSION:  First reading only.\n\n IMPRESSION:  Right upper lobe mass.\n"
    )
    assert report_text(report) == "Right upper lobe mass."


def test_an_empty_section_does_not_hide_an_earlier_one() -> None:
    assert report_text(" IMPRESSION:  No acute process.\n IMPRESSION: \n") == "No acute process."


def test_heads_inside_a_section_belong_to_it() -> None:
    report = " FINDINGS: \n LUNGS:  Clear on both sides.\n HEART:  Not enlarged.\n IMPRESSION:  Normal chest film.\n"
    assert report_text(report) == "LUNGS: Clear on both sides. HEART: Not enlarged. Normal chest film."


def test_a_view_as_head_stands_for_findings_where_there_are_none() -> None:
    report = " PA AND LATERAL VIEWS OF THE CHEST:  The heart is large.\n\n IMPRESSION:  Cardiomegaly without edema.\n"
    assert report_text(report) == "The heart is large. Cardiomegaly without edema."
    assert report_text(f"{report} FINDINGS:  The heart is small.\n").endswith("The heart is small.")


def test_without_heads_the_last_paragraph_counts() -> None:
    report = " Portable film of ___.\n \n COMPARISON:  ___.\n \n There is a new left effusion;\n the tube is out.\n"
    assert report_text(report) == "There is a new left effusion; the tube is out."


@pytest.mark.parametrize(
    "report",
    [
        "",
        "\n \n",
        " INDICATION:  Cough and fever for a week.\n",
        " IMPRESSION:  ___ ___ ___.\n",
        " FINDINGS:  Normal.\n",
    ],
)
def test_a_report_that_says_nothing_of_the_image_has_a_reason(report: str) -> None:
    with pytest.raises(RejectionError) as caught:
        report_text(report)
    assert caught.value.code == "no_text"


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("IMPRESSION", "impression"), ("IMRESSION", "impression"), ("IMPRESSON", "impression"),
        ("CONCLUSION", "impression"), ("FINDINGS", "findings"), ("FINIDNGS", "findings"), ("FINDING", "findings"),
        ("FINDINGS AND IMPRESSION", "findings"), ("CHEST FINDINGS", "findings"), ("COMPARISON", "else"),
        ("REASON FOR EXAM", "else"), ("COMPARISION", "else"), ("CLINICAL INFORMATION", "else"),
        ("CHEST, TWO VIEWS", "view"), ("PORTABLE AP CHEST", "view"), ("LUNGS", None), ("BONES", None),
    ],
)  # fmt: skip
def test_heads_are_known_however_they_are_spelt(head: str, name: str | None) -> None:
    assert name_of(head) == name


@pytest.mark.parametrize(
    "report",
    [
        " FINAL REPORT\n INDICATION:  ___ year old woman with dyspnea, rule out pneumonia please now.\n",
        " INDICATION:\n\n ___ year old woman with dyspnea, rule out pneumonia.\n",
        " FINAL REPORT\r\n\r\n Reason for exam: dyspnea since the morning,\r\n fever and cough.\r\n",
        " Clinical Information:\n \n Cough and fever for a week.\n",
        "\tHISTORY: Cough and fever for a week.\n COMPARISON:  None of this patient here.\n",
        " FINDINGS:\n\n INDICATION:  Cough and fever for a week.\n",
        " FINAL REPORT\n",
        " FINAL REPORT\n\n *** FINAL ADDENDUM ***\n",
    ],
)
def test_a_report_that_only_asks_is_no_text(report: str) -> None:
    with pytest.raises(RejectionError, match="neither findings nor an impression"):
        report_text(report)


def test_what_stands_above_the_question_in_one_paragraph_is_told() -> None:
    report = " FINAL REPORT\n The heart is large today.\n INDICATION:  Cough and fever.\n"
    assert report_text(report) == "The heart is large today."


def test_line_ends_of_other_machines_and_heads_in_small_letters_are_read() -> None:
    lines = [
        " FINAL REPORT",
        " Indication: Cough for a week.",
        "",
        " Findings: Lungs are clear.",
        " Impression: Normal.",
    ]
    for end in ("\n", "\r\n", "\r"):
        assert report_text(end.join(lines)) == "Lungs are clear. Normal."


def test_a_word_with_a_colon_inside_findings_is_no_head_of_its_own() -> None:
    report = " FINDINGS:\n Heart: large.\n Chest: no fracture.\n Studies: two.\n"
    assert report_text(report) == "Heart: large. Chest: no fracture. Studies: two."


@pytest.mark.shared
def test_the_reports_with_sections_missing_tell_what_they_tell(shared: Path) -> None:
    folder = shared / "cases" / "reports"
    texts = {}
    for file in sorted(folder.glob("*.txt")):
        try:
            texts[file.stem] = report_text(file.read_bytes().decode())
        except RejectionError:
            texts[file.stem] = ""
    assert texts["only-indication"] == texts["only-head"] == ""
    assert texts["windows-ends"] == "Heart size is normal. Lungs are clear. Normal."
    assert texts["addendum-above"] == "Lungs are clear. No effusion. No acute process."
    assert texts["wet-read"] == "The lungs are well expanded and clear. Normal chest."
