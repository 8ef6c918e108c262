"""A checkpoint on the validation split: the numbers of the evaluations themselves, and no file of test opened."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score

from core.config import UserError
from core.records import Radiograph, Target, to_table
from core.settings import ObjectiveSettings
from tests.trainers.evaluation.conftest import draw_film
from trainers.blip import Blip
from trainers.checkpoint import load_model, save_model
from trainers.evaluation.prompts import PromptSet
from trainers.evaluation.radiographs import encode_films, targets_of
from trainers.evaluation.retrieval import LeakError, Plan, evaluate
from trainers.evaluation.zero_shot import present_scores, sides
from trainers.validation import validate

Rows = Callable[[int], list[dict[str, Any]]]
PROMPTS = PromptSet(name="plain", positive=("a {}",), negative=("no {}",))


@pytest.fixture
def model(small_blip: Blip, tokenizer: Any, tmp_path: Path) -> str:
    """A model that nobody trained, with the article A0.1 on its record."""
    settings = (small_blip.settings, ObjectiveSettings())
    save_model(tmp_path / "model", small_blip, settings=settings, tokenizer=tokenizer, articles=["A0.1"])
    return str(tmp_path / "model")


@pytest.fixture
def files(shape_rows: Rows, tmp_path: Path) -> dict[str, list[str]]:
    """The tables of a run: those of val, and beside each a file of test that no reader opens without an error."""
    films = [draw_film(number, "val") for number in range(20)]
    tables = {"pairs": pa.Table.from_pylist(shape_rows(26)[2:]), "radiographs": to_table(films, Radiograph)}
    found = {}
    for name, table in tables.items():
        for split in ("val", "test"):
            (tmp_path / name / f"split={split}").mkdir(parents=True)
        found[name] = [str(tmp_path / name / "split=val" / "part-00000.parquet")]
        pq.write_table(table, found[name][0])
        (tmp_path / name / "split=test" / "part-00000.parquet").write_bytes(b"no table")
    return found


def found_of(model: str, files: dict[str, list[str]], *metrics: str) -> dict[str, float]:
    pairs, films = files["pairs"], files["radiographs"]
    return validate(model, metrics=metrics, pairs=pairs, radiographs=films, prompts=PROMPTS, batch_size=8)


def test_recall_is_that_of_the_evaluation_and_the_auc_scikit_learns(model: str, files: dict[str, list[str]]) -> None:
    found = found_of(model, files, "mean_recall", "zero_shot_auc")
    recall = evaluate(model, files["pairs"], Plan(batch_size=5, rerank=16, resamples=0)).told.metrics
    assert found["mean_recall"] == pytest.approx(recall["itc_mean"])
    towers, tokenizer = load_model(model)
    films = encode_films(towers, files["radiographs"], batch_size=20)
    aucs = []
    for name in ("Bar", "Disc", "Ring"):
        asked = PROMPTS.of(name)
        assert asked
        scores, truth = present_scores(films.embeddings, sides(towers, tokenizer, asked)), targets_of(films.rows, name)
        known = truth == truth
        aucs.append(roc_auc_score(truth[known], scores[known]))
    assert found["zero_shot_auc"] == pytest.approx(sum(aucs) / 3)


def test_no_file_of_test_is_opened(model: str, files: dict[str, list[str]], tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid):
        pq.read_table(tmp_path / "pairs" / "split=test" / "part-00000.parquet")
    beside = found_of(model, files, "mean_recall", "zero_shot_auc")
    for name in files:
        (tmp_path / name / "split=test" / "part-00000.parquet").unlink()
    assert found_of(model, files, "mean_recall", "zero_shot_auc") == beside


def test_only_what_is_asked_for_is_read(model: str, files: dict[str, list[str]]) -> None:
    assert found_of(model, files | {"radiographs": []}, "mean_recall").keys() == {"mean_recall"}
    assert found_of(model, files | {"pairs": []}, "zero_shot_auc").keys() == {"zero_shot_auc"}


def test_pairs_that_the_model_was_trained_on_are_refused(
    model: str, files: dict[str, list[str]], shape_rows: Rows
) -> None:
    pq.write_table(pa.Table.from_pylist(shape_rows(6)), files["pairs"][0])
    with pytest.raises(LeakError, match=r"A0\.1"):
        found_of(model, files, "mean_recall")


def test_radiographs_of_one_class_tell_nothing_apart(model: str, files: dict[str, list[str]]) -> None:
    healthy = [replace(draw_film(number, "val"), targets=[Target(name="Disc", present=False)]) for number in range(4)]
    pq.write_table(to_table(healthy, Radiograph), files["radiographs"][0])
    with pytest.raises(UserError, match="no target of Disc is both present and absent"):
        found_of(model, files, "zero_shot_auc")
