"""What is left out, and the reason that stands on the row."""

import pytest

from core.settings import SelectSettings, SourceSettings
from pipelines.sources.selection import (
    article_rejection,
    article_types,
    figure_rejection,
    licence_code,
    licence_rejection,
    size_rejection,
    version_rejection,
)

FREE = ("CC0", "CC BY", "CC BY-SA")


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("CC BY", "CC BY"),
        ("cc by", "CC BY"),
        ("CC-BY-NC_ND", "CC BY-NC-ND"),
        ("CC BY 4.0", "CC BY"),
        ("CC0", "CC0"),
        ("CC0 1.0", "CC0"),
        ("CC 0", "CC0"),
        ("http://creativecommons.org/licenses/by/2.0", "CC BY"),
        ("https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode", "CC BY-NC-SA"),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "CC0"),
        ("TDM", "TDM"),
        ("https://publisher.example/terms", ""),
        ("", ""),
        (None, ""),
    ],
)
def test_licences_are_spelt_as_pmc_spells_them(stated: str | None, code: str) -> None:
    assert licence_code(stated) == code


def test_only_allowed_licences_stay_however_they_are_spelt_in_the_settings() -> None:
    assert licence_rejection("CC BY", FREE) is None
    assert licence_rejection("CC BY", ("cc by",)) is None
    assert [(licence_rejection(code, FREE) or ("",))[0] for code in ("CC BY-ND", "CC BY-NC", "TDM", "")] == [
        "licence"
    ] * 4


def test_a_version_is_left_out_for_what_its_metadata_says() -> None:
    def code(open_access: bool, manuscript: bool, retracted: bool) -> str | None:
        reason = version_rejection(open_access=open_access, manuscript=manuscript, retracted=retracted)
        return reason and reason[0]

    assert code(True, False, False) is None
    assert code(False, False, False) == "not_open_access"
    assert code(True, True, False) == "manuscript"
    assert code(True, False, True) == "retracted"
    assert code(False, True, True) == "retracted"


def test_case_reports_are_asked_of_a_query_and_any_type_of_a_bucket() -> None:
    query, bucket = SourceSettings(), SourceSettings(origin="bucket:anywhere")
    assert article_types(SelectSettings(), query) == ("case-report",)
    assert article_types(SelectSettings(), bucket) is None
    named = SelectSettings(article_types=("letter",))
    assert article_types(named, query) == article_types(named, bucket) == ("letter",)


def test_an_article_is_left_out_for_its_type() -> None:
    assert article_rejection("case-report", ("case-report",)) is None
    assert article_rejection("anything", None) is None
    assert (article_rejection("review-article", ("case-report",)) or ("",))[0] == "not_case_report"
    assert (article_rejection("", ("letter", "case-report")) or ("",))[0] == "article_type"


@pytest.mark.parametrize(
    ("caption", "code"),
    [
        ("Brain MRI", None),
        ("MRI of the BRAIN.", None),
        ("Two brains", None),
        ("brain-stem glioma", None),
        ("(brain)", None),
        ("Midbrain", "keyword"),
        ("Brainstem", "keyword"),
        ("brain_1", "keyword"),
        ("Chest X-ray", "keyword"),
        ("", "no_caption"),
        (" \n", "no_caption"),
    ],
)
def test_the_keyword_is_looked_for_as_a_word(caption: str, code: str | None) -> None:
    reason = figure_rejection(caption, "brain")
    assert (reason and reason[0]) == code


def test_an_empty_keyword_keeps_every_caption() -> None:
    assert figure_rejection("Chest X-ray", "") is None
    assert (figure_rejection("", "") or ("",))[0] == "no_caption"


def test_a_keyword_is_text_and_not_a_pattern() -> None:
    assert figure_rejection("T1 (c+)", "(c+)") is None
    assert figure_rejection("white  matter", "white matter") is None
    assert (figure_rejection("xccc", "c+") or ("",))[0] == "keyword"


def test_small_and_narrow_images_are_left_out() -> None:
    def code(width: int, height: int) -> str | None:
        reason = size_rejection(width, height, min_side=64, max_aspect=12)
        return reason and reason[0]

    assert code(64, 64 * 12) is None
    assert code(64, 64 * 12 + 1) == "aspect"
    assert code(64 * 12 + 1, 64) == "aspect"
    assert code(63, 900) == code(1, 1) == code(20_000, 2) == "too_small"
