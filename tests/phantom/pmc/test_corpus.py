"""The corpus as a whole, read back by the project's own JATS reader."""

import hashlib
import json
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from phantom.pages.case import COMPOUND_SHARE, FATES, plan_case
from phantom.pmc.corpus import draw_article, read_truth, write_corpus
from pipelines.scoring.truth import FigureTruth
from pipelines.sources.jats import parse_article

ARTICLES = 40


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    write_corpus(folder, articles=ARTICLES, seed=1, processes=2)
    return folder


@pytest.fixture(scope="module")
def truth(corpus: Path) -> list[FigureTruth]:
    return read_truth(corpus)


def test_an_article_is_the_same_alone_and_among_others(corpus: Path) -> None:
    for index in (0, 17):
        for key, content in draw_article(1, index).files.items():
            assert (corpus / "bucket" / key).read_bytes() == content


def test_another_seed_draws_another_article() -> None:
    assert draw_article(1, 0).files.keys() != draw_article(2, 0).files.keys() or draw_article(1, 0) != draw_article(
        2, 0
    )


def test_a_complete_corpus_is_not_drawn_again_and_another_is_replaced(tmp_path: Path) -> None:
    write_corpus(tmp_path, articles=2, seed=0, processes=1)
    stamp = (tmp_path / "truth.json").stat().st_mtime_ns
    write_corpus(tmp_path, articles=2, seed=0, processes=1)
    assert (tmp_path / "truth.json").stat().st_mtime_ns == stamp
    write_corpus(tmp_path, articles=1, seed=0, processes=1)
    assert len(list((tmp_path / "bucket" / "metadata").iterdir())) == len(
        [key for key in draw_article(0, 0).files if key.startswith("metadata/")]
    )


def test_checksums_and_addresses_in_the_metadata_are_right(corpus: Path) -> None:
    for path in (corpus / "bucket" / "metadata").iterdir():
        metadata = json.loads(path.read_text())
        for address in (metadata["xml_url"], *metadata["media_urls"]):
            key, checksum = address.removeprefix("s3://pmc-oa-opendata/").split("?md5=")
            assert hashlib.md5((corpus / "bucket" / key).read_bytes()).hexdigest() == checksum


def test_the_reader_finds_every_true_figure_with_its_caption(corpus: Path, truth: list[FigureTruth]) -> None:
    captions = {figure.figure_id: figure.caption for figure in truth}
    found: dict[str, str] = {}
    for path in sorted((corpus / "bucket").glob("PMC*/*.xml")):
        article = parse_article(path.read_bytes(), path.stem)
        found |= {f"{path.stem}/{g.href}": figure.caption for figure in article.figures for g in figure.graphics}
        assert article.year and article.authors and article.doi
    assert found == captions


def test_boxes_and_letters_lie_in_the_image(corpus: Path, truth: list[FigureTruth]) -> None:
    for figure in truth:
        if figure.left_out_because == "no_media":
            assert not list((corpus / "bucket").glob(f"{figure.figure_id}.*"))
            continue
        (path,) = (corpus / "bucket").glob(f"{figure.figure_id}.*")
        width, height = Image.open(BytesIO(path.read_bytes())).size
        for panel in figure.panels:
            for box in [panel.box, *([panel.label_box] if panel.label_box else [])]:
                assert 0 <= box[0] < box[2] <= width and 0 <= box[1] < box[3] <= height


def test_kept_captions_say_brain_and_hold_the_panels_words(truth: list[FigureTruth]) -> None:
    kept = [figure for figure in truth if figure.kept]
    assert all("brain" in figure.caption.lower() for figure in kept)
    for figure in kept:
        for panel in figure.panels:
            if figure.caption_style != "separated":
                assert panel.text in figure.caption
            if panel.whole_caption_allowed:
                assert panel.text == figure.caption


def test_every_reason_to_leave_out_occurs(truth: list[FigureTruth]) -> None:
    reasons = {figure.left_out_because for figure in truth}
    assert reasons == {
        None, "not_case_report", "keyword", "licence", "retracted", "manuscript", "not_open_access", "no_media",
    }  # fmt: skip


def test_forty_articles_meet_every_fate_once_in_its_number() -> None:
    assert sorted(plan_case(3, index).fate for index in range(40, 80)) == sorted(FATES)


def test_the_share_of_compound_figures_is_the_papers() -> None:
    plans = [plan for index in range(400) for plan in plan_case(0, index).figures if plan.views and not plan.separated]
    assert abs(sum(len(plan.views) > 1 for plan in plans) / len(plans) - COMPOUND_SHARE) < 0.04
