"""`figray reproduce`: the papers' tables and figures by name; their models are models of the run like others."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.papers import medvl as medvl
from app.papers import mlip as mlip
from app.papers.reproduction import Job
from app.progress import Bars
from app.session import GOES_ON, connected
from app.steps import opened
from core.config import load
from core.places import Place
from core.settings import Config


@dataclass(frozen=True)
class Paper:
    """How the tables and figures of a paper are begun."""

    recipes: Mapping[str, str]  # by scale
    prepare: Callable[[Config, Place, str, Bars], None]  # what the models are trained on, by scale


PAPERS = {"medvl": Paper(medvl.RECIPES, medvl.prepare), "mlip": Paper(mlip.RECIPES, mlip.prepare)}
REPRODUCTIONS: dict[str, Callable[[Job], str]] = {
    "medvl-table1": medvl.table1,
    "medvl-figure3": medvl.figure3,
    "medvl-figure4": medvl.figure4,
    "medvl-ablation": medvl.ablation,
    "mlip-table1": mlip.table1,
    "mlip-table2": mlip.table2,
    "mlip-table3": mlip.table3,
    "mlip-table4": mlip.table4,
    "mlip-figure3": mlip.figure3,
}


def paper_of(name: str) -> Paper:
    """The paper of a table or figure."""
    return PAPERS[name.partition("-")[0]]


def reproduce(
    what: str, run: str, *, scale: str, overrides: list[str], on: Sequence[str], recipe: str | None = None, **asked: Any
) -> str:
    """The page of a table or figure. A run that stands keeps the settings that its tables were made with.

    on: runs whose radiographs models are probed with; none: the run itself. recipe: another than that of the scale.
    asked: seeds and terms, as in Job.
    """
    place, paper = Place.at(run), paper_of(what)
    recipe = recipe or paper.recipes[scale]
    training = load(recipe, overrides)
    begun = (place / "config.yaml").exists()
    with (
        opened(place, None if begun else recipe, overrides) as config,
        connected(training, stopped=GOES_ON) as bars,
    ):
        paper.prepare(config, place, scale, bars)
        probed = [Place.at(each) for each in on] or [place]
        job = Job(
            run=place, recipe=recipe, config=training, overrides=overrides, scale=scale, on=probed, bars=bars, **asked
        )
        return REPRODUCTIONS[what](job)
