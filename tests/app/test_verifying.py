"""In = kept + left out + failed, and every listed article is told of."""

import json
from pathlib import Path

from app.verifying import verified
from core.places import Place
from core.records import Figure, Reject, to_table
from core.runs import Table


def run_of(folder: Path, *told: str) -> Place:
    figures = Table(Place.at(folder / "figures"), Figure)
    rejects = [Reject(item_id=each, article_id=each, stage="figures", code="gone", message="") for each in told]
    figures.commit(0, tables={"": to_table([], Figure)}, rejects=rejects, inputs="", counts={}, taken=len(told))
    (folder / "figures" / "articles.json").write_text(json.dumps(["PMC1", "PMC2"]))
    return Place.at(folder)


def test_a_run_of_which_all_is_told_is_whole(tmp_path: Path) -> None:
    found, told = verified(run_of(tmp_path, "PMC1", "PMC2"))
    assert found == [] and told == ["figures: 2 in = 0 kept + 2 left out + 0 failed, in 1 parts"]


def test_an_article_that_nothing_tells_of_is_named(tmp_path: Path) -> None:
    (found,), _ = verified(run_of(tmp_path, "PMC1"))
    assert "1 listed articles are in none of 1 parts, PMC2 among them" in str(found)
