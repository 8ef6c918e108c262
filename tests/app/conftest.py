"""What probes of MLIP's models could have found, made by a rule instead of by training."""

from collections.abc import Callable

import pytest

from app.config import load
from tuning.mlip_tables import ROWS, UNTRAINED, Score, of_row

STEPS = {UNTRAINED: -30.0, **{row: 2.0 * place for place, row in enumerate(ROWS)}}  # points of AUC, by row


def made_scores(dataset: str, *, seeds: int = 2, better: float = 1.0) -> list[Score]:
    """Each row of Table 4 two points above the one before, in all seeds; better: -1 turns the order round."""
    config, made = load("mlip-phantom"), []
    for row, step in STEPS.items():
        for seed in range(seeds):
            model, value = of_row(config, row, seed), 80 + better * step + seed
            for target in ("", "Nodule", "Edema"):
                for metric in ("auc", "ap", "f1", "macro_f1", "f1_oracle"):
                    low, high = value - 3, value + 3
                    made.append(
                        Score(model=model, dataset=dataset, task="zero-shot", metric=metric, target=target,
                              value=value, low=low, high=high)
                    )  # fmt: skip
                made.append(
                    Score(model=model, dataset=dataset, task="zero-shot", metric="prevalence", target=target, value=20)
                )
                for metric, hits in (("hit_rate", value / 2), ("random_rate", 10.0), ("ratio", value / 20)):
                    made.append(
                        Score(model=model, dataset=dataset, task="pointing", metric=metric, target=target, value=hits)
                    )
            for share in (0.01, 0.1):
                made.append(
                    Score(model=model, dataset=dataset, task="few-shot", metric="auc", share=share,
                          value=value - 10, low=value - 12, high=value - 8)
                )  # fmt: skip
            for metric, dice in (("dice", value), ("dice_positive", value - 40), ("dice_all_empty", 75.0)):
                made.append(
                    Score(model=model, dataset=dataset, task="segmentation", metric=metric, target="Nodule", value=dice)
                )
    return made


@pytest.fixture
def mlip_scores() -> Callable[..., list[Score]]:
    """made_scores(dataset, seeds=, better=)."""
    return made_scores
