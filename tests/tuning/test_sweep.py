"""A sweep on local Ray: its trials, its best, killed and gone on; the same by Ray Train."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.places import Place
from core.settings import Config, ObjectiveSettings, OptimSettings, SweepSettings, TrainSettings
from tests.trainers.conftest import SMALL, draw_pair
from trainers.checkpoint import load_model
from trainers.evaluation.prompts import PromptSet
from trainers.validation import validate
from tuning.evidence import STATE, read_starts, write_failure, write_report, write_start
from tuning.spaces import Range
from tuning.sweep import Sweep, latest_step, row_of, run_sweep

SPACE = {"optim.lr": Range(log_uniform=(1e-4, 1e-2)), "objective.temperature": Range(uniform=(0.03, 0.2))}
STEPS = 10
ROOT = Path(__file__).resolve().parent.parent.parent


def small_sweep(folder: Path, *, space: Any = SPACE, **settings: Any) -> Sweep:
    """Trials of ten steps of eight pairs, validated after every second step."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [draw_pair(number, np.random.default_rng([7, number])) for number in range(48)]
    for name, some in (("train", rows[:32]), ("val", rows[32:])):
        if not (folder / f"{name}.parquet").exists():
            pq.write_table(pa.Table.from_pylist(some), folder / f"{name}.parquet")
    config = Config(
        model=SMALL,
        objective=ObjectiveSettings(queue=0, alpha=0),
        optim=OptimSettings(lr=1e-3, steps=STEPS, warmup_steps=0),
        train=TrainSettings(batch_size=8, trackers=(), failures=0),
        sweep=SweepSettings(**{"trials": 4, **settings}),
    )
    judged = partial(
        validate,
        metrics=config.sweep.metrics,
        pairs=[str(folder / "val.parquet")],
        radiographs=[],
        prompts=PromptSet(name="plain", positive=("a {}",), negative=("no {}",)),
        batch_size=8,
    )
    return Sweep(
        folder=str(folder / "sweep"),
        config=config,
        space=space,
        train_files=(str(folder / "train.parquet"),),
        validate=judged,
        at_once=2,
    )


def last_step(trial: str, step: int, steps: int) -> None:
    """Nothing is shown."""


@pytest.mark.ray
def test_trials_are_drawn_judged_stopped_and_told(local_ray: None, tmp_path: Path) -> None:
    sweep, seen = small_sweep(tmp_path), list[tuple[str, int, int]]()
    rows = run_sweep(sweep, on_step=lambda *step: seen.append(step))
    assert len(rows) == len({row["trial"] for row in rows}) == 4
    assert {row["status"] for row in rows} <= {"finished", "stopped"}
    for row in rows:
        assert [point["step"] for point in row["curve"]] == list(range(2, row["step"] + 1, 2))
        assert (row["status"] == "finished") == (row["step"] == STEPS)
        assert row["metrics"] == {"mean_recall": row["curve"][-1]["mean_recall"]}
        assert row["settings"].keys() == SPACE.keys() and 1e-4 <= row["settings"]["optim.lr"] <= 1e-2
        assert (row["starts"], row["error"]) == (1, "")
        assert (row["trial"], row["step"], STEPS) in seen
    finished = next(row for row in rows if row["status"] == "finished")
    (kept,) = Path(sweep.folder, STATE, finished["trial"]).glob("checkpoint_*/model.safetensors")
    model, _ = load_model(kept.parent)
    found = sweep.validate(str(kept.parent))
    assert model.settings.image_size == 32 and found == finished["metrics"]
    assert json.loads(json.dumps(rows)) == rows


@pytest.mark.ray
@pytest.mark.cluster
def test_a_loss_that_is_not_finite_ends_its_trial_once_and_not_the_sweep(local_ray: None, tmp_path: Path) -> None:
    wild = {"optim.lr": Range(choice=(1e-3, 1e30))}
    rows = run_sweep(small_sweep(tmp_path, space=wild, scheduler="none", trials=6), on_step=last_step)
    ended = {row["settings"]["optim.lr"]: (row["status"], row["starts"]) for row in rows}
    assert ended == {1e-3: ("finished", 1), 1e30: ("failed", 1)}
    assert all("losses" in row["error"] for row in rows if row["status"] == "failed")


@pytest.mark.ray
@pytest.mark.cluster
def test_pbt_goes_on_from_others_weights_within_the_ranges(local_ray: None, tmp_path: Path) -> None:
    rows = run_sweep(small_sweep(tmp_path, scheduler="pbt"), on_step=last_step)
    assert [(row["status"], row["step"]) for row in rows] == [("finished", STEPS)] * 4
    assert all(1e-4 <= row["settings"]["optim.lr"] <= 1e-2 for row in rows)
    assert any(start["step"] > 0 for start in read_starts(str(tmp_path / "sweep")))


@pytest.mark.ray
@pytest.mark.cluster
def test_trials_by_ray_train_are_those_of_fit(local_ray: None, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, executor="ray_train", scheduler="none", trials=2)
    rows = run_sweep(sweep, on_step=last_step)
    for row in rows:
        assert (row["status"], row["step"], row["starts"], row["error"]) == ("finished", STEPS, 1, "")
        assert [point["step"] for point in row["curve"]] == [2, 4, 6, 8, 10]
        checkpoint = Path(sweep.folder, "trials", row["trial"], "checkpoint")
        assert sweep.validate(str(checkpoint)) == row["metrics"]


