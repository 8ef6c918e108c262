"""The starts and ends that trials leave: counted, in their order, and told again."""

from pathlib import Path

from tuning.starts import read_end, read_starts, write_end, write_start


def test_each_start_of_a_trial_is_kept_with_where_it_went_on_from(tmp_path: Path) -> None:
    folder = str(tmp_path / "sweep")
    for trial, step in (("b1", 0), ("a1", 0), ("b1", 160), ("b1", 320)):
        write_start(folder, trial, step=step, settings={"optim.lr": 1e-3})
    found = read_starts(folder)
    assert [(start["trial"], start["step"]) for start in found] == [("a1", 0), ("b1", 0), ("b1", 160), ("b1", 320)]
    assert found[0]["settings"] == {"optim.lr": 1e-3}


def test_an_end_is_what_was_reported_last_and_there_is_none_before(tmp_path: Path) -> None:
    assert read_end(str(tmp_path), "a1") is None and read_starts(str(tmp_path)) == []
    write_end(str(tmp_path), "a1", {"step": 800, "mean_recall": 0.5})
    assert read_end(str(tmp_path), "a1") == {"step": 800, "mean_recall": 0.5}
