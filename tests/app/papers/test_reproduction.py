"""What a reproduction leaves in the run."""

import csv
import io
from pathlib import Path

import pytest

from app.papers.reproduced import Reproduced
from app.papers.reproduction import Job, about, write
from app.progress import Bars
from core.config import load
from core.places import Place


@pytest.mark.parametrize(("seeds", "said"), [(1, "1 seed,"), (3, "3 seeds,")])
def test_a_page_its_numbers_and_its_sentences_lie_in_the_run(tmp_path: Path, seeds: int, said: str) -> None:
    run = Place.at(tmp_path / "mine")
    config = load("mlip-phantom", ["optim.lr=0.5"])
    job = Job(
        run=run, recipe="mlip-phantom", config=config, overrides=[], scale="phantom", seeds=seeds, terms=[], on=[run],
        bars=Bars(),
    )  # fmt: skip
    page = Reproduced(title="A table", sentences=["It is so."], **about(job))
    assert page.about == f"Scale phantom, {said} run mine."
    assert page.settings["optim.lr"] == 0.5
    shown = write(job, "a-table", page, [{"metric": "auc", "value": 0.5}, {"metric": "f1", "low": 0.1}])
    assert "It is so." in Path(shown).read_text()
    assert (run / "a-table.json").read_json()["said"] == ["It is so."]
    rows = list(csv.DictReader(io.StringIO((run / "a-table.csv").read_bytes().decode())))
    assert rows[1] == {"metric": "f1", "value": "", "low": "0.1"}
