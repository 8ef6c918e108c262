"""MLIP's tables and figure on a run's radiographs and reports: full, part by part, and untrained as the floor."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app import steps
from app.films import comparable, read_films
from app.papers import mlip_paired as paired
from app.papers import mlip_tables as tables
from app.papers import mlip_verdicts as verdicts
from app.papers.mlip_models import (
    FULL,
    ROWS,
    UNTRAINED,
    Model,
    Score,
    ablated,
    averages,
    full,
    is_frozen,
    scores,
    untrained,
)
from app.papers.mlip_published import PRINTED, TABLE_1_NOTE, TABLE_2_NOTE, TABLE_3_NOTE, TABLE_4, TABLE_4_NOTE
from app.papers.phi_map import phi_map
from app.papers.reproduced import Picture, Reproduced, Table
from app.papers.reproduction import Job, about, train, write
from app.papers.sentence_grid import SentenceGrid, sentence_grids
from app.probe import Task, possible, probe, prompts_of, write_untrained
from app.progress import Bars
from app.radiographs import draw_chests
from app.report.from_run import DRAWN
from app.session import say
from core.config import UserError
from core.places import Place
from core.runs import RunConflict
from core.settings import Config
from trainers.checkpoint import load_model
from trainers.datasets.containment import UNKNOWN
from trainers.evaluation.sentence_maps import mlip_of, phi_grid

RECIPES = {"phantom": "mlip-phantom", "paper": "mlip-cxr"}  # by scale
PHI = (
    "phi, by which eq. 4 weighs images, over the places of its patches: less its mean, by its deviation. It is learnt "
    "through the contrast alone."
)
MAPS = (
    "The maps are cosines of patches and a prompt's sentence, of held-out radiographs that a fixed rule has drawn, not "
    "chosen by hand. The paper shows one."
)
NEEDS: dict[Task, str] = {
    "zero-shot": "findings that were judged",
    "few-shot": "findings that were judged",
    "segmentation": "masks of one finding in train, val and test",
    "pointing": "places of findings in test",
    "pointing-apart": "places of findings in test",
    "pointing-seen": "places of findings in test",
}
POINTED: list[Task] = ["pointing", "pointing-apart", "pointing-seen"]


def prepare(config: Config, run: Place, scale: str, bars: Bars) -> None:
    """The run's radiographs and reports: on the phantom scale drawn; on the paper's they have to be there."""
    if scale == "phantom":
        draw_chests(config, run, bars)
    elif not (run / "pairs").exists():
        raise RunConflict(
            f"{run} has no reports: `figray dataset mimic DIR --run {run}` reads them from a copy of "
            "MIMIC-CXR-JPG; or take --scale phantom, which draws its own"
        )


def table1(job: Job) -> str:
    """MLIP, Table 1: zero-shot classification. Returns the path of the page."""
    return show_table1(job, probed(job, with_floor(job, full(job.config, seeds=job.seeds)), ["zero-shot"]))


def show_table1(job: Job, found: Sequence[Score]) -> str:
    """The page of Table 1 from what was found; returns its path."""
    each = [tables.findings(found, name) for name in tables.datasets(found)]
    return show(
        job,
        "mlip-table1",
        said=[*verdicts.said_of_table1(found), TABLE_1_NOTE],
        shown=[tables.table1(found), *each, tables.paper_table1(found)],
        found=found,
    )


def table2(job: Job) -> str:
    """MLIP, Table 2: few-shot classification on a frozen encoder. Returns the path of the page."""
    return show_table2(job, probed(job, with_floor(job, full(job.config, seeds=job.seeds)), ["few-shot"]))


def show_table2(job: Job, found: Sequence[Score]) -> str:
    """The page of Table 2 from what was found; returns its path."""
    said, shown = verdicts.said_of_table2(found), [tables.table2(found), tables.paper_table2(found)]
    return show(job, "mlip-table2", said=[*said, TABLE_2_NOTE], shown=shown, found=found)


def table3(job: Job) -> str:
    """MLIP, Table 3: segmentation from few masks. Returns the path of the page."""
    return show_table3(job, probed(job, with_floor(job, full(job.config, seeds=job.seeds)), ["segmentation"]))


def show_table3(job: Job, found: Sequence[Score]) -> str:
    """The page of Table 3 from what was found; returns its path."""
    said, shown = verdicts.said_of_table3(found), [tables.table3(found), tables.paper_table3()]
    return show(job, "mlip-table3", said=[*said, TABLE_3_NOTE], shown=shown, found=found)


def table4(job: Job) -> str:
    """MLIP, Table 4: what each part of the objective is for. Returns the path of the page."""
    models = ablated(job.config, seeds=job.seeds)
    if is_frozen(job.config):
        return show_paired(job, probed(job, with_floor(job, models), ["zero-shot"], also=POINTED))
    found = probed(job, with_floor(job, models), ["zero-shot", "few-shot"], also=POINTED)
    matching = {row: matching_costs(job.run, [each for each in models if each.row == row]) for row in ROWS}
    return show_table4(job, found, matching)


def show_table4(job: Job, found: Sequence[Score], matching: Mapping[str, tables.Costs]) -> str:
    """The page of Table 4 from what was found and what matching costs, by row; returns its path."""
    return show(
        job,
        "mlip-table4",
        said=[*verdicts.said_of_table4(found), *verdicts.said_of_matching(found, matching), TABLE_4_NOTE],
        shown=[tables.table4(found, matching)],
        found=[*found, *averages(found)],
    )


def show_paired(job: Job, found: Sequence[Score]) -> str:
    """The page of Table 4 from one trained start; returns its path."""
    return show(job, "mlip-table4", said=[*paired.said(found), paired.NOTE], shown=[paired.table(found)], found=found)


def with_floor(job: Job, models: Sequence[Model]) -> list[Model]:
    """The models, and as the floor those that MLIP began as."""
    return [*models, *untrained(job.config, seeds=job.seeds)]


def probed(job: Job, models: Sequence[Model], tasks: Sequence[Task], *, also: Sequence[Task] = ()) -> list[Score]:
    """What models find in the radiographs of every run that has what a task needs; what is trained or found is kept.

    also: tasks that may be left out. Raises UserError, before anything is trained, if no run has what another needs.
    """
    every = [(films, possible(films, "mlip")) for films in map(read_films, job.on)]
    asked_for = {*tasks, *(task for task in also if task in job.config.probe.maps)}
    wanted = [(films, [task for task in able if task in asked_for]) for films, able in every]
    for task in tasks:
        if not any(task in each for _, each in wanted):
            raise UserError(f"no radiographs for {task}: it needs {NEEDS[task]}; --on names a run that has it")
    train(job, {model.name: model.config for model in models if model.row != UNTRAINED})
    for model in models:
        if model.row == UNTRAINED:
            write_untrained(model.config, job.run, model.name)
    found, notes = list[Score](), dict[str, None]()
    asked = [(model, *each) for each in wanted for model in models]
    trained = [model.name for model in models if model.row != UNTRAINED]
    for done, (model, films, able) in enumerate(asked, start=1):
        # All models are asked of one pool: the floor, too, of what none of the trained ones has seen.
        fit = comparable(job.run, trained[0] if trained else model.name, films)
        notes |= dict.fromkeys(fit.notes)
        found += scores(model, films.dataset, probe(job.config, job.run, model.name, fit, able))
        job.bars.rows("probe", done, 0, len(asked))
    for note in notes:
        say(note)
    return found


def matching_costs(run: Place, models: Sequence[Model]) -> tables.Costs:
    """What eq. 8 last cost with a report's own sentences and with another's; nothing for models without SPM."""
    found: tables.Costs = []
    for model in models:
        lines = (run / "models" / model.name / "metrics.jsonl").read_bytes().splitlines()
        records = [record for record in map(json.loads, lines) if "spm_shuffled" in record]
        found += [(record["spm_own"], record["spm_shuffled"]) for record in records[-1:]]
    return found


def show(job: Job, name: str, *, said: Sequence[str], shown: Sequence[Table], found: Sequence[Score]) -> str:
    """The page and the numbers of a table, such as mlip-table1; returns the page's path."""
    page = Reproduced(title=f"MLIP, Table {name[-1]}", sentences=said, tables=shown, notes=notes(job), **about(job))
    return write(job, name, page, [as_row(each) for each in found])


