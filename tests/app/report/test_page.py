"""The page is inert whatever it is told, complete without any of its parts, and says what the numbers say."""

import dataclasses
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml import html
from PIL import Image

from app.report.page import Report, Stage, bars, first_findings, policy_hash, render, show, summary

ATTACKS = [
    "<script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "</style><script>alert(1)</script>",
    "</svg><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=x onerror=alert(1)>',
    "'><svg onload=alert(1)>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)' autofocus='",
    '<a href="javascript:alert(1)">x</a>',
    "<iframe src=https://example.org></iframe>",
    "<link rel=stylesheet href=https://example.org/a.css>",
    "<style>@import 'https://example.org/a.css'</style>",
    '<meta http-equiv="refresh" content="0;url=https://example.org">',
    "<base href=https://example.org/>",
    "<form action=https://example.org><input autofocus onfocus=alert(1)>",
    "<svg><animate onbegin=alert(1) attributeName=x dur=1s>",
    "<math><mtext></p><script>alert(1)</script>",
    "{{ 7 * 7 }}{% include 'report.css' %}${7*7}",
    "$\\frac{<b>}{x}$ <!-- --!><script>alert(1)</script> ]]>",
]


def read(page: str) -> Any:
    """The parsed page; the stubs of lxml know elements of XML alone."""
    return html.fromstring(page)


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_in_captions_labels_and_titles_stays_text(
    attack: str, fill_report: Callable[..., Report], check_inert: Callable[[str], None]
) -> None:
    page = render(fill_report(attack))
    check_inert(page)
    tree = read(page)
    assert tree.findtext(".//h1") == attack
    assert tree.findtext(".//title") == attack
    assert len(tree.findall(".//style")) == 1 + len(tree.findall(".//svg"))  # the page's own and those of the plots
    assert len(tree.findall(".//meta")) == 4


def test_the_policy_forbids_everything_but_inline_style_and_inline_images(fill_report: Callable[..., Report]) -> None:
    tree = read(render(fill_report()))
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    own, _, script = policy.rpartition("; ")
    assert own == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
    (code,) = [each.text for each in tree.iter("script") if each.get("type") is None]
    assert script == f"script-src '{policy_hash(code)}'"


def test_a_page_without_pairs_runs_no_script(empty: Report) -> None:
    page = render(empty)
    assert "<script" not in page and "script-src" not in page


def test_the_rows_of_the_list_are_what_was_given(fill_report: Callable[..., Report]) -> None:
    report = fill_report("</script><b>&amp;")
    (data,) = [each.text for each in read(render(report)).iter("script") if each.get("type")]
    assert report.pairs is not None
    assert json.loads(data) == json.loads(json.dumps(report.pairs.data))


def test_addresses_in_text_are_shown_and_not_linked(
    fill_report: Callable[..., Report], check_inert: Callable[[str], None]
) -> None:
    page = render(fill_report())
    check_inert(page)
    assert "https://example.org/f1.png" in read(page).text_content()


def test_a_page_without_any_part_is_valid_and_says_what_is_missing(
    empty: Report, check_inert: Callable[[str], None]
) -> None:
    page = render(empty)
    check_inert(page)
    absent = " ".join(element.text_content() for element in read(page).find_class("absent"))
    for said in (
        "No retrieval",
        "No articles",
        "truth",
        "No separated figures",
        "No model was trained",
        "No retrieval ex",
        "No pairs were made",
    ):
        assert said in absent
    assert len(read(page).findall(".//section")) == 7


@pytest.mark.parametrize("part", ["accuracy", "curves", "retrieval", "pools", "settings", "seconds"])
def test_a_missing_part_leaves_the_others(part: str, fill_report: Callable[..., Report]) -> None:
    nothing: dict[str, Any] = {part: {}}
    whole, without = (read(render(report)) for report in (fill_report(), dataclasses.replace(fill_report(), **nothing)))
    assert len(without.find_class("absent")) == len(whole.find_class("absent")) + 1
    assert len(without.findall(".//section")) == len(whole.findall(".//section"))


