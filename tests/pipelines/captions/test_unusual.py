"""Labels of other scripts and forms: split where they name panels, and never elsewhere."""

import json
from pathlib import Path

import pytest

from pipelines.captions.split import split_caption
from pipelines.captions.unusual import has_own_letter, unusual_markers


def parts(caption: str) -> dict[str, str]:
    """The text of each label."""
    found = split_caption(caption, min_confidence=0.5)
    return {label: part.text for part in found.subcaptions for label in part.labels}


@pytest.mark.parametrize(
    ("first", "second", "third", "labels"),
    [
        ("(\u0410)", "(\u0412)", "(\u0421)", "ABC"),  # Cyrillic that looks Latin
        ("(\u0410)", "(B)", "(C)", "ABC"),
        ("(\u0410)", "(\u0411)", "(\u0412)", "ABC"),  # as Russian counts
        ("(\u0430)", "(\u0431)", "(\u0432)", "abc"),
        ("(α)", "(β)", "(γ)", "abc"),
        ("(Α)", "(Β)", "(Γ)", "ABC"),
        ("（甲）", "（乙）", "（丙）", "abc"),
        ("(أ)", "(ب)", "(ج)", "abc"),
        ("(أ)", "(ب)", "(ت)", "abc"),
        ("(א)", "(ב)", "(ג)", "abc"),
        ("①", "②", "③", "123"),
        ("❶", "❷", "❸", "123"),
        ("⒜", "⒝", "⒞", "abc"),
        ("Ⓐ", "Ⓑ", "Ⓒ", "ABC"),
        ("（Ａ）", "（Ｂ）", "（Ｃ）", "ABC"),
        ("{A}", "{B}", "{C}", "ABC"),
        ("【a】", "【b】", "【c】", "abc"),
        ("**A**", "**B**", "**C**", "ABC"),
        ("**(a)**", "**(b)**", "**(c)**", "abc"),
        ("<b>A</b>", "<b>B</b>", "<b>C</b>", "ABC"),
        ("<strong>A.</strong>", "<strong>B.</strong>", "<strong>C.</strong>", "ABC"),
    ],
)
def test_labels_that_name_panels_split_the_caption(first: str, second: str, third: str, labels: str) -> None:
    assert parts(f"Brain MRI. {first} T1 image. {second} T2 image. {third} FLAIR image.") == dict(
        zip(labels, ("T1 image.", "T2 image.", "FLAIR image."), strict=True)
    )


@pytest.mark.parametrize(
    "caption",
    [
        "Patient with vitamin (A) deficiency and hepatitis (B) infection, brain MRI.",
        "MRI of a patient treated with interferon (α) and interferon (β).",
        "Expression of integrin (α) and (β) chains in brain tissue.",
        "Brain MRI, haemophilia (A) and haemophilia (B).",
        "CT on day ① of two, MRI on day ② of two.",
        "Brain MRI. (α) T1 image. (γ) T2 image.",  # no run
        "Brain MRI. (α) T1 image.",
        "The **A** of the alphabet.",
        "MRI of {x} and {y}.",
        "Brain MRI. (я) T1 image. (ю) T2 image.",
    ],
)
def test_what_names_no_panel_leaves_the_caption_whole(caption: str) -> None:
    assert parts(caption) == {}


def test_letters_go_on_after_z_in_two_ways() -> None:
    letters = [chr(ord("A") + number) for number in range(26)]
    for more in (["AA", "AB", "AC"], ["AA", "BB", "CC"]):
        labels = [*letters, *more]
        found = parts("MRI. " + " ".join(f"({label}) view {number}." for number, label in enumerate(labels)))
        assert found == {label: f"view {number}." for number, label in enumerate(labels)}
    assert "AA" not in parts("MRI. (A) view 1. (B) view 2, (AA) amyloid.")


def test_a_letter_of_its_own_and_one_that_is_not() -> None:
    assert has_own_letter("of vitamin (A)", 11) and not has_own_letter("T1 image (A)", 9)
    assert unusual_markers("") == [] and unusual_markers("(A) T1. (B) T2.") == []


def test_the_cases_are_split_where_labels_name_panels(shared: Path) -> None:
    rows = json.loads((shared / "cases" / "unusual-labels" / "captions.json").read_text(encoding="utf-8"))
    whole = {row["id"] for row in rows if not parts(row["caption"])}
    # Those after the first two name panels in ways that are not read: words of place after commas, " : " of French, a
    # run from G on that leaves out I. Their captions stay whole.
    assert whole <= {"vitamin", "figure-of-dates", "topleft", "guillemet", "skips-I"}
