"""MLIP's tables: ours by data set, with seeds and intervals, and the paper's as printed."""

from collections.abc import Callable

import pytest

from app.papers.mlip_models import FULL, Score, chosen
from app.papers.mlip_published import TABLE_1, TABLE_2, TABLE_3, TABLE_4
from app.papers.mlip_tables import (
    cell,
    findings,
    paper_table1,
    paper_table2,
    paper_table3,
    pointing,
    table1,
    table2,
    table3,
    table4,
)
from app.papers.reproduced import Reproduced, Table, render

Scores = Callable[..., list[Score]]


def heads(table: Table) -> list[str]:
    return [row.head for row in table.rows]


def test_a_cell_has_the_mean_the_seeds_and_the_outer_bounds_of_their_intervals(mlip_scores: Scores) -> None:
    made = cell(chosen(mlip_scores("phantom"), row=FULL, task="zero-shot", metric="auc", target=""))
    assert (made.value, list(made.beneath)) == ("88.5", ["88.0–89.0", "95 %: 85.0–92.0"])
    assert cell([]).value == "–"
    (alone,) = chosen(mlip_scores("phantom", seeds=1), row=FULL, metric="dice")
    assert list(cell([alone]).beneath) == ["", ""]


def test_table_1_has_each_data_set_with_chance_at_the_foot(mlip_scores: Scores) -> None:
    made = table1(mlip_scores("RSNA") + mlip_scores("SIIM"))
    assert list(made.groups) == ["RSNA", "SIIM"]
    assert heads(made) == ["MLIP", "untrained"]
    assert [each.value for each in made.rows[0].cells] == ["88.5"] * 10
    assert [each.value for each in made.rows[1].cells][:1] == ["50.5"]
    assert made.foot and [each.value for each in made.foot.cells][:5] == ["50.0", "20.0", "–", "–", "–"]


def test_each_finding_has_a_row_with_how_many_have_it(mlip_scores: Scores) -> None:
    made = findings(mlip_scores("phantom"), "phantom")
    assert heads(made) == ["Nodule", "Edema"]
    assert [each.value for each in made.rows[0].cells] == ["88.5", "88.5", "88.5", "50.5", "20.0"]


def test_the_papers_table_1_stands_as_printed_and_ours_above_it_on_its_own_data_alone(mlip_scores: Scores) -> None:
    printed = paper_table1(mlip_scores("phantom"))
    assert heads(printed) == list(TABLE_1)
    assert [each.value for each in printed.rows[-1].cells] == ["90.0", "82.5", "89.5", "79.7"]
    assert printed.rows[4].cells[0].value == "–"  # SAT has no AUC
    ours = paper_table1(mlip_scores("RSNA"))
    assert heads(ours)[:2] == ["figray, F1 at the threshold of validation", "figray, F1, oracle"]
    assert [each.value for each in ours.rows[0].cells] == ["88.5", "88.5", "–", "–"]


def test_table_2_has_a_column_for_each_share(mlip_scores: Scores) -> None:
    made = table2(mlip_scores("phantom"))
    assert made.groups == {"phantom": ["1 %", "10 %"]}
    assert [each.value for each in made.rows[0].cells] == ["78.5", "78.5"]
    assert heads(paper_table2(mlip_scores("phantom"))) == list(TABLE_2)
    ours = paper_table2(mlip_scores("NIH")).rows[0]
    assert (ours.head, [each.value for each in ours.cells]) == ("figray", ["–", "78.5", "–"])


def test_table_3_sets_dice_beside_that_of_drawing_nothing(mlip_scores: Scores) -> None:
    made = table3(mlip_scores("phantom"))
    assert made.groups == {"phantom, Nodule": ["all", "with the finding", "nothing drawn"]}
    assert [each.value for each in made.rows[0].cells] == ["88.5", "48.5", "75.0"]
    assert heads(paper_table3()) == list(TABLE_3)


def test_table_4_has_the_papers_average_beneath_each_row(mlip_scores: Scores) -> None:
    made = table4(mlip_scores("phantom"), {FULL: [(0.5, 0.75), (0.7, 0.95)]})
    assert heads(made)[::2] == list(TABLE_4)
    assert [row.cells[0].value for row in made.rows[1::2]] == ["83.8", "85.6", "86.1", "86.0", "86.6"]
    last = [each.value for each in made.rows[-2].cells]
    assert last == ["83.5", "88.5", "78.5", "78.5", "44.2", "×4.4", "–", "–", "–", "–", "0.60 / 0.85"]
    assert {len(row.cells) for row in [*made.rows, made.foot] if row} == {sum(map(len, made.groups.values()))}
    assert made.rows[0].cells[-1].value == "–"  # plain contrast matches nothing


def test_findings_that_are_seen_stand_beneath_all_of_them(mlip_scores: Scores) -> None:
    made = pointing(mlip_scores("phantom"), "phantom")
    assert heads(made) == ["all", "Edema", "Nodule"]
    assert [each.value for each in made.rows[0].cells] == ["44.2", "25.2", "10.0", "×4.4"]


@pytest.mark.parametrize("seeds", [1, 2])
def test_the_page_stays_inert(mlip_scores: Scores, check_inert: Callable[[str], None], seeds: int) -> None:
    found = mlip_scores("<script>", seeds=seeds)
    shown = [table1(found), findings(found, "<script>"), table2(found), table3(found), table4(found, {})]
    check_inert(render(Reproduced(title="MLIP", about="", made="", sentences=["S."], tables=shown)))