def test_the_best_value_of_each_column_is_bold(fill_report: Callable[..., Report]) -> None:
    table = read(render(fill_report())).find_class("numbers")[0]
    rows = [[cell.findtext("strong") for cell in row.findall("td")] for row in table.findall("tbody/tr")]
    assert rows == [[None, None, "30.0", "60.0"], ["34.0", "70.0", None, "60.0"]]


def test_modalities_have_a_table_of_their_own(fill_report: Callable[..., Report]) -> None:
    first, second = read(render(fill_report())).get_element_by_id("retrieval").find_class("numbers")[:2]
    assert [row.findtext("th") for row in second.findall("tbody/tr")] == ["plain", "CT"]
    assert [cell.text for cell in second.findall("tbody/tr[1]/td")] == ["30", "12.0", "40.0", "30.0", "60.0"]
    assert "5–20" in first.text_content()


def test_the_same_report_gives_the_same_page(fill_report: Callable[..., Report]) -> None:
    assert render(fill_report()) == render(fill_report())


def test_images_have_words_and_header_cells_a_scope(fill_report: Callable[..., Report]) -> None:
    tree = read(render(fill_report()))
    images = tree.findall(".//img")
    assert len(images) == 4  # of a figure, a query, an answer, and of the blank pair
    assert all(image.get("alt") for image in images)
    assert all(cell.get("scope") in {"row", "col", "colgroup"} for cell in tree.iter("th"))
    assert all(svg.get("role") == "img" and svg.get("aria-label") for svg in tree.iter("svg"))


def test_every_reason_is_counted_and_put_in_words(fill_report: Callable[..., Report]) -> None:
    funnel = read(render(fill_report())).get_element_by_id("funnel")
    rows = [[cell.text_content() for cell in row] for row in funnel.findall(".//tbody/tr")]
    assert ["plain", "the article is not a case report", "not_case_report", "1 articles", "10.0 %"] in rows


def test_bars_share_one_scale_and_show_what_was_left_out() -> None:
    found, kept = bars([
        Stage(name="found", kept=100, unit="articles"),
        Stage(name="kept", kept=60, unit="articles", left_out={"licence": 15, "keyword": 25}),
    ])  # fmt: skip
    assert (found.kept_width, found.left_out_width) == (100.0, 0.0)
    assert (kept.kept_width, kept.left_out, kept.left_out_width) == (60.0, 40, 40.0)


def test_bars_of_nothing_have_no_width() -> None:
    assert bars([Stage(name="found", kept=0, unit="articles")])[0].kept_width == 0.0


def test_without_a_model_the_summary_counts_each_pair_once(empty: Report) -> None:
    stages = [
        Stage(name="articles found", kept=1200, unit="articles"),
        Stage(name="pairs", kept=3000, unit="pairs"),
        Stage(name="pairs matched by letter", kept=2000, unit="pairs"),
    ]
    told = summary(dataclasses.replace(empty, funnel=stages))
    assert told == "1,200 articles gave 3,000 pairs. No model was evaluated in this run."


def test_an_image_becomes_a_thumbnail_and_a_damaged_one_its_reason() -> None:
    file = io.BytesIO()
    Image.new("RGB", (1000, 500), "white").save(file, "PNG")
    assert (show(file.getvalue()).uri or "").startswith("data:image/jpeg;base64,")
    damaged = show(b"no image")
    assert damaged.uri is None
    assert damaged.text.startswith("image not shown: ")


def test_the_findings_come_first_and_name_the_best_model(fill_report: Callable[..., Report]) -> None:
    report = fill_report()
    told = {finding.number: finding.says for finding in first_findings(report)}
    assert told["34.0 %"].startswith("of 50 images find their text first among all, by the model processed")
    assert told["1"].startswith("pairs are probably wrong")  # 0.7 and 0.2 of one
    assert told["0.75"].startswith("mean AUC of findings on plain")
    assert read(render(report)).find(".//ul[@class='findings']") is not None
