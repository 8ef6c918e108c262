"""What stands at the top of the page is counted from what the page shows."""

from collections.abc import Callable

from app.report.findings import Films, of_accuracy, of_films, of_pairs, of_probes, of_retrieval, of_training
from app.report.page import Report
from app.report.pair_list import totals_of
from app.report.retrieval_table import Pool


def test_scores_are_added_up_to_the_pairs_that_are_probably_wrong() -> None:
    ways = (("letter", 0.3), ("whole", 0.8), ("given", 0.0))
    totals = totals_of([{"matched_by": way, "score": score} for way, score in ways])
    assert (totals.pairs, round(totals.wrong or 0, 3)) == (3, 0.9)
    assert [found.number for found in of_pairs(totals)] == ["3", "1"]
    assert [found.number for found in of_pairs(totals_of([{"matched_by": "given", "score": 1.0}]))] == ["1"]
    assert of_pairs(None) == []


def test_films_are_counted_with_their_patients() -> None:
    (found,) = of_films(Films(datasets=("RSNA",), splits={"train": (8, 5), "test": (3, 2)}, findings={}))
    assert (found.number, found.says) == ("11", "radiographs of 7 patients, from RSNA")
    assert of_films(None) == []


def test_the_best_model_is_named_beside_guessing(fill_report: Callable[..., Report]) -> None:
    retrieval = {"a": {"pairs": {"i2t@1": 10.0}}, "b": {"pairs": {"i2t@1": 20.0}}}
    (found,) = of_retrieval(retrieval, {"pairs": Pool(images=50, texts=50)})
    assert found.number == "20.0 %" and "by the model b" in found.says and found.says.endswith("2.0 %")
    assert of_retrieval({}, {}) == []
    assert of_probes(fill_report().probes)[0].number == "0.75"


def test_a_training_that_waits_is_said() -> None:
    curves = {"a": [{"step": 1, "samples_per_s": 40.0, "wait_share": 0.5}], "b": [{"step": 1, "wait_share": 0.1}]}
    assert [found.number for found in of_training(curves)] == ["40", "50 %"]
    assert of_accuracy({"pairs": 0.961})[0].number == "96.1 %"
    assert of_accuracy({}) == []