def notes(job: Job) -> list[str]:
    """What the pages say of a set that was drawn."""
    return [DRAWN] if job.scale == "phantom" else []


def as_row(score: Score) -> dict[str, Any]:
    """A score as a row of a table of numbers, with the paper's where it has one."""
    return {
        "model": score.model.name,
        "row": score.model.row,
        "seed": score.model.seed,
        "dataset": score.dataset,
        "task": score.task,
        "target": score.target,
        "share": score.share,
        "metric": score.metric,
        "value": round(score.value, 3),
        "low": None if score.low is None else round(score.low, 3),
        "high": None if score.high is None else round(score.high, 3),
        **published(score),
    }


def published(score: Score) -> dict[str, Any]:
    """MLIP's number for a score, and where it stands."""
    value, table = None, 0
    if score.task == "average":
        value, table = TABLE_4.get(score.model.row), 4
    elif score.model.row == FULL and (score.task == "segmentation" or not score.target):
        value, table = PRINTED.get(
            (score.task, score.dataset.removesuffix(UNKNOWN), score.metric, score.share), (None, 0)
        )
    return {"published": value, "source": None if value is None else f"MLIP, Table {table}"}


def figure3(job: Job) -> str:
    """MLIP, Figure 3: phi of every seed, and where the first sees findings. Returns the path of the page."""
    models = full(job.config, seeds=job.seeds)
    found = probed(job, with_floor(job, models), POINTED)
    phi = {f"seed {model.seed}": phi_of(steps.checkpoint(job.run, model.name)) for model in models}
    pictures = [Picture(title="phi", png=phi_map(phi), meaning=PHI)]
    (job.run / "mlip-figure3-phi.png").write_bytes(pictures[0].png)
    for finding, grid in grids(job, models[0]).items():
        (job.run / f"mlip-figure3-{re.sub(r'[^a-z0-9]+', '-', finding.lower())}.png").write_bytes(grid.png)
        pictures.append(Picture(title=finding, png=grid.png, meaning=grid.meaning))
    page = Reproduced(
        title="MLIP, Figure 3",
        sentences=[*verdicts.said_of_matching(found, {}), MAPS],
        tables=[tables.pointing(found, name, task) for name in tables.datasets(found) for task in tables.POINTING],
        pictures=pictures,
        notes=notes(job),
        **about(job),
    )
    return write(job, "mlip-figure3", page, [as_row(each) for each in found])


def phi_of(folder: str) -> NDArray[np.floating]:
    """(h, w): phi of a checkpoint as it lies on the image."""
    model, _ = load_model(folder)
    grid: NDArray[np.floating] = phi_grid(mlip_of(model).phi).numpy()
    return grid


def grids(job: Job, model: Model) -> dict[str, SentenceGrid]:
    """Where a model sees findings beside the model that it began as: those of --term, or all that have a place."""
    begun = untrained(job.config, seeds=model.seed + 1)[-1]
    folders = {name: steps.checkpoint(job.run, each.name) for name, each in (("MLIP", model), ("untrained", begun))}
    made: dict[str, SentenceGrid] = {}
    for films in map(read_films, job.on):
        asked = [name for name in films.placed if not job.terms or name.lower() in map(str.lower, job.terms)]
        prompts = {name: found.positive for name in asked if (found := prompts_of(job.config).of(name))}
        made |= sentence_grids(folders, films.files["test"], prompts, device=steps.device_of(job.config))
    return made
