"""The plans of MedVL's table and figures, and what is said of their results, worked by hand."""

import math

import pytest

from app.papers.medvl_models import (
    PERCENTS,
    Model,
    Result,
    ablated,
    chosen,
    finetuned,
    of_equal_steps,
    pretrained,
    ratio,
    summary,
)
from core.config import load
from trainers.evaluation.bootstrap import ratio as resampled

CONFIG = load("medvl-phantom")


def measured(scheme: str, found: list[float], *, seed: int = 0, pool: str = "pairs") -> Result:
    """A result of four queries of two articles."""
    model = Model(scheme=scheme, seed=seed, config=CONFIG)
    share = sum(found) / len(found)
    return Result(
        model=model,
        pool=pool,
        split="test",
        size=len(found),
        metrics={"i2t@1": 100 * share},
        intervals={},
        chance={"i2t@1": 25.0},
        articles=["A1", "A1", "A2", "A2"],
        found={"i2t@1": found},
    )


def test_pretraining_differs_in_scheme_seed_and_share_alone() -> None:
    models = pretrained(CONFIG, seeds=2, percents=PERCENTS)
    assert len({model.name for model in models}) == len(models) == 16
    assert [model.name for model in models[:3]] == ["raw-25-seed0", "processed-25-seed0", "raw-25-seed1"]
    assert models[-1].name == "processed-seed1"
    for model in models:
        train = model.config.train.model_copy(update={"scheme": "processed", "fraction": 1.0})
        assert model.config.model_copy(update={"train": train, "seed": 0}) == CONFIG.model_copy(
            update={"train": CONFIG.train.model_copy(update={"scheme": "processed"})}
        )
        assert model.config.train.fraction == model.percent / 100


def test_the_whole_share_is_the_model_of_table_1_so_that_it_is_trained_once() -> None:
    assert set(pretrained(CONFIG, seeds=2)) <= set(pretrained(CONFIG, seeds=2, percents=PERCENTS))
    assert ablated(CONFIG, seeds=1)[0] == pretrained(CONFIG, seeds=1)[1]


def test_finetuning_begins_from_the_model_of_its_own_scheme_and_seed_and_shows_whole_figures() -> None:
    tuned = finetuned(load("medvl-phantom-finetune"), pretrained(CONFIG, seeds=2))
    assert [(model.name, model.config.model.init) for model in tuned][:2] == [
        ("raw-seed0-finetune", "run:raw-seed0"),
        ("processed-seed0-finetune", "run:processed-seed0"),
    ]
    assert {model.scheme for model in tuned} == {"raw", "processed"}
    assert {model.config.train.scheme for model in tuned} == {"raw"}  # the paper's, run8 and run9
    assert all(model.config.objective.text == 0 for model in tuned)


def test_an_ablation_takes_one_loss_away() -> None:
    losses = {
        model.name: (model.config.objective.itm, model.config.objective.text) for model in ablated(CONFIG, seeds=1)
    }
    assert losses == {
        "processed-seed0": (1.0, 1.0),
        "processed-no-itm-seed0": (0.0, 1.0),
        "processed-no-text-seed0": (1.0, 0.0),
    }


def test_a_summary_is_mean_and_range_over_seeds() -> None:
    found = summary([measured("raw", [1, 0, 0, 0]), measured("raw", [1, 1, 1, 0], seed=1)], "i2t@1")
    assert found is not None
    assert (found.mean, found.low, found.high, found.spread) == (50.0, 25.0, 75.0, "25.0–75.0")
    assert summary([], "i2t@1") is None


def test_a_ratio_resamples_articles_with_each_query_at_its_mean_over_seeds() -> None:
    above = [measured("processed", [1, 1, 1, 0]), measured("processed", [1, 1, 0, 1], seed=1)]
    below = [measured("raw", [1, 0, 0, 0]), measured("raw", [0, 0, 1, 0], seed=1)]
    found = ratio(above, below, "i2t@1")
    assert found is not None
    assert found.value == pytest.approx(3.0)  # 0.75 by 0.25
    # Of two articles: one alone gives (1, 1) by (0.5, 0) or (0.5, 0.5) by (0.5, 0), both their mean.
    assert (found.low, found.high) == pytest.approx((2.0, 4.0))
    assert found == resampled([1, 1, 0.5, 0.5], [0.5, 0, 0.5, 0], above[0].articles, resamples=1000, seed=0)


def test_there_is_no_ratio_to_nothing() -> None:
    assert ratio([measured("processed", [1, 0, 0, 0])], [measured("raw", [0, 0, 0, 0])], "i2t@1") is None
    assert ratio([measured("processed", [1, 0, 0, 0])], [], "i2t@1") is None
    nothing = ratio([measured("processed", [0, 0, 0, 0])], [measured("raw", [1, 0, 0, 0])], "i2t@1")
    assert nothing is not None and nothing.value == 0.0 and not math.isnan(nothing.low)


def test_results_are_chosen_by_what_they_and_their_models_are() -> None:
    results = [measured("raw", [1, 0, 0, 0]), measured("processed", [1, 0, 0, 0], pool="whole figures")]
    assert chosen(results, scheme="raw") == results[:1]
    assert chosen(results, pool="whole figures", stage="PT", percent=100) == results[1:]
    assert chosen(results, split="val") == []


def test_raw_for_as_many_steps_is_a_model_of_its_own() -> None:
    models = of_equal_steps(load("medvl-phantom"), seeds=2, steps=77)
    assert [model.name for model in models] == ["raw-equal-steps-seed0", "raw-equal-steps-seed1"]
    assert {(model.config.optim.steps, model.config.train.scheme) for model in models} == {(77, "raw")}
    tuned = finetuned(load("medvl-phantom-finetune"), models)
    assert tuned[0].name == "raw-equal-steps-seed0-finetune" and tuned[0].budget == "steps"
    assert tuned[0].config.model.init == "run:raw-equal-steps-seed0"
