"""The report as Chromium shows it: soon, small, searchable, judged, printed, and readable for everyone."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app import steps
from app.exports.review import verdicts
from core.places import Place
from tests.browser.conftest import ATTACK, PAIRS

pytestmark = pytest.mark.browser
Opened = Callable[..., Any]
SIZES = [(1280, False), (1280, True), (390, False), (390, True)]
SCREENS, PAGES, SECONDS, BYTES = 10, 10, 2.0, 15e6


def test_two_thousand_pairs_open_in_two_seconds_and_weigh_less_than_15_mb(report: Path, opened: Opened) -> None:
    assert report.stat().st_size < BYTES
    seconds = []
    shared = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # other work on the machine is none of the page's
    for _ in range(3):
        page = opened(report)
        seconds.append(page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd") / 1000)
    assert 0 < min(seconds) < SECONDS * shared
    assert page.locator("#found").text_content() == f"{PAIRS:,} of {PAIRS:,} pairs"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_ten_screens_and_never_scrolls_sideways(width: int, report: Path, opened: Opened) -> None:
    page = opened(report, width)
    high, wide = page.evaluate("[document.documentElement.scrollHeight, document.documentElement.scrollWidth]")
    assert high <= SCREENS * (800 if width > 800 else 844)
    assert wide == width


def test_pairs_are_filtered_and_sorted(report: Path, opened: Opened) -> None:
    page = opened(report)
    scores = [float(text) for text in page.locator("#pair-list .score").all_text_contents()]
    assert scores == sorted(scores) and scores[0] == 0
    page.select_option("#order", "sure")
    assert float(page.locator("#pair-list .score").first.text_content()) == pytest.approx(1, abs=0.01)
    page.select_option("#by-modality", "CT")
    assert page.locator("#found").text_content().startswith("1,000 of")
    page.select_option("#by-way", "order")
    page.fill("#score-from", "0.5")
    found = page.locator("#found").text_content()
    assert found.startswith("250 of") or 240 <= int(found.split()[0]) <= 260
    page.fill("#by-text", "panel 1001 ")
    page.fill("#score-from", "")
    assert page.locator("#found").text_content() == f"1 of {PAIRS:,} pairs"
    assert page.locator("#pair-list .id").all_text_contents() == ["PMC250.1/f#1"]
    page.fill("#by-text", "nothing has these words")
    assert page.locator("#pair-list li").count() == 0


def test_pages_are_turned(report: Path, opened: Opened) -> None:
    page = opened(report)
    first = page.locator("#pair-list .id").all_text_contents()
    page.click("#next")
    assert page.locator("#pages").text_content() == "Page 2 of 167"
    assert not set(first) & set(page.locator("#pair-list .id").all_text_contents())
    page.click("#before")
    assert page.locator("#pair-list .id").all_text_contents() == first


def test_a_review_is_kept_downloaded_and_read_back(report: Path, opened: Opened, tmp_path: Path) -> None:
    page = opened(report)
    names = page.locator("#pair-list .id").all_text_contents()
    page.locator("#pair-list li").nth(0).get_by_text("wrong").click()
    page.locator("#pair-list li").nth(1).get_by_text("right").click()
    page.locator("#pair-list li").nth(2).get_by_text("right").click()
    page.locator("#pair-list li").nth(2).get_by_text("right").click()  # taken back
    page.reload()
    assert page.locator("#judged").text_content() == "2 judged, 1 wrong"
    said = []
    for button in ("#as-json", "#as-csv"):
        with page.expect_download() as download:
            page.click(button)
        file = tmp_path / download.value.suggested_filename
        download.value.save_as(file)
        said.append(verdicts(file))
    assert said[0] == said[1]
    assert said[0] is not None
    assert {name: verdict.right for name, verdict in said[0].items()} == {names[0]: False, names[1]: True}
    assert json.loads((tmp_path / "review.json").read_text())["run"] == "many"
    page.select_option("#by-verdict", "none")
    assert page.locator("#found").text_content() == f"{PAIRS - 2:,} of {PAIRS:,} pairs"


def test_markup_in_texts_is_text(report: Path, opened: Opened) -> None:
    page = opened(report)
    page.fill("#by-text", "onerror")
    assert page.locator("#found").text_content() == f"{PAIRS // 100} of {PAIRS:,} pairs"
    assert ATTACK in page.locator("#pair-list .text").first.text_content()
    assert page.locator("#pair-list img[src=x]").count() == 0
    assert page.title() == "figray: many"


def test_without_its_script_the_page_lists_the_most_doubtful(report: Path, opened: Opened) -> None:
    page = opened(report, script=False)
    assert page.locator("#pair-list li").count() == 12
    assert page.locator("#filters").is_hidden() and page.locator("#pager").is_hidden()
    assert page.locator("noscript").count() == 1


def test_print_leaves_out_the_list_and_fits_ten_pages(report: Path, opened: Opened) -> None:
    import pypdfium2

    pdf = pypdfium2.PdfDocument(opened(report).pdf(format="A4"))
    text = "".join(pdf[number].get_textpage().get_text_range() for number in range(len(pdf)))
    assert len(pdf) <= PAGES
    assert "Image–text retrieval" in text and "Where it comes from" in text
    assert "shows a lesion" not in text


@pytest.mark.parametrize(("width", "dark"), SIZES)
def test_axe_finds_nothing_serious(width: int, dark: bool, report: Path, run: Place, opened: Opened) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    both = [report, Path(steps.compared([run, run]))]
    for file in both if (width, dark) == SIZES[0] else both[:1]:
        page = opened(file, width, dark=dark)
        page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        found = axe.Axe().run(page).response["violations"]
        serious = [each for each in found if each["impact"] in ("serious", "critical")]
        assert not serious, [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in serious]
