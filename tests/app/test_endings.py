"""A command ends with its main numbers and the next command."""

from pathlib import Path

from app.endings import next_is, of_report, of_retrieval, of_table, of_training
from core.places import Place
from core.records import Pair, Reject, to_table
from core.runs import Table


def test_the_next_command_names_the_run_where_it_is_not_the_usual_one() -> None:
    assert next_is("figray report", run="runs/collected") == "next: figray report"
    assert next_is("figray report", run="my run") == "next: figray report --run 'my run'"
    assert next_is("figray verify", run="r", given=True) == "next: figray verify r"


def test_a_table_is_counted_by_split(tmp_path: Path) -> None:
    table = Table(Place.at(tmp_path), Pair)
    reject = Reject(item_id="x", article_id="x", stage="pairs", code="unsure", message="")
    empty = to_table([], Pair)
    table.commit(0, tables={"split=train": empty, "split=val": empty}, rejects=[reject], inputs="", counts={})
    assert of_table(table, "pairs") == "pairs: 0 (val 0, train 0), left out 1"


def test_a_training_ends_with_its_last_reading(tmp_path: Path) -> None:
    run = Place.at(tmp_path)
    assert of_training(run, "m") == "model m: trained"
    lines = b'{"step": 1, "loss": 3, "samples_per_s": 30}\n{"step": 1200, "loss": 2.5, "samples_per_s": 50}\n'
    (run / "models" / "m" / "metrics.jsonl").write_bytes(lines)
    assert of_training(run, "m") == "model m: step 1,200, loss 2.500, 40 pairs a second"


def test_recalls_stand_in_columns_with_chance_beneath() -> None:
    told = {"pool": 1234, "metrics": {"i2t@1": 0.345, "t2i@10": 1.0}, "chance": {"i2t@1": 0.01}}
    head, model, chance = of_retrieval({"processed": {"pairs": told}})
    assert head.split() == ["model", "pool", "i2t@1", "i2t@10", "t2i@1", "t2i@10"]
    assert model.split() == ["processed", "pairs", "(1,234)", "34.5", "–", "–", "100.0"]
    assert chance.split()[:3] == ["chance", "pairs", "1.0"]
    assert len({len(line) for line in (head, model, chance)}) == 1
    assert of_retrieval({}) == []


def test_a_report_ends_with_its_findings() -> None:
    assert of_report({"findings": [{"number": "98 %", "says": "are right"}]}) == ["      98 %  are right"]
