"""What trials leave of themselves: counted, in their order, and told again."""

from pathlib import Path

from tuning.evidence import (
    read_failure,
    read_reports,
    read_starts,
    write_failure,
    write_report,
    write_start,
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
