"""What a bench measures is printed and written, and a missed goal is its exit code."""

import json
from pathlib import Path

import pytest

from bench.numbers import Numbers, measure


@pytest.mark.parametrize(("most", "code"), [(1.0, 1), (2.0, 0)])
def test_a_missed_goal_is_the_exit_code(
    most: float, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def missed(told: Numbers) -> list[str]:
        return ["too long"] if told["seconds"] > most else []

    out = tmp_path / "runs" / "bench.json"
    with pytest.raises(SystemExit) as ended:
        measure([lambda: {"seconds": 2.0}, lambda: {"figures": 3.0}], out, missed)
    assert ended.value.code == code
    told = json.loads(out.read_text())
    assert told["seconds"] == 2 and told["figures"] == 3 and told["load"] >= 0
    printed = capsys.readouterr().out
    assert '"figures": 3.0' in printed and ("missed: too long" in printed) == bool(code)
