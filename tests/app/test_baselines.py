"""A published model comes into a run under a name of its own."""

from pathlib import Path

import pytest

from app.baselines import brought
from core.config import UserError
from core.places import Place
from core.runs import RunConflict
from core.settings import Config
from tests.trainers.conftest import shape_rows, tokenizer  # noqa: F401 - fixtures
from tests.trainers.published.conftest import Write, written  # noqa: F401 - a fixture
from trainers.checkpoint import load_model


def test_it_is_brought_once_and_its_name_is_kept_for_it(written: Write, tmp_path: Path) -> None:  # noqa: F811
    folder, run = written("clip"), Place.at(tmp_path / "run")
    name = brought(Config(), run, f"hf:{folder}")
    assert name == "hf-clip" and load_model((run / "models" / name / "checkpoint").uri)[0].note
    first = (tmp_path / "run" / "models" / name / "checkpoint" / "config.json").stat().st_mtime_ns
    assert brought(Config(), run, f"hf:{folder}") == name
    assert (tmp_path / "run" / "models" / name / "checkpoint" / "config.json").stat().st_mtime_ns == first
    (tmp_path / "other").mkdir()
    folder.rename(tmp_path / "other" / "clip")
    with pytest.raises(RunConflict, match="published was"):
        brought(Config(), run, f"hf:{tmp_path / 'other' / 'clip'}")


def test_one_that_cannot_be_had_leaves_no_model(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no config\.json"):
        brought(Config(), Place.at(tmp_path / "run"), f"hf:{tmp_path / 'empty'}")
    assert not (tmp_path / "run" / "models").exists()
