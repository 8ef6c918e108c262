"""docs/datum.md against what the stations make of its article today."""

from functools import partial
from pathlib import Path

import pytest

from core.config import load
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure, from_table
from core.runs import Table
from core.settings import Config
from pipelines import build
from pipelines.copies.duplicates import duplicates_of, kept_duplicates

DATUM = Path(__file__).resolve().parent.parent / "docs" / "datum.md"
ARTICLE = "PMC4736393"


@pytest.fixture
def config(shared: Path) -> Config:
    return load("demo", [f"source.origin=bucket:{shared / 'pmc-oa-opendata'}", "select.keyword=", "seed=1"])


@pytest.mark.shared
def test_the_rows_shown_are_the_rows_made(config: Config, tmp_path: Path) -> None:
    figures, separated, pairs = (
        Table(Place.at(tmp_path) / name, record)
        for name, record in (("figures", Figure), ("separated", SeparatedFigure), ("pairs", Pair))
    )
    row = {"part": 0, "inputs": "", "articles": [ARTICLE]}
    build.collect_part(row, config=config, table=figures, connections=1)
    build.SeparatePart(config, figures, separated)(row)
    kept_duplicates(separated, asked=build.asked_of(config))
    duplicates = partial(duplicates_of, separated)
    build.pair_part(row, config=config, separated=separated, table=pairs, duplicates=duplicates)
    text = " ".join(DATUM.read_text(encoding="utf-8").split())
    first, *_ = from_table(separated.read(), SeparatedFigure)
    shown = [first.figure_id, first.licence, first.attribution, first.media_url, first.md5, first.mentions[0]]
    shown += [first.caption, f"{first.width} x {first.height}"]
    shown += [", ".join(map(str, panel.box)) for panel in first.subfigures]
    shown += [", ".join(map(str, panel.label_box or ())) for panel in first.subfigures]
    shown += [subcaption.text for subcaption in first.split_caption.subcaptions]
    assert [words for words in shown if words not in text] == []
    made = [pair for pair in from_table(pairs.read("split=test"), Pair) if pair.figure_id == first.figure_id]
    assert len(made) == 4
    assert [pair.pair_id for pair in made if f"`{pair.pair_id}`" not in text] == []
