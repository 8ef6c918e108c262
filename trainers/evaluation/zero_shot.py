"""Zero-shot classification (CheXzero; MLIP, Table 1): whether an image is nearer to "present" or to "absent"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from torch.nn.functional import normalize
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from trainers.batch import Collate
from trainers.checkpoint import load_model
from trainers.evaluation.kept_films import Encode
from trainers.evaluation.prompts import Prompts, PromptSet
from trainers.evaluation.radiographs import (
    Features,
    Prediction,
    encode_films,
    finding_names,
    refuse_seen,
    refuse_shared_patients,
    targets_of,
)
from trainers.evaluation.scores import Judged, Predictions, judge
from trainers.towers import Towers


@dataclass(frozen=True)
class ZeroShot:
    """How well a model tells findings that it got no labels of."""

    targets: dict[str, Judged]
    mean: Judged  # over the targets, of each metric
    prompt_set: str
    prompts: dict[str, dict[str, list[str]]]  # target -> positive, negative
    radiographs: dict[str, int]  # of val and test
    notes: list[str]  # what was left out, and why
    predictions: list[Prediction]  # of the test radiographs
    by_side: dict[str, dict[str, float]] = field(default_factory=dict)  # target, and "" their mean -> of by_side()


@dataclass(frozen=True, kw_only=True)
class ZeroShotPlan:
    """What is asked, and how its answers are judged."""

    prompts: PromptSet
    batch_size: int  # radiographs encoded at once
    resamples: int  # of the patients, for intervals
    seed: int
    targets: Sequence[str] | None = None  # None: all that the test files were judged for


def zero_shot(
    folder: str | Path,
    *,
    val_files: Sequence[str],
    test_files: Sequence[str],
    plan: ZeroShotPlan,
    device: str = "cpu",
    encode: Encode | None = None,
) -> ZeroShot:
    """The model of a folder on the radiographs of the test files; those of val fix the thresholds.

    encode: what sees radiographs by this model; None: encode_films(). Raises LeakError, or UserError where nothing is
    left.
    """
    refuse_shared_patients(val=val_files, test=test_files)
    refuse_seen(folder, [*val_files, *test_files])
    model, tokenizer = load_model(folder)
    encode = encode or partial(encode_films, model, batch_size=plan.batch_size, device=device)
    val, test = encode(val_files), encode(test_files)
    model.to(device)
    wanted = plan.targets if plan.targets is not None else finding_names(test.rows)
    asked = prompted(plan.prompts, wanted)
    axes = {name: sides(model, tokenizer, found) for name, found in asked.items()}
    tested = predict(test, axes)
    judged = judge(predict(val, axes), tested, resamples=plan.resamples, seed=plan.seed)
    return ZeroShot(
        targets=judged.targets,
        mean=judged.mean,
        prompt_set=plan.prompts.name,
        prompts={name: {side: list(each) for side, each in found} for name, found in asked.items()},
        radiographs={"val": len(val.rows), "test": len(test.rows)},
        notes=[f"{name}: the set {plan.prompts.name} has no prompts for it" for name in wanted if name not in asked]
        + [f"{name}: {each.note}" for name, each in judged.targets.items() if each.note],
        by_side=by_side(test, axes),
        predictions=[
            Prediction(row["image_id"], target, float(score))
            for row, scores in zip(test.rows, tested.scores, strict=True)
            for target, score in zip(tested.targets, scores, strict=True)
        ],
    )


def prompted(prompts: PromptSet, wanted: Sequence[str]) -> dict[str, Prompts]:
    """The prompts of those targets that the set has any for; UserError if it has for none."""
    asked = {name: found for name in wanted if (found := prompts.of(name))}
    if not asked:
        raise UserError(
            f"the set of prompts '{prompts.name}' has none for {', '.join(wanted) or 'these radiographs'}; "
            "choose another by probe.prompt_set"
        )
    return asked


@torch.no_grad()
def sides(model: Towers, tokenizer: PreTrainedTokenizerFast, prompts: Prompts) -> NDArray[np.float64]:
    """(2, E): what stands for present and what for absent, each the mean of its prompts' embeddings, of unit length.

    Prompts are cut into pieces as the texts of the training were.
    """
    model.eval()
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    device = next(model.parameters()).device
    means = []
    for texts in (prompts.positive, prompts.negative):
        tokens, mask = collate.tokenize(list(texts))
        means.append(model.embed_texts(tokens.to(device), mask.to(device)).double().mean(dim=0))
    return normalize(torch.stack(means), dim=-1).cpu().numpy()


def present_scores(embeddings: NDArray[np.float64], axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N,): a softmax over the cosines to present and to absent, without a temperature (CheXzero).

    embeddings: (N, E). axis: (2, E), of `sides`. Both of unit length.
    """
    cosines = embeddings @ axis.T  # (N, 2)
    return expit(cosines[:, 0] - cosines[:, 1])


def predict(features: Features, axes: Mapping[str, NDArray[np.float64]]) -> Predictions:
    """The scores of radiographs for each target, with what is so; axes: of `sides` by target."""
    return Predictions(
        targets=tuple(axes),
        scores=np.column_stack([present_scores(features.embeddings, axis) for axis in axes.values()]),
        truths=np.column_stack([targets_of(features.rows, name) for name in axes]),
        patients=features.patients,
    )


def by_side(features: Features, axes: Mapping[str, NDArray[np.float64]]) -> dict[str, dict[str, float]]:
    """AUC of each target, and "" their mean, from the same embeddings by one side of the prompts or by both.

    `pos`: nearness to the prompts that it is there. `neg`: farness from those that it is not, below .5 where a model
    does not read the word "no": it then finds a denied finding where the finding is. `pnc`: both, as present_scores().
    Targets of which the truth is one-sided are left out.
    """
    found: dict[str, dict[str, float]] = {}
    for name, axis in axes.items():
        truths = targets_of(features.rows, name)
        known = ~np.isnan(truths)
        if len(np.unique(truths[known])) < 2:
            continue
        cosines = features.embeddings[known] @ axis.T  # (N, 2)
        scores = {"pos": cosines[:, 0], "neg": -cosines[:, 1], "pnc": cosines[:, 0] - cosines[:, 1]}
        found[name] = {side: float(roc_auc_score(truths[known], each)) for side, each in scores.items()}
    if found:
        found[""] = {side: float(np.mean([each[side] for each in found.values()])) for side in ("pos", "neg", "pnc")}
    return found
