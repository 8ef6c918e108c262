"""What grows with the corpus is taken station by station, each in a process of its own."""

import time
from pathlib import Path

import pytest

from bench import scale
from bench.scale import STATIONS, Station, cost_of, missed, station_numbers


def draw(folder: Path, figures: int) -> None:
    (folder / "figures").write_text(str(figures))


def take(folder: Path) -> None:
    """As much memory and time as there are figures: megabytes and hundredths of a second."""
    figures = int((folder / "figures").read_text())
    taken = b"x" * (figures * 10**6)
    begun = time.process_time()
    while time.process_time() - begun < figures / 100:
        pass
    assert taken


def test_seconds_and_the_driver_s_memory_are_told_at_each_size_with_their_growth(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(STATIONS, "made up", Station(draw, take, ()))
    told = station_numbers("made up", (50, 200))
    assert told["made_up_exponent"] == pytest.approx(1, abs=0.3)
    assert 1.3 < told["made_up_times_memory"] < 4
    assert told["made_up_driver_mb_200"] - told["made_up_driver_mb_50"] == pytest.approx(150, abs=20)
    assert [goal.partition(" ")[0] for goal in missed(told)][-1:] == ["made_up_times_memory"]
    assert missed({"a_exponent": 1.1, "a_times_memory": 1.3, "a_seconds_1": 99.0}) == []


@pytest.mark.parametrize("name", ["manifests", "training set", "evaluation of a pool", "evaluation of all"])
def test_each_station_goes_through_a_small_corpus(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scale, "_alone", lambda call: call())  # another process would load torch again, twice
    spent, wall, megabytes = cost_of(STATIONS[name], 2 * scale.FIGURES_A_PART)
    assert spent >= 0 and wall > 0 and megabytes > 10
