"""What a station holds: of two parts, what a worker holds and what each byte adds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bench import held


def test_a_line_through_two_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    of_articles = {20: (300_000_000, 4_000_000), 160: (660_000_000, 40_000_000)}

    def alone(call: Callable[..., Any], *given: Any) -> Any:
        return of_articles[int(given[1].name)] if call is held._taken else None

    monkeypatch.setattr(held, "_alone", alone)
    told = held.stations(20, 160)
    assert told["pairs_mb"] == pytest.approx(260)
    assert told["separate_bytes_a_byte"] == pytest.approx(10)
    assert len(told) == 2 * len(held.STATIONS)


def test_a_part_is_made_and_measured(tmp_path: Path, draw_corpus: Callable[..., None]) -> None:
    draw_corpus(tmp_path / "corpus", articles=3, seed=0)
    for station in ("collect", "separate"):
        most, taken = held._taken(station, tmp_path)
        assert most > 50_000_000 and taken > 10_000
