"""What Ray Tune draws with and stops by, without Ray: ranges, seeds, rungs that outlive their process."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from ray.tune.schedulers import FIFOScheduler, PopulationBasedTraining, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from core.settings import SweepSettings
from tuning.search import distribution, scheduler_of, search_of, within
from tuning.spaces import Range

SPACE = {
    "optim.lr": Range(log_uniform=(1e-5, 1e-3)),
    "mlip.mask_ratio": Range(uniform=(0.25, 0.75)),
    "optim.warmup_steps": Range(int=(0, 2)),
    "train.batch_size": Range(log_int=(1, 4)),
    "objective.queue": Range(choice=(0, None)),
}


def drawn(settings: SweepSettings, *, seed: int = 0, trials: int = 60) -> list[dict[str, Any]]:
    search = search_of(settings, seed=seed)
    assert isinstance(search, OptunaSearch)
    search.set_search_properties(None, None, {name: distribution(each) for name, each in SPACE.items()})
    return [search.suggest(str(number)) or {} for number in range(trials)]


def test_both_ends_of_whole_numbers_are_drawn_and_nothing_beyond_any_range() -> None:
    found = drawn(SweepSettings())
    assert {each["optim.warmup_steps"] for each in found} == {0, 1, 2}
    assert {each["train.batch_size"] for each in found} == {1, 2, 3, 4}
    assert {each["objective.queue"] for each in found} == {0, None}
    rates = np.log10([each["optim.lr"] for each in found])
    assert -5 <= rates.min() < -4.8 and -3.2 < rates.max() <= -3  # as often below 1e-4 as above
    assert all(0.25 <= each["mlip.mask_ratio"] <= 0.75 for each in found)


def test_a_seed_draws_the_same_settings_again_for_one_metric_and_for_two() -> None:
    one, two = SweepSettings(), SweepSettings(metrics=("mean_recall", "zero_shot_auc"))
    assert drawn(one, trials=5) == drawn(one, trials=5) != drawn(one, seed=1, trials=5)
    assert drawn(two, trials=5) == drawn(two, trials=5)


def told(scheduler: TrialScheduler, trial: str, step: int, recall: float) -> str:
    controller: Any = None
    named: Any = SimpleNamespace(trial_id=trial)
    if step == 20:
        scheduler.on_trial_add(controller, named)
    return scheduler.on_trial_result(controller, named, {"step": step, "mean_recall": recall})


def asha(folder: Path) -> TrialScheduler:
    """Of 100 steps: rungs at 20 and 60, of three that reach one the best goes on."""
    scheduler = scheduler_of(SweepSettings(), SPACE, steps=100, between=20, folder=str(folder))
    assert scheduler.set_search_properties(None, None)
    return scheduler


def test_asha_stops_by_steps_and_knows_its_rungs_in_another_process(tmp_path: Path) -> None:
    first = asha(tmp_path)
    assert [told(first, "a", 20, 0.5), told(first, "b", 20, 0.4)] == ["CONTINUE", "STOP"]
    assert told(first, "a", 60, 0.6) == "CONTINUE"
    again = asha(tmp_path)
    assert told(again, "c", 20, 0.45) == "STOP"  # of three the second; alone it would have gone on
    assert told(again, "d", 20, 0.7) == "CONTINUE"
    assert told(again, "d", 60, 0.55) == "STOP"
    assert told(again, "a", 100, 0.6) == "CONTINUE"  # it ends by itself
    assert told(asha(tmp_path / "other"), "c", 20, 0.45) == "CONTINUE"


def test_pbt_changes_what_may_change_in_training_and_stays_within_the_ranges(tmp_path: Path) -> None:
    pbt = SweepSettings(scheduler="pbt")
    scheduler = scheduler_of(pbt, SPACE, steps=100, between=20, folder=str(tmp_path))
    assert isinstance(scheduler, PopulationBasedTraining)
    assert scheduler._hyperparam_mutations.keys() == {"optim.lr", "mlip.mask_ratio"}
    assert within({"mlip.mask_ratio": 0.9, "optim.lr": 1e-4}, SPACE) == {"mlip.mask_ratio": 0.75, "optim.lr": 1e-4}


def test_without_a_scheduler_every_trial_takes_all_its_steps(tmp_path: Path) -> None:
    none = SweepSettings(scheduler="none")
    assert type(scheduler_of(none, SPACE, steps=9, between=3, folder=str(tmp_path))) is FIFOScheduler
