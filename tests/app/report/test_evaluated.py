"""Every model of a run has its row, and pools with other queries have columns of their own."""

from pathlib import Path
from typing import Any

from app.report.evaluated import Evaluation, merged, models_of, percent, read_evaluation, retrieval_file
from core.places import Place
from core.settings import Config


def told(queries: list[str], recall: float) -> dict[str, Any]:
    metrics = {"i2t@1": recall, "i2t@10": 1.0, "t2i@1": recall, "t2i@10": 1.0}
    return {
        "metrics": metrics, "intervals": {"i2t@1": [0.1, 0.9]}, "chance": dict.fromkeys(metrics, 0.5),
        "by_modality": {"CT": metrics | {"queries": 4}}, "pool": len(queries), "queries": queries,
    }  # fmt: skip


def test_models_of_the_same_pool_share_a_column() -> None:
    found = merged([
        Evaluation(model="a", file="retrieval-test-rerank0.json", pools={"pairs": told(["x", "y"], 0.5)}),
        Evaluation(model="b", file="retrieval-test-rerank16.json", pools={"pairs": told(["x", "y"], 0.25)}),
    ])  # fmt: skip
    assert list(found.pools) == ["pairs"]
    assert (found.pools["pairs"].images, found.pools["pairs"].chance["i2t@1"]) == (2, 50.0)
    assert {model: pools["pairs"]["i2t@1"] for model, pools in found.retrieval.items()} == {"a": 50.0, "b": 25.0}
    assert found.intervals["a"]["pairs"]["i2t@1"] == (10.0, 90.0)
    assert found.modalities["b"]["pairs"]["CT"] == percent(told([], 0.25)["metrics"]) | {"queries": 4}


def test_other_queries_are_another_pool() -> None:
    found = merged([
        Evaluation(model="a", file="retrieval-test-rerank0.json", pools={"pairs": told(["x", "y"], 0.5)}),
        Evaluation(model="b", file="retrieval-val-rerank0.json", pools={"pairs": told(["z"], 0.5)}),
        Evaluation(model="c", file="retrieval-val-rerank0.json", pools={"pairs": told(["w"], 0.5)}),
    ])  # fmt: skip
    assert list(found.pools) == ["pairs", "pairs, val-rerank0", "pairs of c"]


def test_the_runs_own_way_of_evaluating_comes_first_and_twins_last(tmp_path: Path) -> None:
    run, config = Place.at(tmp_path), Config()
    for model in ("z", "a-untrained", "mine"):
        (run / "models" / model / "settings.json").write_json({})
    (run / "models" / "no-model" / "x.json").write_json({})
    assert models_of(run) == ["mine", "z", "a-untrained"]
    assert read_evaluation(run, "z", config) is None
    for name in ("retrieval-val-rerank0.json", "retrieval-test-rerank3.json"):
        (run / "models" / "z" / name).write_json({})
    assert [each.file for each in [read_evaluation(run, "z", config)] if each] == ["retrieval-test-rerank3.json"]
    retrieval_file(run, "z", config).write_json({"pairs": told(["x"], 1.0)})
    found = read_evaluation(run, "z", config, named="r/z")
    assert found is not None and found.model == "r/z" and found.pools["pairs"]["queries"] == ["x"]
