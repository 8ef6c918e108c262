"""A user's own files: what does not fit is named at once, and what could not be read is an exit code."""

import json
import sys
from collections import Counter
from pathlib import Path

import pytest
import typer

from app.cli import main
from app.commands_files import tell


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["separate", "{tmp}/nowhere", "{tmp}/out.json"], "nowhere is no folder"),
        (["separate", "{tmp}", "{tmp}/out.json"], "has no images"),
        (["split-captions", "{tmp}/nowhere.json", "{tmp}/out.json"], "nowhere.json"),
        (["split-captions", "{tmp}/in.json", "{tmp}/out.json", "--set", "captions.min=1"], "no setting 'captions.min'"),
        (["pair-figures", "{tmp}", "{tmp}/in.json", "{tmp}/out.json"], "has no images"),
        (["evaluate", "pairs", "--images", "{tmp}"], "--images DIR --truth TRUTH.json"),
    ],
)
def test_files_that_do_not_fit_are_named_before_ray_starts(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "in.json").write_text('[{"id": "1"}]')
    monkeypatch.setattr(sys, "argv", ["figray", *(argument.format(tmp=tmp_path) for argument in arguments)])
    monkeypatch.setattr("core.cluster.connect", lambda _: pytest.fail("Ray was to start"))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["in.json"]


def test_a_job_in_which_nothing_could_be_read_fails(capsys: pytest.CaptureFixture[str]) -> None:
    tell(Counter({"": 3, "truncated": 2, "not_image": 1}), Path("out.json"), as_json=False)
    assert capsys.readouterr().out == ""  # what --json leaves to programs
    tell(Counter({"": 3, "truncated": 2, "not_image": 1}), Path("out.json"), as_json=True)
    said = capsys.readouterr()
    assert json.loads(said.out) == {"out": "out.json", "rows": 6, "failed": {"truncated": 2, "not_image": 1}}
    assert said.err == "out.json: 6 rows; 3 failed: 1 not_image, 2 truncated\n"
    with pytest.raises(typer.Exit) as exit_code:
        tell(Counter({"truncated": 2}), Path("out.json"), as_json=False)
    assert exit_code.value.exit_code == 1
    tell(Counter(), Path("out.json"), as_json=False)  # an empty list of captions is done
