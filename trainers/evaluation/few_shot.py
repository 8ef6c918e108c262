"""Few-shot classification (MLIP, section 3.3 and Table 2): linear heads on a frozen encoder, from 1 % of patients."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from core.config import UserError
from trainers.checkpoint import load_model
from trainers.evaluation.kept_films import Encode
from trainers.evaluation.radiographs import (
    Features,
    Prediction,
    encode_films,
    finding_names,
    refuse_seen,
    refuse_shared_patients,
    targets_of,
)
from trainers.evaluation.scores import METRICS, Draws, measures, redraw, summary

STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # C of the logistic regression, the inverse of its L2 penalty
UNFITTED = 1e-2  # where nothing can choose
FOLDS = 3  # of the labelled share
Penalty = Literal["labelled", "validation"]
AUC = METRICS.index("auc")

Floats = NDArray[np.float64]


class Splits(NamedTuple):
    """Radiographs as one encoder describes them."""

    train: Features
    val: Features
    test: Features


@dataclass(frozen=True)
class Told:
    """How well one target is told from few patients, or the mean of the targets; None where that is undefined."""

    auc: float | None  # mean over the seeds
    interval: tuple[float, float] | None  # 95 %, of that mean, by resampling the patients of the test set
    spread: float | None  # standard deviation over the seeds
    by_seed: list[float]
    note: str = ""


@dataclass(frozen=True)
class Share:
    """What heads tell that were trained on a share of the patients."""

    share: float
    patients: int
    radiographs: list[int]  # by seed
    targets: dict[str, Told]
    mean: Told  # of the targets that every seed could learn


@dataclass(frozen=True)
class FewShot:
    """A frozen encoder under linear heads."""

    shares: list[Share]
    radiographs: dict[str, int]  # of train, val and test
    predictions: dict[str, list[Prediction]]  # by share: of the test radiographs, the mean logit of the seeds' heads


@dataclass(frozen=True, kw_only=True)
class FewShotPlan:
    """How heads are trained and tested; shares, fewest, seeds, resamples and seed as probe() takes them."""

    shares: Sequence[float]
    fewest: int
    seeds: int
    penalty: Penalty = "labelled"
    batch_size: int  # radiographs encoded at once
    resamples: int
    seed: int


def few_shot(
    folder: str | Path,
    *,
    train_files: Sequence[str],
    val_files: Sequence[str],
    test_files: Sequence[str],
    plan: FewShotPlan,
    device: str = "cpu",
    encode: Encode | None = None,
) -> FewShot:
    """The image encoder of a model's folder, frozen, under heads for what the test files were judged for.

    The model may have seen the training radiographs and their reports, not those of val and test: LeakError. encode:
    what sees radiographs by this model; None: encode_films().
    """
    refuse_shared_patients(train=train_files, val=val_files, test=test_files)
    refuse_seen(folder, [*val_files, *test_files])
    if encode is None:
        encode = partial(encode_films, load_model(folder)[0], batch_size=plan.batch_size, device=device)
    return probe(
        Splits(*(encode(files) for files in (train_files, val_files, test_files))),
        shares=plan.shares,
        fewest=plan.fewest,
        seeds=plan.seeds,
        penalty=plan.penalty,
        resamples=plan.resamples,
        seed=plan.seed,
    )


def probe(
    splits: Splits,
    *,
    shares: Sequence[float],
    fewest: int,
    seeds: int,
    resamples: int,
    seed: int,
    penalty: Penalty = "labelled",
) -> FewShot:
    """Heads on features that stay as they are.

    shares: of the training patients that were judged for anything, each at least `fewest`. seeds: draws of each share;
    a larger one holds the smaller of its draw. penalty: where it is chosen, see learn(). resamples: of the patients of
    the test set. seed: of all that is drawn.
    Raises UserError if the test set was judged for no finding.
    """
    targets = finding_names(splits.test.rows)
    if not targets:
        raise UserError("the test radiographs were judged for no finding: there is nothing to learn")
    splits = splits._replace(train=_judged(splits.train, targets))
    truths = np.column_stack([targets_of(splits.train.rows, name) for name in targets])  # (N, K)
    names, patient = np.unique(np.asarray(splits.train.patients), return_inverse=True)
    counts = [min(len(names), max(fewest, round(share * len(names)))) for share in shares]
    orders = [patient_order(patient, truths, seed=(seed, draw)) for draw in range(seeds)]
    redrawn = redraw(splits.test.patients, resamples=resamples, seed=seed)
    found, predictions = [], dict[str, list[Prediction]]()
    for share, count in zip(shares, counts, strict=True):
        drawn = [np.isin(patient, order[:count]) for order in orders]  # (N,) each
        told, mean, predictions[f"{share:g}"] = _tell(splits, targets, drawn, redrawn, penalty)
        found.append(Share(share, count, [int(each.sum()) for each in drawn], told, mean))
    radiographs = {name: len(features.rows) for name, features in splits._asdict().items()}
    return FewShot(shares=found, radiographs=radiographs, predictions=predictions)


def _judged(features: Features, targets: Sequence[str]) -> Features:
    """Those radiographs of which any target is known."""
    truths = np.column_stack([targets_of(features.rows, name) for name in targets])  # (N, K)
    known = ~np.isnan(truths).all(axis=1)
    rows = [features.rows[number] for number in np.flatnonzero(known)]
    return Features(embeddings=features.embeddings[known], states=features.states[known], rows=rows)


def patient_order(patient: NDArray[np.int64], truths: Floats, *, seed: int | tuple[int, ...]) -> NDArray[np.int64]:
    """(C,) the patients in a random order, of which shares are the beginnings.

    patient: (N,), of each radiograph, from 0. truths: (N, K), 1, 0 or nan. The first patients of the order with each
    target and without it come before the others, rare ones first, so that a small share has both of as many targets
    as it can; a share that had them anyway stays as drawn.
    """
    order = np.random.default_rng(seed).permutation(patient.max(initial=-1) + 1)
    sides = np.hstack([truths == 1, truths == 0])  # (N, 2K)
    has = np.zeros((len(order), sides.shape[1]), dtype=bool)  # (C, 2K)
    np.logical_or.at(has, patient, sides)
    has = has[order]
    first: list[int] = []  # places in the order
    for column in np.argsort(has.sum(axis=0), kind="stable"):
        if has[:, column].any() and not has[first, column].any():
            first.append(int(has[:, column].argmax()))
    return np.concatenate([order[first], np.delete(order, first)])


def _tell(
    splits: Splits, targets: Sequence[str], drawn: Sequence[NDArray[np.bool_]], redrawn: Draws, penalty: Penalty
) -> tuple[dict[str, Told], Told, list[Prediction]]:
    """What heads tell of each target from the drawn radiographs, the mean over the targets, and of each radiograph."""
    told, tables, predictions = {}, [], list[Prediction]()
    for name in targets:
        reason = _reason_against(splits, name, drawn)
        if reason:
            told[name] = Told(None, None, None, [], reason)
            continue
        scores = np.column_stack([learn(splits, name, chosen, penalty) for chosen in drawn])  # (N, S)
        tables.append(_aucs(splits, name, scores, redrawn))
        predictions += [
            Prediction(row["image_id"], name, float(score))
            for row, score in zip(splits.test.rows, scores.mean(axis=1), strict=True)
        ]
        told[name] = _told(tables[-1])
    left_out = [name for name, each in told.items() if each.auc is None]
    note = f"without {', '.join(left_out)}" if left_out else ""
    mean = _told(np.mean(tables, axis=0), note) if tables else Told(None, None, None, [], "no target was learnt")
    return told, mean, predictions


def _reason_against(splits: Splits, name: str, drawn: Sequence[NDArray[np.bool_]]) -> str:
    """Why a target is left out, or ""."""
    truths, tested = targets_of(splits.train.rows, name), targets_of(splits.test.rows, name)
    one_sided = sum(not _both(truths[chosen]) for chosen in drawn)
    if not _both(tested):
        return "the test set has one class only"
    if not _both(truths):
        return "the training set has one class only"
    return f"{one_sided} of {len(drawn)} draws have one class only" if one_sided else ""


def _both(truths: Floats) -> bool:
    return bool((truths == 1).any() and (truths == 0).any())


def _aucs(splits: Splits, name: str, scores: Floats, redrawn: Draws) -> Floats:
    """(1 + R, S) the AUC on the test set, as it is and resampled, of a head from each draw. scores: (N, S) of them."""
    truths = targets_of(splits.test.rows, name)
    known = ~np.isnan(truths)
    of_known = Draws(redrawn.times, redrawn.patient[known])
    columns = [measures(each, truths[known], of_known, threshold=None)[:, AUC] for each in scores[known].T]
    return np.column_stack(columns)


def learn(splits: Splits, name: str, chosen: NDArray[np.bool_], penalty: Penalty = "validation") -> Floats:
    """(N,) logits for the test set of a linear head that learnt a target from some training radiographs.

    chosen: (N,). The features are standardised by the chosen ones. penalty: the best by AUC on the validation split, or
    over folds of the chosen ones, of which no patient is in two.
    """
    if penalty == "labelled":
        return _learn_within(splits, name, chosen)
    truths, wanted = targets_of(splits.train.rows, name), targets_of(splits.val.rows, name)
    taught, known = chosen & ~np.isnan(truths), ~np.isnan(wanted)
    strengths = STRENGTHS if _both(wanted) else (UNFITTED,)
    heads = [
        make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000)).fit(
            splits.train.states[taught], truths[taught]
        )
        for strength in strengths
    ]
    best = heads[0]
    if len(heads) > 1:
        val = splits.val.states[known]
        best = max(heads, key=lambda head: float(roc_auc_score(wanted[known], head.decision_function(val))))
    return np.asarray(best.decision_function(splits.test.states))


def _learn_within(splits: Splits, name: str, chosen: NDArray[np.bool_]) -> Floats:
    truths = targets_of(splits.train.rows, name)
    taught = np.flatnonzero(chosen & ~np.isnan(truths))
    states, wanted = splits.train.states[taught], truths[taught]
    patients = np.asarray(splits.train.patients)[taught]

    def fitted(strength: float, rows: NDArray[np.int64]) -> Any:
        head = make_pipeline(StandardScaler(), LogisticRegression(C=strength, max_iter=1000))
        return head.fit(states[rows], wanted[rows])

    folds = []
    if min(len(np.unique(patients[wanted == side])) for side in (0, 1)) >= FOLDS:
        split = StratifiedGroupKFold(FOLDS).split(states, wanted, patients)
        folds = [(learnt, asked) for learnt, asked in split if _both(wanted[learnt]) and _both(wanted[asked])]

    def worth(strength: float) -> float:
        asked = [(fitted(strength, learnt).decision_function(states[left]), wanted[left]) for learnt, left in folds]
        return float(np.mean([roc_auc_score(truth, scores) for scores, truth in asked]))

    best = max(STRENGTHS, key=worth) if folds else UNFITTED
    return np.asarray(fitted(best, np.arange(len(taught))).decision_function(splits.test.states))


def _told(aucs: Floats, note: str = "") -> Told:
    """aucs: (1 + R, S)."""
    values, ranges = summary(aucs.mean(axis=1, keepdims=True), ("auc",))
    by_seed = aucs[0].tolist()
    return Told(values["auc"], ranges.get("auc"), float(np.std(by_seed)), by_seed, note)