@pytest.mark.ray
@pytest.mark.cluster
@pytest.mark.timeout(900)
@pytest.mark.parametrize("executor", ["inline", "ray_train"])
def test_a_killed_sweep_goes_on_and_no_finished_trial_runs_again(executor: str, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, executor=executor, scheduler="none", trials=5)
    running = begun(tmp_path, executor)
    while running.poll() is None and len(ends(sweep)) < 2:
        time.sleep(0.1)
    assert running.poll() is None, "it ended before it could be killed"
    os.killpg(running.pid, signal.SIGKILL)
    finished = ends(sweep)
    time.sleep(5)  # the trials see that nobody is there
    assert begun(tmp_path, executor).wait() == 0
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert [(row["status"], row["step"]) for row in rows] == [("finished", STEPS)] * 5
    assert finished <= {row["trial"] for row in rows}
    assert all(row["starts"] == 1 for row in rows if row["trial"] in finished)
    assert all([point["step"] for point in row["curve"]] == [2, 4, 6, 8, 10] for row in rows)
    assert max(Counter(start["trial"] for start in read_starts(sweep.folder)).values()) <= 2


class Runs:
    """What makes a folder where it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.marker),)


@pytest.mark.ray
@pytest.mark.cluster  # half a minute each; that a stranger's sweep is not unpickled is in tests/faults too
@pytest.mark.parametrize("scheduler", ["asha", "none", "pbt"])
def test_a_sweep_goes_on_by_its_evidence_and_unpickles_nothing(scheduler: str, local_ray: None, tmp_path: Path) -> None:
    sweep, marker = small_sweep(tmp_path, scheduler=scheduler, trials=3), tmp_path / "marker"
    held = {"optim.lr": 1e-3, "objective.temperature": 0.1}
    for trial in ("a1", "b1"):
        write_start(sweep.folder, trial, step=0, settings=held)
    for step in range(2, STEPS + 1, 2):
        write_report(sweep.folder, "a1", {"step": step, "mean_recall": 0.5, "seconds": 1.0})
    attack = pickle.dumps(Runs(marker))
    Path(sweep.folder, STATE, "b1").mkdir(parents=True)
    for name in (
        "tuner.pkl", "trainable.pkl", "searcher-state-2026-11-29_00-00-00.pkl", "search_gen_state-2026.json",
        "experiment_state-2026-11-29_00-00-00.json", "optuna.pkl", "b1/params.pkl", "../asha.rungs",
    ):  # fmt: skip
        Path(sweep.folder, STATE, name).write_bytes(attack)
    rows = {row["trial"]: row for row in run_sweep(sweep, on_step=last_step)}
    assert not marker.exists()
    assert len(rows) == 3 and rows["a1"]["starts"] == 1 and rows["a1"]["status"] == "finished"
    assert rows["b1"]["starts"] >= 2 and rows["b1"]["settings"].keys() == held.keys()
    assert all(row["status"] == "finished" or scheduler == "asha" for row in rows.values())
    assert all(row["settings"].keys() == held.keys() and not row["error"] for row in rows.values())
    assert run_sweep(sweep, on_step=last_step) == list(rows.values())
    assert not marker.exists()


def ends(sweep: Sweep) -> set[str]:
    """The trials whose last report is there."""
    return {file.parent.name for file in Path(sweep.folder, "reports").glob(f"*/step-{STEPS:08d}.json")}


def begun(folder: Path, executor: str) -> "subprocess.Popen[bytes]":
    """A process of its own that runs the sweep and writes rows.json."""
    command = [sys.executable, "-m", "tests.tuning.test_sweep", str(folder), executor]
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)


def test_a_row_has_each_validation_once_and_says_why_a_trial_failed(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path)
    starts = [{"trial": "a1", "step": step, "settings": {"optim.lr": 1e-3}} for step in (0, 4)]
    for step, recall in ((2, 0.1), (4, 0.3), (4, 0.2), (6, 0.4)):
        write_report(sweep.folder, "a1", {"step": step, "mean_recall": recall, "seconds": 2.0})
    row = {
        "trial": "a1", "status": "stopped", "starts": 2, "step": 6, "seconds": 6.0, "settings": {"optim.lr": 1e-3},
        "metrics": {"mean_recall": 0.4}, "error": "",
        "curve": [{"step": 2, "mean_recall": 0.1}, {"step": 4, "mean_recall": 0.2}, {"step": 6, "mean_recall": 0.4}],
    }  # fmt: skip
    assert row_of("a1", None, starts, sweep) == row
    died = row_of("a1", RuntimeError("Traceback ...\nOSError: disk full\n"), starts, sweep)
    assert died == row | {"status": "failed", "error": "OSError: disk full"}
    write_failure(sweep.folder, "a1", "step 7: losses {}")
    assert row_of("a1", None, starts, sweep) == row | {"status": "failed", "error": "step 7: losses {}"}
    bare = row_of("b1", None, starts, sweep)
    assert (bare["status"], bare["settings"], bare["curve"], bare["metrics"]) == ("stopped", {}, [], {})


def test_the_latest_checkpoint_of_fit_is_found_by_its_step(tmp_path: Path) -> None:
    assert latest_step(Place.at(tmp_path)) == 0
    for step in (2, 160):
        (tmp_path / "restarts" / "blip-1" / f"step-{step:08d}").mkdir(parents=True)
    assert latest_step(Place.at(tmp_path)) == 160


if __name__ == "__main__":
    from core.cluster import connect, disconnect

    connect(Config())
    found = run_sweep(
        small_sweep(Path(sys.argv[1]), executor=sys.argv[2], scheduler="none", trials=5), on_step=last_step
    )
    Path(sys.argv[1], "rows.json").write_text(json.dumps(found))
    disconnect()
