"""The synthetic services by hand."""

import threading
from pathlib import Path

import pytest

from core.config import load
from phantom.pmc.__main__ import main


def test_a_recipe_leads_to_what_is_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = threading.Event()
    done.set()
    main([str(tmp_path), "--articles", "2"], until=done)
    assert "2 synthetic articles" in capsys.readouterr().out
    assert load(str(tmp_path / "here.yaml")).source.esearch_url.startswith("http://127.0.0.1:")
