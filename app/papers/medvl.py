"""MedVL's table, curve and maps on a run's pairs, and what each of its losses is for."""

import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from app import steps
from app.demo import accuracy_of, collect_drawn
from app.papers import lesion_pointing, medvl_tables, scaling
from app.papers.medvl_models import (
    LEFT_OUT,
    PERCENTS,
    Model,
    Result,
    ablated,
    chosen,
    finetuned,
    of_equal_steps,
    pretrained,
    result,
)
from app.papers.medvl_published import METRICS, TABLE_1, TABLE_1_POOL
from app.papers.reproduced import Picture, Plot, Reproduced
from app.papers.reproduction import Job, about, train, write
from app.papers.term_grids import term_grids
from app.progress import Bars
from app.report.from_run import DRAWN
from app.retrieving import retrieve
from core.config import load, override
from core.places import Place
from core.records import Pair
from core.runs import RunConflict
from core.settings import Config
from phantom.pmc.corpus import read_truth
from trainers.job import make_job
from trainers.training_set import training_set_of

RECIPES = {"phantom": "medvl-phantom", "paper": "blip-brain"}  # by scale; of fine-tuning, the same with "-finetune"

NUMBERS = [f"{kind}{name}" for kind in ("", "itc_", "strict_") for name in METRICS]  # see trainers.evaluation.retrieval
OF_THE_PAPER = ("whole figures", "pairs")  # pools: that of the paper's Table 1 first
TERMS = {"phantom": ("aneurysm", "meningioma"), "paper": ("aneurysm", "cerebral artery")}  # MedVL, section 4.2
MAPS = (
    "Grad-CAM on the cross-attention of the fusion encoder, at two thirds of its depth, of the score that image and "
    "text belong together; the mean over the word pieces of the term (ALBEF, figure 4; the code of MedVL, vis.py). "
    "The examples are held-out pairs, drawn by a fixed rule, not chosen by hand."
)


def prepare(config: Config, run: Place, scale: str, bars: Bars) -> None:
    """The run's pairs: on the phantom scale drawn, collected and made; on the paper's they have to be there."""
    if scale == "phantom":
        collect_drawn(config, run, bars)
        steps.pair(config, run, bars)
        if not (run / "accuracy.json").exists():
            (run / "accuracy.json").write_json(accuracy_of(run))
    elif not all((run / name).exists() for name in steps.POOLS.values()):
        raise RunConflict(
            f"{run} has no pairs: `figray collect blip-brain --run {run}` and `figray pair --run {run}` "
            "make them; or take --scale phantom, which draws its own"
        )


def table1(job: Job) -> str:
    """MedVL, Table 1: raw and processed, PT and PT+FT, val and test, on both pools. Returns the path of the page."""
    longer = of_equal_steps(job.config, seeds=job.seeds, steps=steps_of(job, "processed"))
    begun = [*pretrained(job.config, seeds=job.seeds), *longer]
    tuned = finetuned(load(f"{job.recipe}-finetune", job.overrides), begun)
    train(job, by_name(begun))
    train(job, by_name(tuned))
    return show_table1(job, [*begun, *tuned])


def steps_of(job: Job, scheme: str) -> int:
    """Of the optimiser, that the settings give a scheme's pairs."""
    files = steps.table(job.run, steps.SCHEMES[scheme], Pair).files("split=train")
    training_set = training_set_of(job.config, files)
    return make_job(job.config, training_set, out=job.run.uri).plan.total_steps


def show_table1(job: Job, models: Sequence[Model]) -> str:
    """The page of Table 1 from models that are trained; returns its path."""
    results = evaluated(job, models, splits=("val", "test"))
    page = Reproduced(
        title="MedVL, Table 1",
        sentences=[*medvl_tables.said_of_table1(results, OF_THE_PAPER), TABLE_1_POOL],
        tables=[medvl_tables.table1(results, pool) for pool in OF_THE_PAPER],
        notes=notes(job.run),
        **about(job),
    )
    return write(job, "medvl-table1", page, numbers(results))


def figure3(job: Job) -> str:
    """MedVL, Figure 3: retrieval by the share of the training articles, raw and processed. Returns the page's path."""
    models = pretrained(job.config, seeds=job.seeds, percents=PERCENTS)
    train(job, by_name(models))
    results, pools = evaluated(job, models, splits=("test",)), list(steps.POOLS)
    plot = Plot(svg=scaling.draw(results, pools), legend=scaling.scheme_legend(), caption=scaling.CAPTION)
    page = Reproduced(
        title="MedVL, Figure 3",
        sentences=medvl_tables.said_of_figure3(results, pools),
        plot=plot,
        tables=[medvl_tables.figure3(results, pool) for pool in pools],
        notes=notes(job.run),
        **about(job),
    )
    (job.run / "medvl-figure3.svg").write_bytes(plot.svg.encode())
    (job.run / "medvl-figure3.png").write_bytes(scaling.draw_png(results, pools))
    return write(job, "medvl-figure3", page, numbers(results))


def figure4(job: Job) -> str:
    """MedVL, Figures 4 and 5: where the raw and the processed model look for a term. Returns the page's path."""
    models = pretrained(job.config, seeds=job.seeds)
    train(job, by_name(models))
    return show_figure4(job, models)


