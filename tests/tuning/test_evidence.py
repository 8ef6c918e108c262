"""What trials leave of themselves: counted, in their order, and told again."""

from pathlib import Path

from core.places import Place
from tuning.evidence import (
    ABOUT,
    TRIAL,
    known,
    latest_checkpoint,
    named,
    next_state,
    read_failure,
    read_reports,
    read_starts,
    write_failure,
    write_report,
    write_start,
    write_stop,
)


def test_each_start_of_a_trial_is_kept_with_where_it_went_on_from(tmp_path: Path) -> None:
    folder = str(tmp_path / "sweep")
    assert read_starts(folder) == []
    for trial, step in (("b1", 0), ("a1", 0), ("b1", 160), ("b1", 320)):
        write_start(folder, trial, step=step, settings={"optim.lr": 1e-3})
    found = read_starts(folder)
    assert [(start["trial"], start["step"]) for start in found] == [("a1", 0), ("b1", 0), ("b1", 160), ("b1", 320)]
    assert found[0]["settings"] == {"optim.lr": 1e-3}


def test_what_is_found_again_at_a_step_takes_the_place_of_what_stood_there(tmp_path: Path) -> None:
    folder = str(tmp_path)
    for step, recall in ((90, 0.3), (800, 0.5), (90, 0.4)):
        write_report(folder, "a1", {"step": step, "mean_recall": recall})
    assert [(each["step"], each["mean_recall"]) for each in read_reports(folder, "a1")] == [(90, 0.4), (800, 0.5)]
    assert read_reports(folder, "b1") == []


def test_why_a_trial_ended_stands_beside_its_reports(tmp_path: Path) -> None:
    folder = str(tmp_path)
    write_report(folder, "a1", {"step": 90})
    assert read_failure(folder, "a1") == ""
    write_failure(folder, "a1", "step 91: losses nan")
    assert (read_failure(folder, "a1"), read_reports(folder, "a1")) == ("step 91: losses nan", [{"step": 90}])


def test_what_is_known_of_a_sweep_that_goes_on(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert known(folder, steps=10) == [] and next_state(folder) == "tune"
    for trial in ("ended", "failed", "running", "stopped"):
        write_start(folder, trial, step=0, settings={"optim.lr": 1e-3})
        write_report(folder, trial, {"step": 10 if trial == "ended" else 4})
    write_failure(folder, "failed", "nan")
    write_stop(folder, "stopped", step=4)
    found = {each.trial: each.end for each in known(folder, steps=10)}
    assert found == {"ended": "finished", "failed": "failed", "running": "", "stopped": "stopped"}


def test_a_trial_keeps_the_name_that_it_was_first_told_by(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert named(folder, "t1", {TRIAL: "b1"}) == "b1"
    assert named(folder, "t1", {TRIAL: "c1"}) == "b1"  # PBT has given it another's settings
    assert named(folder, "t2", {}) == named(folder, "t2", {TRIAL: "b1"}) == "t2"


def test_the_latest_checkpoint_is_that_of_the_highest_step_of_whichever_time(tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert latest_checkpoint(folder, "b1") is None
    for state, number, step in (("tune", 0, 2), ("tune", 1, 6), ("tune-1", 0, 4)):
        (Place.at(folder) / state / "b1" / f"checkpoint_00000{number}" / ABOUT).write_json({"step": step})
    found = latest_checkpoint(folder, "b1")
    assert found and (found[0].name, found[1]) == ("checkpoint_000001", 6)
    assert next_state(folder) == "tune-2"
