"""MedVL's tables: the paper's numbers stand beneath ours, and sentences say what the numbers say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from lxml import html

from app.papers.medvl_models import PERCENTS, Model, Ratio, Result, ablated, finetuned, of_equal_steps, pretrained
from app.papers.medvl_published import METRICS, TABLE_1
from app.papers.medvl_tables import (
    LOSSES,
    SPLITS,
    Gains,
    ablation,
    figure3,
    published_ratio,
    reranked,
    said_of_ablation,
    said_of_figure3,
    said_of_table1,
    table1,
    verdict,
)
from app.papers.reproduced import Plot, Reproduced, render
from app.papers.scaling import draw, scheme_legend
from core.config import load

CONFIG = load("medvl-phantom")
POOLS = ("pairs", "whole figures")
SHARES = {"i2t@1": 0.2, "i2t@10": 0.5, "t2i@1": 0.18, "t2i@10": 0.48}


def measured(model: Model, pool: str, split: str, *, better: float = 2.0, queries: int = 400) -> Result:
    """Random results in which processed finds `better` times as many at 1 and a fifth more at 10."""
    rng = np.random.default_rng([len(model.name), model.seed, len(pool), len(split)])
    gain = {"@1": better, "10": 1.2} if model.scheme == "processed" else {"@1": 1.0, "10": 1.0}
    learnt = 0.6 + 0.4 * model.percent / 100 if model.scheme == "raw" else model.percent / 100
    found = {name: (rng.random(queries) < learnt * share * gain[name[-2:]]) * 1.0 for name, share in SHARES.items()}
    values = {name: 100 * float(each.mean()) for name, each in found.items()}
    return Result(
        model=model,
        pool=pool,
        split=split,
        size=queries,
        metrics=values
        | {f"itc_{name}": value - (2.0 if model.without != "no ITM" else 0.0) for name, value in values.items()},
        intervals={},
        chance={name: 100 * int(name[4:]) / queries for name in METRICS},
        articles=[f"A{query // 5}" for query in range(queries)],
        found={name: each.tolist() for name, each in found.items()},
    )


def of_table1(**how: Any) -> list[Result]:
    begun = pretrained(CONFIG, seeds=3)
    models = [*begun, *finetuned(load("medvl-phantom-finetune"), begun)]
    return [measured(model, pool, split, **how) for model in models for pool in POOLS for split in SPLITS]


def page(**parts: Any) -> Reproduced:
    return Reproduced(title="MedVL, Table 1", about="Scale phantom.", made="today", sentences=["It is so."], **parts)


def read(text: str) -> Any:
    """The parsed page; the stubs of lxml know elements of XML alone."""
    return html.fromstring(text)


def rows_of(text: str) -> list[list[str]]:
    table = read(text).findall(".//table")[0]
    return [[cell.text_content().strip() for cell in row] for row in table.findall("tbody/tr")]


def test_the_table_has_the_papers_rows_with_its_own_numbers_beneath(check_inert: Callable[[str], None]) -> None:
    text = render(page(tables=[table1(of_table1(), pool) for pool in POOLS], notes=["Drawn."]))
    check_inert(text)
    rows = rows_of(text)
    assert [row[0] for row in rows] == [
        "PT, raw", "MedVL", "PT, processed", "MedVL", "processed / raw", "MedVL",
        "PT+FT, raw", "MedVL", "PT+FT, processed", "MedVL", "processed / raw", "MedVL",
    ]  # fmt: skip
    stated = [TABLE_1["processed", "PT+FT", split][metric] for split in SPLITS for metric in METRICS]
    assert rows[9][1:] == [f"{value:.1f}" for value in stated]
    assert rows[5][1] == "×2.05"  # 36.9 by 18.04


def test_the_better_scheme_is_bold_and_chance_stands_at_the_foot() -> None:
    tree = read(render(page(tables=[table1(of_table1(), "pairs")])))
    body = tree.findall(".//tbody/tr")
    assert [len(row.findall(".//strong")) for row in body[:3]] == [0, 0, 8]
    assert [cell.text_content().strip() for cell in tree.find(".//tfoot/tr")][:3] == ["chance", "0.2", "2.5"]


def test_a_table_without_results_has_dashes() -> None:
    rows = rows_of(render(page(tables=[table1([], "pairs")])))
    assert set(rows[0][1:]) == set(rows[4][1:]) == {"–"}


def test_sentences_say_the_order_its_size_and_the_papers() -> None:
    said = said_of_table1(of_table1(), POOLS)
    assert len(said) == 6
    assert said[0].startswith("Among pairs, PT: processed finds ")
    assert f"MedVL {published_ratio('PT', 'test', 'i2t@1'):.2f}" in said[0]
    assert "the paper's order reappears in 4 of 4 columns" in said[0] or "is open in" in said[0]
    backwards = said_of_table1(of_table1(better=0.3), POOLS)
    assert "is reversed in 2 of 4 columns" in backwards[0]
    assert "fine-tuning takes image to text @1 of raw from" in said[4]
    assert "cannot be set against raw" in said_of_table1([], POOLS)[0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Ratio(2.0, 1.1, 3.0), "reappears"),
        (Ratio(2.0, 0.9, 4.0), "is open"),
        (Ratio(0.5, 0.2, 0.8), "is reversed"),
        (None, "is open"),
    ],
)
def test_an_interval_that_holds_one_settles_nothing(found: Ratio | None, said: str) -> None:
    assert verdict(found) == said


def of_figure3() -> list[Result]:
    models = pretrained(CONFIG, seeds=2, percents=PERCENTS)
    return [measured(model, pool, "test") for model in models for pool in POOLS]


def test_figure_3_has_a_plot_for_each_metric_and_pool_and_its_points_as_a_table(
    check_inert: Callable[[str], None],
) -> None:
    results = of_figure3()
    plot = Plot(svg=draw(results, POOLS), legend=scheme_legend(), caption="Means.")
    text = render(page(plot=plot, tables=[figure3(results, "pairs")]))
    check_inert(text)
    rows = rows_of(text)
    assert [row[0] for row in rows][:4] == ["i2t@1, raw", "i2t@1, processed", "MedVL's logs", "i2t@10, raw"]
    assert rows[2][1:] == ["10.1", "16.9", "24.8", "–"]
    assert said_of_figure3(results, ["pairs"])[0].endswith("MedVL's steeper curve of processed data reappears.")


def of_ablation() -> tuple[list[Result], Gains]:
    models = ablated(CONFIG, seeds=2)
    worth = {"all": 0.3, "no ITM": 0.25, "no text": 0.0}
    gains = {name: [{"value": worth[name]}, {"value": worth[name] + 0.01}] for name in LOSSES}
    return [measured(model, pool, "test") for model in models for pool in POOLS], gains


def test_an_ablation_shows_what_reranking_and_images_add() -> None:
    results, gains = of_ablation()
    assert reranked(results, "i2t@1")[:1] == pytest.approx([2.0])
    rows = rows_of(render(page(tables=[ablation(results, gains, "pairs")])))
    assert [row[0] for row in rows] == list(LOSSES.values())
    assert [row[5] for row in rows] == ["+2.0+2.0 to +2.0", "+0.0+0.0 to +0.0", "+2.0+2.0 to +2.0"]
    assert rows[0][7] == "+0.305+0.300 to +0.310"
    said = said_of_ablation([each for each in results if each.pool == "pairs"], gains)
    assert "by +2.0 points" in said[0]
    assert "0.305 nats more" in said[1]


def test_raw_for_as_many_steps_has_rows_and_sentences_of_its_own_and_leaves_the_others_as_they_are() -> None:
    as_printed = of_table1()
    longer = [
        measured(model, pool, split)
        for model in of_equal_steps(CONFIG, seeds=3, steps=99)
        for pool in POOLS
        for split in SPLITS
    ]
    plain, both = (table1(each, "pairs") for each in (as_printed, [*as_printed, *longer]))
    assert [row.head for row in both.rows if row not in plain.rows] == ["PT, raw, as many steps", "processed / that"]
    assert [row for row in both.rows if row in plain.rows] == plain.rows
    said = said_of_table1([*as_printed, *longer], list(POOLS))
    assert sum("PT, raw for as many steps as processed: processed finds" in each for each in said) == 2
    assert set(said_of_table1(as_printed, list(POOLS))) < set(said)
