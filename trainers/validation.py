"""What a checkpoint is worth on the validation split alone, one number a metric: by these a sweep chooses."""

from collections.abc import Callable, Mapping, Sequence

import torch

from core.config import UserError
from trainers.checkpoint import load_model
from trainers.evaluation import retrieval
from trainers.evaluation.prompts import PromptSet
from trainers.evaluation.radiographs import encode_films, finding_names, refuse_seen
from trainers.evaluation.scores import judge
from trainers.evaluation.zero_shot import predict, prompted, sides


def validate(
    folder: str,
    *,
    metrics: Sequence[str],
    pairs: Sequence[str],
    radiographs: Sequence[str],
    prompts: PromptSet,
    batch_size: int,
    pool: int | None = None,
    gpu: bool = False,
) -> dict[str, float]:
    """The metrics of the model in a folder, each 0 to 1, the higher the better.

    pairs, radiographs: Parquet files of the validation split; no other file is read. pool: pairs that are retrieved
    from at most, by whole articles; None: all. gpu: use one where there is one.
    Raises LeakError if the model was trained on what it is asked, UserError where there is nothing to ask.
    """
    device = "cuda" if gpu and torch.cuda.is_available() else "cpu"
    measures: Mapping[str, Callable[[], float]] = {
        "mean_recall": lambda: mean_recall(folder, pairs, batch_size=batch_size, pool=pool, device=device),
        "zero_shot_auc": lambda: zero_shot_auc(
            folder, radiographs, prompts=prompts, batch_size=batch_size, device=device
        ),
    }
    return {name: measures[name]() for name in metrics}


def mean_recall(
    folder: str, pairs: Sequence[str], *, batch_size: int, pool: int | None = None, device: str = "cpu"
) -> float:
    """The mean of R@1, R@5 and R@10 in both directions (BLIP's r_mean), by ITC alone: no model has to match."""
    plan = retrieval.Plan(batch_size=batch_size, rerank=0, resamples=0, pool=pool)
    return retrieval.evaluate(folder, pairs, plan, machine=retrieval.Here(device)).told.metrics["mean"]


def zero_shot_auc(
    folder: str, radiographs: Sequence[str], *, prompts: PromptSet, batch_size: int, device: str = "cpu"
) -> float:
    """The mean AUC over the targets that have both classes and prompts."""
    refuse_seen(folder, radiographs)
    model, tokenizer = load_model(folder)
    films = encode_films(model, radiographs, batch_size=batch_size, device=device)
    asked = prompted(prompts, finding_names(films.rows))
    found = predict(films, {name: sides(model, tokenizer, each) for name, each in asked.items()})
    # No threshold is used here, so the radiographs may stand for those that would fix it.
    auc = judge(found, found, resamples=0, seed=0).mean.metrics["auc"]
    if auc is None:
        raise UserError(f"no target of {', '.join(asked)} is both present and absent in the validation radiographs")
    return auc
