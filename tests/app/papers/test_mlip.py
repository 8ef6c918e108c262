"""MLIP's tables and figure: pages, numbers and pictures lie in the run; nothing here is trained."""

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest

from app.papers.mlip import matching_costs, prepare, show_table1, show_table2, show_table3, show_table4
from app.papers.mlip_models import FULL, Score, ablated
from app.papers.reproduction import Job
from app.progress import Bars
from core.config import load
from core.places import Place
from core.runs import RunConflict
from core.settings import Config

Scores = Callable[..., list[Score]]


@pytest.fixture
def job(tmp_path: Path) -> Job:
    run = Place.at(tmp_path / "run")
    return Job(
        run=run,
        recipe="mlip-phantom",
        config=load("mlip-phantom"),
        overrides=[],
        scale="phantom",
        seeds=2,
        terms=[],
        on=[run],
        bars=Bars(),
    )


def rows_of(job: Job, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((job.run / f"{name}.csv").read_bytes().decode())))


def test_table_1_stands_beside_the_papers_numbers(job: Job, mlip_scores: Scores) -> None:
    page = Path(show_table1(job, mlip_scores("RSNA"))).read_text()
    assert "MLIP, Table 1" in page and "MedKLIP" in page
    assert "The corpus is drawn" in page
    stated = {
        (row["row"], row["metric"]): (row["published"], row["source"])
        for row in rows_of(job, "mlip-table1")
        if row["task"] == "zero-shot" and not row["target"]
    }
    assert stated[FULL, "auc"] == ("90.02", "MLIP, Table 1")
    assert stated[FULL, "f1"] == ("82.51", "MLIP, Table 1")
    assert stated[FULL, "f1_oracle"] == stated["untrained", "auc"] == ("", "")


def test_numbers_of_other_data_have_no_number_of_the_paper(job: Job, mlip_scores: Scores) -> None:
    show_table2(job, mlip_scores("phantom"))
    assert {row["published"] for row in rows_of(job, "mlip-table2")} == {""}


def test_tables_2_and_3_have_the_papers_cells(job: Job, mlip_scores: Scores) -> None:
    show_table2(job, mlip_scores("NIH"))
    shots = [row for row in rows_of(job, "mlip-table2") if row["task"] == "few-shot" and row["row"] == FULL]
    assert {(row["share"], row["published"]) for row in shots} == {("0.01", "78.26"), ("0.1", "")}
    show_table3(job, mlip_scores("SIIM"))
    dice = [row for row in rows_of(job, "mlip-table3") if row["metric"].startswith("dice") and row["row"] == FULL]
    assert {(row["metric"], row["published"]) for row in dice} == {
        ("dice", "73.5"), ("dice_positive", ""), ("dice_all_empty", ""),
    }  # fmt: skip


def test_table_4_has_an_average_for_each_row_and_seed(job: Job, mlip_scores: Scores) -> None:
    page = Path(show_table4(job, mlip_scores("phantom"), {FULL: [(0.25, 0.5)]})).read_text()
    assert "does not follow from its Tables 1 and 2" in page
    averages = [row for row in rows_of(job, "mlip-table4") if row["task"] == "average"]
    assert len(averages) == 6 * 2
    assert {row["published"] for row in averages if row["row"] == "contrast"} == {"83.814"}


def test_matching_is_read_from_the_last_record_that_has_it(job: Job) -> None:
    models = ablated(job.config, seeds=1)
    for model in models:
        lines = b"\n".join(
            (
                b'{"step": 1, "spm_own": 0.9, "spm_shuffled": 0.95}',
                b'{"step": 2, "spm_own": 0.5, "spm_shuffled": 0.75}',
                b'{"step": 3}',
            )
        )
        (job.run / "models" / model.name / "metrics.jsonl").write_bytes(lines if "SPM" in model.row else b'{"step": 3}')
    assert matching_costs(job.run, models) == [(0.5, 0.75)] * 3


def test_the_papers_scale_needs_reports_and_says_how_they_are_made(tmp_path: Path) -> None:
    with pytest.raises(RunConflict, match=r"`figray dataset mimic DIR --run .*take --scale phantom"):
        prepare(Config(), Place.at(tmp_path), "paper", Bars())
