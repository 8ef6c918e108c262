"""Figures, reports and readings of pages that tests of pages share; what probes of MLIP could have found."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from lxml import html
from PIL import Image

from app.papers.mlip_models import ROWS, UNTRAINED, Score, of_row
from app.report.contact_sheet import MatchedFigure
from app.report.examples import Example, Result
from app.report.findings import Films
from app.report.page import Report, Stage, policy_hash
from app.report.pair_list import FACETS, PairList, Totals
from app.report.probes import Probe
from app.report.retrieval_table import Pool
from core.config import load
from core.records import Match, SeparatedFigure, SplitCaption, Subfigure

STEPS = {UNTRAINED: -30.0, **{row: 2.0 * place for place, row in enumerate(ROWS)}}  # points of AUC, by row


def made_scores(dataset: str, *, seeds: int = 2, better: float = 1.0) -> list[Score]:
    """Each row of Table 4 two points above the one before, in all seeds; better: -1 turns the order round."""
    config, made = load("mlip-phantom"), []
    for row, step in STEPS.items():
        for seed in range(seeds):
            model, value = of_row(config, row, seed), 80 + better * step + seed
            for target in ("", "Nodule", "Edema"):
                for metric in ("auc", "ap", "f1", "macro_f1", "f1_oracle"):
                    low, high = value - 3, value + 3
                    made.append(
                        Score(model=model, dataset=dataset, task="zero-shot", metric=metric, target=target,
                              value=value, low=low, high=high)
                    )  # fmt: skip
                made.append(
                    Score(model=model, dataset=dataset, task="zero-shot", metric="prevalence", target=target, value=20)
                )
                for metric, hits in (("hit_rate", value / 2), ("random_rate", 10.0), ("ratio", value / 20)):
                    made.append(
                        Score(model=model, dataset=dataset, task="pointing", metric=metric, target=target, value=hits)
                    )
            for share in (0.01, 0.1):
                made.append(
                    Score(model=model, dataset=dataset, task="few-shot", metric="auc", share=share,
                          value=value - 10, low=value - 12, high=value - 8)
                )  # fmt: skip
            for metric, dice in (("dice", value), ("dice_positive", value - 40), ("dice_all_empty", 75.0)):
                made.append(
                    Score(model=model, dataset=dataset, task="segmentation", metric=metric, target="Nodule", value=dice)
                )
    return made


@pytest.fixture
def mlip_scores() -> Callable[..., list[Score]]:
    """made_scores(dataset, seeds=, better=)."""
    return made_scores


def png(width: int = 640, height: int = 320) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "black").save(file, "PNG")
    return file.getvalue()


def separated_figure(text: str = "plain", *, image: bytes | None = None, n_panels: int = 2) -> SeparatedFigure:
    """Panels of 300 x 300 px side by side in an image of 640 x 320; every text field holds `text`."""
    panels = [
        Subfigure(
            box=(10 + 310 * i, 10, 310 + 310 * i, 310),
            score=0.9,
            label="AB"[i],
            label_box=(20 + 310 * i, 200, 60 + 310 * i, 240),
            label_score=0.98,
        )
        for i in range(n_panels)
    ]
    return SeparatedFigure(
        figure_id="PMC1.1/f1",
        article_id="PMC1.1",
        title=text,
        article_type="case-report",
        doi=None,
        year=2020,
        licence="CC BY",
        attribution=text,
        media_url="https://example.org/f1.png",
        md5="0" * 32,
        image=png() if image is None else image,
        image_format="PNG",
        width=640,
        height=320,
        n_frames=1,
        label=text,
        caption=text,
        emphasis=[],
        mentions=[],
        notes=[],
        subfigures=panels,
        split_caption=SplitCaption(preamble="", subcaptions=[], tail="", confidence=1.0, reason=""),
    )


def match_of(subfigure: int, text: str = "Axial T1 image.", *, whole: bool = False) -> Match:
    return Match(
        subfigure=subfigure,
        label="A",
        text=text,
        matched_by="whole" if whole else "letter",
        score=0.75,
        reason="no_letter",
    )


def listed(text: str) -> PairList:
    """Two pairs, every free text in them `text`."""
    row = {
        "image": "", "width": 0, "height": 0, "text": text, "way": "letter", "reason": text, "modality": "CT",
        "split": "train", "licence": text, "kind": "picture", "mark": "m", "figure": "PMC1.1/f1",
    }  # fmt: skip
    rows = [row | {"id": f"{text}#{number}", "score": 0.3 + number / 2} for number in range(2)]
    links = {"PMC": "https://pmc.ncbi.nlm.nih.gov/articles/PMC1/", "DOI": "https://doi.org/10.1000/x"}
    figures = {"PMC1.1/f1": {"caption": text, "title": text} | links}
    return PairList(
        run=text, digest=text, totals=Totals(pairs=2, wrong=0.9), rows=rows, figures=figures,
        facets={name: {str(row[name]): 2} for name in FACETS},
    )  # fmt: skip


def probed(text: str) -> Probe:
    """Classification of one finding in four films."""
    rows = [
        {"image": f"{number}", "target": text, "score": f"{number}", "present": str(number % 2)} for number in range(4)
    ]
    mean = {"metrics": {"auc": 0.75}, "intervals": {"auc": [0.6, 0.9]}}
    return Probe(model=text, task="zero-shot", dataset=text, found={"mean": mean}, rows=rows, notes=[text])


def full_report(text: str = "plain") -> Report:
    """A report with every part filled; every free text and name in it is `text`."""
    metrics = {"i2t@1": 12.0, "i2t@10": 40.0, "t2i@1": 30.0, "t2i@10": 60.0}
    better = {"i2t@1": 34.0, "i2t@10": 70.0, "t2i@1": 20.0, "t2i@10": 60.0}
    figure = separated_figure(text)
    return Report(
        title=text,
        made=text,
        run=text,
        settings={text: text},
        seconds={text: 2.5},
        funnel=[
            Stage(name="articles found", kept=10, unit="articles"),
            Stage(name=text, kept=8, unit="articles", left_out={"not_case_report": 1, text: 1}),
        ],
        notes=[text],
        accuracy={text: 0.5},
        figures=[MatchedFigure(figure=figure, matches=[match_of(0, text), match_of(1, text, whole=True)])],
        curves={text: [{"step": 1, "itc": 2.0}, {"step": 2, "itc": 1.0}], "processed": [{"step": 1, "itc": 2.5}]},
        retrieval={text: {text: metrics}, "processed": {text: better}},
        intervals={text: {text: {"i2t@1": (5.0, 20.0)}}},
        modalities={text: {text: {text: metrics | {"queries": 30}, "CT": metrics | {"queries": 20}}}},
        pools={text: Pool(images=50, texts=50)},
        examples=[
            Example(query=png(), truth=text, scheme=text, results=[Result(item=text, score=0.5, is_correct=True)]),
            Example(query=text, truth=text, results=[Result(item=png(), score=0.5, is_correct=False)]),
        ],
        films=Films(datasets=(text,), splits={"test": (4, 4)}, findings={text: {"test": (2, 4)}}),
        probes=[probed(text)],
        pairs=listed(text),
        provenance={text: text},
        commands=[text],
        files=[f"models/{text}/metrics.jsonl"],
    )


LINKED = ("https://doi.org/", "https://pmc.ncbi.nlm.nih.gov/articles/", "https://pmc-oa-opendata.s3.amazonaws.com/")


def assert_inert(page: str) -> None:
    """No script but the page's own, no handler, no form or frame, and nothing that a browser would fetch."""
    tree: Any = html.fromstring(page)
    names = {element.tag for element in tree.iter()}
    assert not names & {"iframe", "object", "embed", "form", "base", "link", "video", "audio"}
    policy = "".join(tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content"))  # none: no script may run
    for script in tree.iter("script"):
        assert script.get("type") == "application/json" or policy_hash(script.text) in policy
    attributes = [
        (element.tag, str(name).lower(), str(value))
        for element in tree.iter()
        for name, value in element.attrib.items()
    ]
    for tag, name, value in attributes:
        assert not name.startswith("on"), (name, value)
        assert "url(" not in value.replace("url(#", ""), (name, value)
        if tag == "a" and name == "href":
            assert value.startswith((*LINKED, "#", "models/")), (name, value)
        elif name in {"src", "href", "xlink:href", "srcset", "action", "data", "poster"}:
            assert value.startswith(("data:image/", "#")), (name, value)
    assert not any("@import" in style.text or "url(" in style.text for style in tree.iter("style"))


@pytest.fixture
def draw_figure() -> Callable[..., SeparatedFigure]:
    return separated_figure


@pytest.fixture
def matched() -> Callable[..., Match]:
    return match_of


@pytest.fixture
def fill_report() -> Callable[..., Report]:
    return full_report


@pytest.fixture
def empty() -> Report:
    return Report(title="Nothing", made="today", run="demo", settings={}, seconds={}, funnel=[])


@pytest.fixture
def check_inert() -> Callable[[str], None]:
    return assert_inert
