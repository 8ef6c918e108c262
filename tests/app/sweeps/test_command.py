"""`figray sweep`: what is refused before Ray starts, what an ended sweep leaves, and the whole command."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from app import steps
from app.sweeps import command as sweeps
from app.sweeps.command import TRIALS, Asked, asked, claimed_by, sweep
from core.config import SettingError, UserError, load
from core.places import Place
from core.records import Split
from core.runs import RunConflict
from tests.app.test_probe import TINY, drawn_run
from tuning.spaces import SpaceError

SHORT = [*TINY, "optim.steps=4", "sweep.trials=2", "sweep.validations=2", "probe.prompt_set=plain"]
VALIDATION: tuple[Split, ...] = ("train", "val")


def wanted(tmp_path: Path, *, resume: bool = False, space: str = "masking", **changes: Any) -> Asked:
    if not (tmp_path / "run").exists():
        drawn_run(Place.at(tmp_path / "run"), splits=VALIDATION)
    return asked(
        "mlip-phantom", space, str(tmp_path / "run"), **{"name": None, "on": None, "resume": resume, **changes}
    )


def ended(recall: float | None, **settings: Any) -> dict[str, Any]:
    """A trial's row; None: it failed."""
    whole = recall is not None
    return {
        "trial": f"t{recall}", "status": "finished" if whole else "failed", "starts": 1, "step": 4 * whole,
        "seconds": 1.0, "settings": settings, "metrics": {"mean_recall": recall} if whole else {},
        "curve": [{"step": 4, "mean_recall": recall}] if whole else [], "error": "" if whole else "step 0: losses nan",
    }  # fmt: skip


def begun(tmp_path: Path, rows: list[dict[str, Any]] | None) -> None:
    """A sweep whose trials have found these rows; None: that was killed as they ran."""
    claimed_by(wanted(tmp_path), SHORT)
    if rows is not None:
        (wanted(tmp_path).folder / TRIALS).write_json(rows)


def test_an_ended_sweep_says_its_best_and_leaves_a_recipe_that_train_takes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [ended(recall, **{"mlip.mask_ratio": ratio}) for recall, ratio in ((0.2, 0.5), (0.4, 0.25), (0.3, 0.75))]
    begun(tmp_path, rows)
    sweep(wanted(tmp_path), SHORT)
    told = capsys.readouterr().err
    assert "trials: 3 finished" in told and "best: trial t0.4, mean_recall 0.4000 on validation" in told
    assert f"figray train {tmp_path}/run/sweeps/masking/best.yaml --run {tmp_path}/run" in told
    assert f"figray evaluate best --run {tmp_path}/run" in told
    best = load(str(tmp_path / "run" / "sweeps" / "masking" / "best.yaml"))
    assert (best.mlip.mask_ratio, best.optim.steps, best.model.image_size) == (0.25, 4, 32)
    assert (best.train.checkpoint_steps, best.evaluate.split) == (None, "test")
    sweep(wanted(tmp_path), SHORT)  # again: nothing runs, and the same is said
    assert capsys.readouterr().err == told


def test_the_steps_of_epochs_are_stated_for_all_trials(tmp_path: Path) -> None:
    run = wanted(tmp_path).run
    config = load("mlip-phantom", [*TINY, "optim.steps=null", "optim.epochs=3"])
    files = steps.table(run, "pairs", steps.Pair).files("split=train")
    assert sweeps.with_steps(config, run, files).optim.steps == 6  # of 16 pairs in batches of 8


def test_a_sweep_that_was_killed_goes_on_when_asked_to(tmp_path: Path) -> None:
    begun(tmp_path, None)
    with pytest.raises(RunConflict, match="sweeps/masking is a sweep that has not ended: --resume goes on with it"):
        sweep(wanted(tmp_path), SHORT)
    assert claimed_by(wanted(tmp_path, resume=True), SHORT).config.sweep.trials == 2


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"set": "sweep.executor=ray_train"}, r"sweep\.executor was 'inline', now 'ray_train'"),
        ({"set": "sweep.trials=3"}, r"sweep\.trials was 2, now 3"),
        ({"set": "model.dropout=0.5"}, r"model\.dropout was 0\.0, now 0\.5"),
        ({"set": "seed=1"}, "seed was 0, now 1"),
        ({"space": "weights"}, "space was"),
    ],
)
def test_another_sweep_in_the_same_folder_is_refused_by_what_differs(
    tmp_path: Path, changes: dict[str, str], told: str
) -> None:
    begun(tmp_path, [ended(0.5)])
    other = wanted(tmp_path, space=changes.get("space", "masking"), name="masking")
    with pytest.raises(RunConflict, match=told):
        sweep(other, [*SHORT, *([changes["set"]] if "set" in changes else [])])


def test_where_no_trial_finished_the_reason_is_said_and_the_exit_code_is_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun(tmp_path, [ended(None), ended(None)])
    with pytest.raises(typer.Exit) as stopped:
        sweep(wanted(tmp_path), SHORT)
    assert stopped.value.exit_code == 1
    assert "no trial finished; step 0: losses nan" in capsys.readouterr().err


def test_what_cannot_be_judged_or_tried_stops_before_ray(tmp_path: Path) -> None:
    bare = drawn_run(Place.at(tmp_path / "bare"), splits=("train", "test"))
    with pytest.raises(UserError, match="the validation split has no pairs, and by it a sweep is judged"):
        sweep(asked("mlip-phantom", "masking", bare.uri, name=None, on=None, resume=False), SHORT)
    with pytest.raises(UserError, match="the validation split has no radiographs"):
        sweep(wanted(tmp_path, on=bare.uri), [*SHORT, "sweep.metrics=[zero_shot_auc]"])
    with pytest.raises(SpaceError, match="no space 'all'"):
        sweep(wanted(tmp_path, space="all"), SHORT)
    with pytest.raises(SettingError, match=r"train\.workers is 2, and an inline trial is one"):
        sweep(wanted(tmp_path), [*SHORT, "train.workers=2"])
    with pytest.raises(UserError, match="do not fill one batch of 64"):
        sweep(wanted(tmp_path), [*SHORT, "train.batch_size=64"])
    assert not (tmp_path / "run" / "sweeps").exists()


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
def test_the_command_finds_a_recipe_by_both_metrics_and_test_is_measured_once_after(tmp_path: Path) -> None:
    run = drawn_run(Place.at(tmp_path / "run"))
    test_file = next((tmp_path / "run" / "pairs" / "split=test").iterdir())
    kept = test_file.read_bytes()
    test_file.write_bytes(b"nobody may read this yet")
    both = ["--set", "sweep.metrics=[mean_recall, zero_shot_auc]", "--set", "sweep.scheduler=none"]
    figray("sweep", "mlip-phantom", "--space", "masking", "--trials", "3", "--run", run.uri, *both, *short())
    folder = tmp_path / "run" / "sweeps" / "masking"
    assert {"trials.parquet", "trials.csv", "trials.json", "best.yaml", "sweep.html"} <= {
        f.name for f in folder.iterdir()
    }
    assert not [*(tmp_path / "run").rglob("retrieval-*.json")]
    test_file.write_bytes(kept)
    figray("train", str(folder / "best.yaml"), "--run", run.uri)
    figray("evaluate", "best", "--run", run.uri, *short())
    assert len([*(tmp_path / "run" / "models" / "best").glob("retrieval-*.json")]) == 1


def short() -> list[str]:
    return [word for setting in SHORT if not setting.startswith("sweep.trials") for word in ("--set", setting)]


def figray(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "app.cli", *words], check=True, timeout=600)
