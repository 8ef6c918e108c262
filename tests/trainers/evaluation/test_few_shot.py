"""Linear heads from few patients: how patients are drawn, what is learnt, and what is left out with a reason."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from core.config import UserError
from trainers.evaluation.few_shot import STRENGTHS, FewShot, FewShotPlan, Splits, few_shot, learn, patient_order, probe
from trainers.evaluation.radiographs import Features
from trainers.evaluation.retrieval import LeakError

Floats = NDArray[np.float64]


def features(states: Floats, truths: dict[str, Floats], *, split: str, per_patient: int = 2) -> Features:
    rows = [
        {
            "image_id": f"{split}-i{n}",
            "patient_id": f"{split}-p{n // per_patient}",
            "targets": [
                {"name": name, "present": bool(each[n])} for name, each in truths.items() if not np.isnan(each[n])
            ],
        }
        for n in range(len(states))
    ]
    return Features(embeddings=states, states=states, rows=rows)


def drawn(n: int, split: str, *, seed: int, gap: float) -> Features:
    """Ten numbers of each radiograph, the first of which tells Mass by so much and the second Rare."""
    rng = np.random.default_rng([seed, n])
    mass, rare = (rng.random(n) < 0.3).astype(float), (rng.random(n) < 0.03).astype(float)
    states = rng.normal(size=(n, 10))
    states[:, 0] += gap * mass
    states[:, 1] += gap * rare
    return features(states, {"Mass": mass, "Rare": rare}, split=split)


@pytest.fixture
def splits() -> Splits:
    return Splits(*(drawn(n, f"s{n}", seed=1, gap=3.0) for n in (400, 200, 300)))


def told(splits: Splits, *, seeds: int = 2, seed: int = 0) -> FewShot:
    return probe(splits, shares=(0.01, 0.2), fewest=6, seeds=seeds, resamples=20, seed=seed)


def test_what_the_features_tell_is_learnt_from_few_patients(splits: Splits) -> None:
    small, large = told(splits).shares
    assert (small.patients, large.patients) == (6, 40)
    assert small.radiographs == [12] * 2 and large.radiographs == [80] * 2
    assert (large.mean.auc or 0) > (small.mean.auc or 0) and (large.targets["Mass"].auc or 0) > 0.93
    for each in (*small.targets.values(), *large.targets.values(), small.mean, large.mean):
        assert each.interval is not None and each.interval[0] <= (each.auc or 0) <= each.interval[1]
        assert each.auc == pytest.approx(np.mean(each.by_seed)) and each.spread == pytest.approx(np.std(each.by_seed))


def test_features_that_tell_nothing_stay_at_chance() -> None:
    blind = Splits(*(drawn(n, f"s{n}", seed=2, gap=0.0) for n in (400, 200, 300)))
    assert told(blind).shares[1].mean.auc == pytest.approx(0.5, abs=0.1)


def test_the_same_seed_draws_the_same_patients_and_another_one_others(splits: Splits) -> None:
    found = told(splits, seeds=1)
    assert found == told(splits, seeds=1)
    assert told(splits, seeds=1, seed=1).shares[0].mean != found.shares[0].mean
    json.dumps(asdict(found), allow_nan=False)


def test_a_small_share_holds_both_sides_of_every_target_and_stays_in_the_larger_one() -> None:
    rng = np.random.default_rng(3)
    patient = np.arange(600) // 2
    truths = (rng.random((600, 4)) < [0.3, 0.05, 0.01, 0.99]).astype(float)
    truths[rng.random((600, 4)) < 0.2] = np.nan
    for seed in range(20):
        order = patient_order(patient, truths, seed=seed)
        assert sorted(order) == list(range(300))
        small = truths[np.isin(patient, order[:8])]
        assert ((small == 1).any(axis=0) & (small == 0).any(axis=0)).all()
    plain = np.random.default_rng(5).permutation(300)
    common = truths[:, :1]  # has both sides among any 30 patients: nothing is changed
    assert set(patient_order(patient, common, seed=5)[:30]) == set(plain[:30])


def test_a_head_is_the_logistic_regression_that_validation_prefers(splits: Splits) -> None:
    chosen = np.arange(400) < 30
    mean, deviation = splits.train.states[:30].mean(axis=0), splits.train.states[:30].std(axis=0)
    train, val, test = ((each.states - mean) / deviation for each in splits)
    truths = [np.array([float(row["targets"][0]["present"]) for row in each.rows]) for each in splits]
    heads = [LogisticRegression(C=strength).fit(train[:30], truths[0][:30]) for strength in STRENGTHS]
    best = max(heads, key=lambda head: float(roc_auc_score(truths[1], head.decision_function(val))))
    np.testing.assert_allclose(learn(splits, "Mass", chosen), best.decision_function(test), atol=1e-3)


def test_what_nobody_judged_teaches_nothing(splits: Splits) -> None:
    chosen = np.arange(400) < 60
    before = learn(splits, "Mass", chosen)
    more = Features(
        embeddings=np.zeros((405, 10)),
        states=np.vstack([splits.train.states, np.full((5, 10), 99.0)]),
        rows=[*splits.train.rows, *({"patient_id": f"x{n}", "targets": []} for n in range(5))],
    )
    after = learn(splits._replace(train=more), "Mass", np.append(chosen, [True] * 5))
    np.testing.assert_array_equal(before, after)
    found, changed = told(splits, seeds=1).shares[0], told(splits._replace(train=more), seeds=1).shares[0]
    assert (changed.patients, changed.radiographs) == (found.patients, found.radiographs)


def test_radiographs_that_nobody_judged_cannot_be_probed(splits: Splits) -> None:
    bare = splits.test.rows[0] | {"targets": [{"name": "No Finding", "present": True}]}
    test = Features(embeddings=np.zeros((1, 10)), states=np.zeros((1, 10)), rows=[bare])
    with pytest.raises(UserError, match="judged for no finding"):
        told(splits._replace(test=test))


def test_a_target_that_cannot_be_learnt_or_tested_is_left_out_with_a_reason() -> None:
    rng = np.random.default_rng(4)
    columns: dict[str, Callable[[int], Floats]] = {
        "fine": lambda n: (np.arange(n) % 3 == 0).astype(float),
        "never taught": lambda n: np.zeros(n) if n == 60 else (np.arange(n) % 2).astype(float),
        "never tested": lambda n: np.ones(n) if n == 50 else (np.arange(n) % 2).astype(float),
        "unasked in val": lambda n: np.full(n, np.nan) if n == 40 else (np.arange(n) % 2).astype(float),
    }
    made = Splits(
        *(
            features(
                rng.normal(size=(n, 3)), {name: of(n) for name, of in columns.items()}, split=f"s{n}", per_patient=1
            )
            for n in (60, 40, 50)
        )
    )
    share = probe(made, shares=(0.1,), fewest=1, seeds=2, resamples=0, seed=0).shares[0]
    assert share.targets["never taught"].note == "the training set has one class only"
    assert share.targets["never tested"].note == "the test set has one class only"
    assert share.targets["unasked in val"].auc is not None and share.targets["unasked in val"].interval is None
    assert share.mean.note == "without never taught, never tested"
    both = [share.targets[name].by_seed for name in ("fine", "unasked in val")]
    np.testing.assert_allclose(share.mean.by_seed, np.mean(both, axis=0))


def test_a_share_too_small_for_all_targets_says_of_which(splits: Splits) -> None:
    share = probe(splits, shares=(0.001,), fewest=1, seeds=3, resamples=0, seed=0).shares[0]
    notes = [each.note for each in share.targets.values() if each.auc is None]
    assert share.patients == 1 and notes and all("draws have one class only" in note for note in notes)


def test_a_saved_model_is_probed_twice_alike(saved_model: Path, film_files: dict[str, list[str]]) -> None:
    def probed(test_files: list[str]) -> FewShot:
        return few_shot(
            saved_model, train_files=film_files["train"], val_files=film_files["val"], test_files=test_files,
            plan=FewShotPlan(shares=(0.5,), fewest=4, seeds=2, batch_size=16, resamples=10, seed=0),
        )  # fmt: skip

    found = probed(film_files["test"])
    assert found == probed(film_files["test"])
    assert found.radiographs == {"train": 60, "val": 30, "test": 40} and set(found.shares[0].targets) == {
        "Bar",
        "Disc",
        "Ring",
    }
    with pytest.raises(LeakError, match="stand in split test and in train"):
        probed(film_files["train"])


def test_the_penalty_is_chosen_among_the_labels_that_there_are(splits: Splits) -> None:
    """Validation labels turned round change what is chosen on them, and nothing where they are not looked at."""
    turned = [
        {**row, "targets": [{**each, "present": not each["present"]} for each in row["targets"]]}
        for row in splits.val.rows
    ]
    lied = splits._replace(val=Features(embeddings=splits.val.embeddings, states=splits.val.states, rows=turned))
    chosen = np.arange(len(splits.train.rows)) < 80
    within = learn(splits, "Mass", chosen, "labelled")
    np.testing.assert_array_equal(within, learn(lied, "Mass", chosen, "labelled"))
    assert not np.array_equal(learn(splits, "Mass", chosen, "validation"), learn(lied, "Mass", chosen, "validation"))
    truths = np.array([{each["name"]: each["present"] for each in row["targets"]}["Mass"] for row in splits.test.rows])
    assert roc_auc_score(truths, within) > 0.93
