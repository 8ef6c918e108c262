"""Probes are read from beside their models, and their curves are of findings that are both there and not there."""

from pathlib import Path
from typing import Any

import pytest
from lxml import html

from app.report.curves import legend
from app.report.probes import Probe, finding_curves, probe_tables, read_probes, rows_of_probe
from core.places import Place

ANSWERS: dict[str, tuple[dict[str, Any], list[tuple[str, str, str]]]] = {
    "zero-shot": (
        {"mean": {"metrics": {"auc": 0.875}, "intervals": {"auc": [0.8, 0.95]}}},
        [("classification by prompts, mean AUC", "87.5", "80–95")],
    ),
    "few-shot": (
        {"shares": [{"share": 0.01, "mean": {"auc": None, "interval": None}}]},
        [("linear heads on few patients, mean AUC, 1 % of training", "undefined", "")],
    ),
    "segmentation": (
        {"target": "Nodule", "metrics": {"dice": 0.5, "dice_all_empty": 0.25}, "intervals": {"dice": [0.4, 0.6]}},
        [("segmentation from few masks, Dice, Nodule", "50.0", "40–60")],
    ),
    "pointing": (
        {"overall": {"hit_rate": 0.5, "random_rate": 0.1}},
        [("pointing at the finding, hits", "50.0", "")],
    ),
    "grounding": (
        {"overall": {"hit_rate": 0.5, "hit_interval": [0.4, 0.6], "random_rate": 0.1, "mean_iou": 0.2,
                     "iou_interval": [0.1, 0.3]}},
        [("phrases, P@1", "50.0", "40–60"), ("phrases, mean IoU", "20.0", "10–30")],
    ),
}  # fmt: skip


def test_benchx_stands_beside_few_shot_of_its_sets_and_of_no_other() -> None:
    found = ANSWERS["few-shot"][0]
    tables = {
        name: probe_tables([Probe(model="m", task="few-shot", dataset=name, found=found, rows=[])])[0]
        for name in ("NIH", "RSNA, patients unknown", "SIIM", "drawn")
    }
    told = {(row.model, row.what): row.value for row in tables["NIH"].rows[1:]}
    assert len(told) == 12 and told["MRM (BenchX)", "fine-tuned whole, mean AUC, 1 % of training"] == "80.1"
    assert [len(table.rows) for table in tables.values()] == [13, 1, 1, 1]
    assert (
        "MRM, fine-tuned whole, 62.6 at 1 %, 66.6 at 10 %, 66.5 at 100 %" in tables["RSNA, patients unknown"].notes[0]
    )
    assert "which is no AUC" in tables["SIIM"].notes[0] and tables["drawn"].notes == []


@pytest.mark.parametrize("task", ANSWERS)
def test_each_task_has_its_main_number(task: str) -> None:
    found, rows = ANSWERS[task]
    told = rows_of_probe(Probe(model="m", task=task, dataset="d", found=found, rows=[]))
    assert [(row.what, row.value, row.interval) for row in told] == rows


def test_answers_are_read_with_what_is_said_of_each_film(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    folder = run / "models" / "m"
    for task, (found, _) in ANSWERS.items():
        (folder / f"probe-{task}-my-run-0123abcd.json").write_json({"dataset": "drawn", "notes": ["n"], "found": found})
    lines = "image,target,score,present\n" + "".join(f"i{n},Nodule,{n / 10},{n % 2}\n" for n in range(6))
    (folder / "probe-zero-shot-my-run-0123abcd.csv").write_bytes(lines.encode())
    probes = read_probes(run, ["m"])
    (table,) = probe_tables(probes)
    assert table.rows[0].what.partition(",")[0] == "classification by prompts"
    assert (len(table.rows), table.notes) == (6, ["n"])
    (curves,) = finding_curves(probes, legend({"m": []}))
    assert curves.title == "Nodule: in 3 of 6 films"
    assert "AUC 0.67" in html.fromstring(curves.roc).get("aria-label", "")


def test_a_finding_of_one_kind_and_films_that_nobody_judged_have_no_curve() -> None:
    rows = [{"image": "a", "target": "x", "score": "1", "present": "1"}]
    rows += [
        {"image": name, "target": "y", "score": "1", "present": present} for name, present in (("a", ""), ("b", "1"))
    ]
    assert (
        finding_curves([Probe(model="m", task="zero-shot", dataset="d", found={}, rows=rows)], legend({"m": []})) == []
    )