def show_figure4(job: Job, models: Sequence[Model]) -> str:
    """The page of Figures 4 and 5 from models that are trained; returns its path.

    Pictures are of the first seed. Of drawn case reports it is known where lesions are, by which maps are scored.
    """
    folders = {model.scheme: steps.checkpoint(job.run, model.name) for model in models if not model.seed}
    rows = held_out(job.run)
    grids = term_grids(folders, rows, job.terms or TERMS[job.scale])
    pictures = []
    for term, grid in grids.items():
        name = f"medvl-figure4-{re.sub(r'[^a-z0-9]+', '-', term.lower())}.png"
        (job.run / name).write_bytes(grid.png)
        pictures.append(Picture(title=f"“{term}”", png=grid.png, meaning=grid.meaning))
    missing = [term for term in job.terms or TERMS[job.scale] if term not in grids]
    scored = pointing_of(job, models, rows)
    page = Reproduced(
        title="MedVL, Figures 4 and 5",
        sentences=[MAPS, *lesion_pointing.said(scored), *(f"No held-out text has “{term}”." for term in missing)],
        tables=[lesion_pointing.table(scored)] if scored else [],
        pictures=pictures,
        notes=notes(job.run),
        **about(job),
    )
    told = [dict(row) for grid in grids.values() for row in grid.numbers]
    told += [
        {"model": f"{scheme}-seed{seed}", **asdict(each)}
        for scheme, seeds in scored.items()
        for seed, found in enumerate(seeds)
        for each in found
    ]
    return write(job, "medvl-figure4", page, told)


def pointing_of(
    job: Job, models: Sequence[Model], rows: Sequence[dict[str, Any]]
) -> dict[str, list[list[lesion_pointing.Pointed]]]:
    """What each model's maps say of lesions, by scheme and seed; nothing where it is not known where lesions are."""
    if not (job.run / "corpus" / "truth.json").exists():
        return {}
    with (job.run / "corpus").near() as corpus:
        asked = lesion_pointing.asked_of(rows, read_truth(corpus))
    found: dict[str, list[list[lesion_pointing.Pointed]]] = {}
    for done, model in enumerate(models, start=1):
        seeds = found.setdefault(model.scheme, [])
        seeds.append(lesion_pointing.pointed(steps.checkpoint(job.run, model.name), asked))
        job.bars.rows("maps", done, 0, len(models))
    return lesion_pointing.of_all(found)


def ablation(job: Job) -> str:
    """What each loss of BLIP is for, on processed pairs; not in the paper. Returns the path of the page."""
    models = ablated(job.config, seeds=job.seeds)
    train(job, by_name(models))
    results = evaluated(job, models, splits=("test",))
    gains = {
        without: [image_gain_of(job, model) for model in models if model.without == without] for without in LEFT_OUT
    }
    page = Reproduced(
        title="What each loss is for",
        sentences=medvl_tables.said_of_ablation(chosen(results, pool="pairs"), gains),
        tables=[medvl_tables.ablation(results, gains, pool) for pool in steps.POOLS],
        notes=notes(job.run),
        **about(job),
    )
    rows = numbers(results)
    return write(job, "medvl-ablation", page, rows + [row for each in gains.values() for row in each])


def image_gain_of(job: Job, model: Model) -> dict[str, Any]:
    """What the right image tells a model of words, on the held-out pairs; what was measured before is read."""
    from trainers.evaluation.grounding import image_gain

    file = job.run / "models" / model.name / "image-gain-test.json"
    if not file.exists():
        settings, files = model.config.evaluate, steps.table(job.run, "pairs", Pair).files("split=test")
        found = image_gain(
            steps.checkpoint(job.run, model.name),
            files,
            batch_size=settings.batch_size,
            resamples=settings.resamples,
        )
        file.write_json(asdict(found))
    return {
        "model": model.name,
        "without": model.without,
        "seed": model.seed,
        "metric": "image gain",
        **file.read_json(),
    }


def held_out(run: Place) -> list[dict[str, Any]]:
    """The pairs of the test split."""
    return steps.table(run, "pairs", Pair).read("split=test").to_pylist()


def by_name(models: Sequence[Model]) -> dict[str, Config]:
    """The settings of each model."""
    return {model.name: model.config for model in models}


def notes(run: Place) -> list[str]:
    """What the pages say of a corpus that was drawn."""
    return [DRAWN] if (run / "accuracy.json").exists() else []


def evaluated(job: Job, models: Sequence[Model], *, splits: Sequence[str]) -> list[Result]:
    """Every model's retrieval in every pool of the splits; what was evaluated before is read."""
    results = []
    asked = [(model, split) for split in splits for model in models]
    for done, (model, split) in enumerate(asked, start=1):
        found = retrieve(override(model.config, {"evaluate.split": split}), job.run, model.name)
        results += [result(model, pool, split, part) for pool, part in found.items()]
        job.bars.rows("evaluate", done, 0, len(asked))
    return results


def numbers(results: Sequence[Result]) -> list[dict[str, Any]]:
    """A row for each model, pool, split and metric, in percent, with MedVL's number where it has one."""
    return [
        {
            "model": each.model.name,
            "scheme": each.model.scheme,
            "stage": each.model.stage,
            "percent_of_articles": each.model.percent,
            "without": each.model.without,
            "budget": each.model.budget,
            "seed": each.model.seed,
            "pool": each.pool,
            "split": each.split,
            "pairs": each.size,
            "metric": metric,
            "value": round(each.metrics[metric], 3),
            "low": round(each.intervals[metric][0], 3) if metric in each.intervals else None,
            "high": round(each.intervals[metric][1], 3) if metric in each.intervals else None,
            "chance": round(each.chance.get(metric.removeprefix("itc_"), 0.0), 3),
            **published(each, metric),
        }
        for each in results
        for metric in NUMBERS
    ]


def published(found: Result, metric: str) -> dict[str, Any]:
    """The paper's number for a cell, and where it stands."""
    key = (found.model.scheme, found.model.stage, found.split)
    if metric not in METRICS or key not in TABLE_1 or found.model.percent < 100 or found.model.without != "all":
        return {"published": None, "source": None}
    return {"published": TABLE_1[key][metric], "source": "MedVL, Table 1"}
