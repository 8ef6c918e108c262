"""The plans of MLIP's tables, and what probes say, as scores, worked by hand."""

from typing import Any

import pytest

from app.papers.mlip_models import (
    FULL,
    PLAIN,
    ROWS,
    Model,
    Score,
    ablated,
    averages,
    chosen,
    full,
    lead_of,
    of_row,
    scores,
    untrained,
)
from core.config import load
from core.settings import MlipSettings

CONFIG = load("mlip-phantom")


def score(row: str, seed: int, task: str, value: float, **more: Any) -> Score:
    return Score(model=of_row(CONFIG, row, seed), dataset="A", task=task, metric="auc", value=value, **more)


def test_the_rows_of_table_4_take_away_what_they_lack_and_nothing_else() -> None:
    told = {
        model.row: {name: value for name, value in model.config.mlip if value != getattr(CONFIG.mlip, name)}
        for model in ablated(CONFIG, seeds=1)
    }
    assert told == {
        "contrast": {"integrity": "off", "spm": 0.0, "mip": 0.0},
        "integrity": {"spm": 0.0, "mip": 0.0},
        "contrast + SPM": {"integrity": "off", "mip": 0.0},
        "integrity + SPM": {"mip": 0.0},
        "integrity + SPM + MIP": {},
    }
    for model in ablated(CONFIG, seeds=2):
        kept = {"mlip": MlipSettings(), "seed": 0}
        assert model.config.model_copy(update=kept) == CONFIG.model_copy(update=kept)
        assert model.config.mlip.mask_ratio == CONFIG.mlip.mask_ratio


def test_each_seed_has_models_of_its_own_and_the_whole_is_that_of_the_other_tables() -> None:
    models = ablated(CONFIG, seeds=2)
    assert [model.name for model in models] == [
        f"{name}-seed{seed}"
        for seed in (0, 1)
        for name in ("contrast", "integrity", "contrast-spm", "integrity-spm", "mlip")
    ]
    assert [model.config.seed for model in models[::5]] == [0, 1]
    assert [model for model in models if model.row == FULL] == full(CONFIG, seeds=2)
    assert {model.name for model in untrained(CONFIG, seeds=2)} == {"untrained-seed0", "untrained-seed1"}
    assert [model.config for model in untrained(CONFIG, seeds=2)] == [model.config for model in full(CONFIG, seeds=2)]


def found() -> dict[str, Any]:
    """What probes leave as JSON."""
    judged = {"metrics": {"auc": 0.9, "f1": None}, "intervals": {"auc": [0.8, 0.95]}, "prevalence": 0.25}
    told = {"auc": 0.7, "interval": [0.6, 0.75]}
    hits = {"hit_rate": 0.6, "random_rate": 0.2, "ratio": 3.0, "interval": [2.0, 4.0]}
    return {
        "zero-shot": {"mean": judged, "targets": {"Nodule": judged}},
        "few-shot": {
            "shares": [
                {"share": 0.01, "mean": told, "targets": {"Nodule": told, "Hernia": {"auc": None, "interval": None}}}
            ]
        },
        "segmentation": {
            "target": "Nodule",
            "metrics": {"dice": 0.8, "dice_positive": 0.5, "dice_all_empty": 0.7},
            "intervals": {"dice": [0.7, 0.9]},
        },
        "pointing": {"overall": hits, "by_finding": {"Nodule": hits}},
    }


def test_what_probes_find_becomes_scores_in_percent() -> None:
    made = scores(of_row(CONFIG, FULL, 0), "drawn", found())
    assert {each.dataset for each in made} == {"drawn"}
    (mean,) = chosen(made, task="zero-shot", metric="auc", target="")
    assert (mean.value, mean.low, mean.high) == pytest.approx((90.0, 80.0, 95.0))
    assert chosen(made, metric="f1") == []  # undefined
    assert [each.value for each in chosen(made, metric="prevalence")] == [25.0, 25.0]
    (shot,) = chosen(made, task="few-shot", target="Nodule")
    assert (shot.value, shot.share) == (pytest.approx(70.0), 0.01)
    assert chosen(made, task="few-shot", target="Hernia") == []
    (dice,) = chosen(made, metric="dice")
    assert (dice.value, dice.low, dice.target) == (80.0, 70.0, "Nodule")
    assert chosen(made, metric="dice_positive")[0].low is None
    (times,) = chosen(made, metric="ratio", target="")
    assert (times.value, times.low, times.high) == (3.0, 2.0, 4.0)  # no percent
    assert chosen(made, metric="hit_rate", target="")[0].value == pytest.approx(60.0)


def test_an_average_weighs_zero_shot_as_much_as_all_shares_together() -> None:
    told = [
        score(FULL, 0, "zero-shot", 90.0),
        score(FULL, 0, "zero-shot", 10.0, target="Nodule"),  # in the mean already
        score(FULL, 0, "few-shot", 70.0, share=0.01),
        score(FULL, 0, "few-shot", 80.0, share=0.1),
        score(PLAIN, 0, "zero-shot", 80.0),  # never probed by few labels
    ]
    assert [(each.model.row, each.value, each.task) for each in averages(told)] == [(FULL, 82.5, "average")]


def test_one_row_leads_another_by_the_differences_of_their_seeds() -> None:
    told = [score(FULL, seed, "average", value) for seed, value in enumerate((90.0, 80.0))]
    told += [score(PLAIN, seed, "average", value) for seed, value in enumerate((85.0, 84.0))]
    ahead = lead_of(told, FULL, PLAIN)
    assert ahead is not None
    assert (ahead.mean, ahead.low, ahead.high, ahead.ahead) == pytest.approx((0.5, -4.0, 5.0, 1))


def test_names_of_models_are_names_of_folders() -> None:
    for row in ROWS:
        name = Model(row=row, seed=0, config=CONFIG).name
        assert name == name.lower() and " " not in name and "+" not in name
