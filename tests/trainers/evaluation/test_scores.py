"""AUC, AP and F1 against scikit-learn and worked examples; thresholds that never see a test label."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, f1_score, precision_recall_curve, roc_auc_score

from trainers.evaluation.scores import METRICS, Predictions, best_threshold, judge, measures, redraw

Floats = NDArray[np.float64]


def drawn(n: int, seed: int, *, prevalence: float = 0.3, gap: float = 1.0) -> tuple[Floats, Floats]:
    """Scores with many ties, and truths that they tell something of."""
    rng = np.random.default_rng(seed)
    truths = (rng.random(n) < prevalence).astype(float)
    return (rng.normal(size=n) + gap * truths).round(1), truths


def one_target(scores: Floats, truths: Floats, patients: list[str] | None = None) -> Predictions:
    return Predictions(("Mass",), scores[:, None], truths[:, None], patients or [f"p{n}" for n in range(len(scores))])


def test_every_resample_equals_the_slow_loop_of_scikit_learn() -> None:
    scores, truths = drawn(90, 0)
    redrawn = redraw([f"p{n // 3}" for n in range(90)], resamples=12, seed=3)
    table = measures(scores, truths, redrawn, threshold=0.8)
    assert table.shape == (13, len(METRICS))
    for row, times in zip(table, redrawn.times, strict=True):
        again = np.repeat(np.arange(90), times[redrawn.patient].astype(int))
        s, t = scores[again], truths[again]
        precision, recall, _ = precision_recall_curve(t, s)
        oracle = (2 * precision * recall / np.maximum(precision + recall, 1e-9)).max()
        slow = [roc_auc_score(t, s), average_precision_score(t, s), f1_score(t, s >= 0.8)]
        np.testing.assert_allclose(row, [*slow, f1_score(t, s >= 0.8, average="macro"), oracle], atol=1e-12)


def test_the_worked_example() -> None:
    scores, truths = np.array([0.9, 0.8, 0.7, 0.3]), np.array([1.0, 0.0, 1.0, 0.0])
    found = measures(scores, truths, redraw(list("abcd"), resamples=0, seed=0), threshold=0.85)[0]
    # Of the four pairs of present and absent three stand rightly; precision is 1 and 2/3 where a present one stands;
    # above 0.85 one of two is found and none wrongly: 2/3; of the absent both, with one too many: 4/5.
    np.testing.assert_allclose(found, [3 / 4, 5 / 6, 2 / 3, (2 / 3 + 4 / 5) / 2, 4 / 5])


def test_equal_scores_tell_nothing() -> None:
    truths = np.array([1.0, 0.0, 0.0, 0.0])
    found = measures(np.ones(4), truths, redraw(list("abcd"), resamples=0, seed=0), threshold=1.0)[0]
    np.testing.assert_allclose(found[[0, 1, 2]], [0.5, 0.25, 2 * 0.25 / 1.25])


def test_the_threshold_is_the_best_of_all() -> None:
    scores, truths = drawn(200, 4)
    found = best_threshold(scores, truths)
    assert found is not None
    tried = [f1_score(truths, scores >= each) for each in np.unique(scores)]
    assert f1_score(truths, scores >= found) == pytest.approx(max(tried))


def test_random_scores_get_the_f1_of_calling_all_present() -> None:
    rng = np.random.default_rng(5)
    val, test = ((rng.random(6000), (rng.random(6000) < 0.225).astype(float)) for _ in range(2))
    metrics = judge(one_target(*val), one_target(*test), resamples=0, seed=0).targets["Mass"].metrics
    assert metrics["f1"] == pytest.approx(2 * 0.225 / 1.225, abs=0.015)
    assert metrics["auc"] == pytest.approx(0.5, abs=0.02)


def test_no_test_label_moves_the_threshold() -> None:
    val, (scores, truths) = one_target(*drawn(80, 6)), drawn(80, 7)
    honest = judge(val, one_target(scores, truths), resamples=0, seed=0).targets["Mass"]
    turned = judge(val, one_target(scores, 1 - truths), resamples=0, seed=0).targets["Mass"]
    assert honest.threshold == turned.threshold == best_threshold(*val.of(0)[:2])
    assert honest.metrics["f1"] is not None and honest.metrics["f1_oracle"] is not None
    assert honest.metrics["f1"] < honest.metrics["f1_oracle"]


def test_more_films_of_the_same_patients_make_no_interval_narrower() -> None:
    scores, truths = drawn(60, 8)
    val, names = one_target(*drawn(60, 9)), [f"p{n}" for n in range(60)]
    once = judge(val, one_target(scores, truths, names), resamples=200, seed=1).targets["Mass"]
    often = judge(
        val, one_target(np.repeat(scores, 7), np.repeat(truths, 7), list(np.repeat(names, 7))), resamples=200, seed=1
    ).targets["Mass"]
    assert set(once.intervals) == set(METRICS)
    for name, interval in once.intervals.items():
        assert often.intervals[name] == pytest.approx(interval)
        assert interval[0] <= (once.metrics[name] or 0) <= interval[1]


def test_what_cannot_be_told_is_none_and_says_why() -> None:
    scores, truths = drawn(40, 10)
    columns = [truths, np.zeros(40), np.full(40, np.nan), truths]
    test = Predictions(("a", "b", "c", "d"), np.column_stack([scores] * 4), np.column_stack(columns), ["p"] * 40)
    val = Predictions(("a", "b", "c", "d"), test.scores, np.column_stack([*columns[:3], np.ones(40)]), ["q"] * 40)
    found = judge(val, test, resamples=5, seed=0)
    assert found.targets["b"].note == "all 40 are negative: nothing to tell apart"
    assert found.targets["c"].note == "nobody judged it" and found.targets["c"].prevalence is None
    assert found.targets["b"].metrics == found.targets["c"].metrics == dict.fromkeys(METRICS)
    assert found.targets["d"].note == "no threshold: validation has one class only"
    assert found.targets["d"].metrics["f1"] is None and found.targets["d"].metrics["auc"] is not None
    assert found.mean.metrics["f1"] == found.targets["a"].metrics["f1"]
    assert found.mean.note.endswith("undefined: b, c, d")
    json.dumps(asdict(found), allow_nan=False)


def test_the_mean_resamples_the_same_patients_for_all_targets() -> None:
    scores, truths = drawn(50, 11)
    # The second target is the first turned round: whatever is drawn, their AUCs sum to one.
    test = Predictions(
        ("a", "b"), np.column_stack([scores, -scores]), np.column_stack([truths, truths]), [f"p{n}" for n in range(50)]
    )
    mean = judge(test, test, resamples=100, seed=2).mean
    assert mean.metrics["auc"] == pytest.approx(0.5)
    assert mean.intervals["auc"] == pytest.approx((0.5, 0.5))


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="scores for Mass are not finite"):
        one_target(np.array([0.1, np.nan]), np.array([0.0, 1.0]))
