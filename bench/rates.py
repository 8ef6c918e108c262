"""`python -m bench.rates OUT.json [--figures RUN]`: what each station costs, for `figray plan`.

The stations' own functions without Ray, on one thread, in CPU time. On drawn case reports; with --figures the stations
after collect read figures of a run, which are nearer to those that a plan is made for. What bench.cluster and
bench.gpu_step have left beside OUT joins them.
"""

import argparse
import json
import multiprocessing as mp
import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls

from app.plan.inputs import MEASURED, Rates, StepRate
from bench.drawn import draw_batch
from bench.mlip import made
from bench.step import Step
from core.config import load
from core.copies import dedupe
from core.copies.buckets import ENTRY, bands_of, near
from core.copies.signatures import Signed, signatures
from core.images import open_image
from core.places import Place
from core.records import Figure, Pair, SeparatedFigure, from_table, to_table
from core.runs import Table
from core.settings import Config
from phantom.pmc.corpus import read_truth, write_corpus
from phantom.pmc.server import serve
from pipelines.build import Work, collect_part, pair_part
from pipelines.copies.duplicates import Duplicates
from pipelines.separating import Separating
from pipelines.sources import pmc
from trainers.batch import prepare
from trainers.blip import Blip
from trainers.flops import step_flops
from trainers.losses.masked import Masking
from trainers.objectives.blip import BlipObjective
from trainers.objectives.objective import Objective

ARTICLES, FIGURES = 120, 80  # drawn, with a thousand pictures, of which fewer show no growth; read at most
STEPS = 4  # timed; one more before them is not
# The models of which a step is timed: two of two cores' size, and one as wide as the papers', less deep.
WIDE = ("model.init=null", "model.image_depth=2", "model.text_depth=2", "model.vocabulary=8000", "train.batch_size=4")
MODELS: dict[str, tuple[str, Sequence[str]]] = {
    "demo": ("demo", ()),
    "mlip-phantom": ("mlip-phantom", ()),
    "blip-brain, two layers deep": ("blip-brain", WIDE),
}
# Operations a second, bfloat16, dense: NVIDIA's data sheets.
PEAKS = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "A10G": 70e12, "L4": 121e12}
CAPTIONS_KEEP_ALL = "select.keyword="


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure everything and write it."""
    parser = argparse.ArgumentParser(prog="bench.rates", description=__doc__)
    parser.add_argument("out", nargs="?", default=str(MEASURED))
    parser.add_argument("--figures", metavar="RUN", help="a run whose figures are read, instead of drawn ones")
    chosen = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        rates = measured(Place.at(folder), Place.at(chosen.figures) if chosen.figures else None)
    beside = Path(chosen.out).parent
    rates = rates.model_copy(update=of_ray(beside / "bench-cluster.json") | of_gpu(beside / "bench-gpu.json"))
    Place.at(chosen.out).write_json(rates.model_dump())


def measured(
    work: Place, run: Place | None, *, articles: int = ARTICLES, models: Iterable[str] = tuple(MODELS)
) -> Rates:
    """All rates. work: an empty folder of this machine. models: whose steps are timed, of MODELS."""
    config = load(None, [CAPTIONS_KEEP_ALL, "tables.parts=1"])
    collect = collecting(config, work, articles=articles)
    taken = Table(run / "figures", Figure) if run else Table(work / "figures", Figure)
    rows = [row for part in taken.parts() for row in from_table(taken.read_part(part.part), Figure)]
    copies = seeking_copies(work, Table(work / "figures", Figure))
    commit(Table(work / "figures", Figure), rows[:: -(-len(rows) // FIGURES)])
    return Rates(
        machine=f"{processor()}, {os.cpu_count()} CPUs",
        date=f"{datetime.now(UTC):%Y-%m-%d}",
        load=os.getloadavg()[0],
        figures=f"figures of {run.name}" if run else "drawn figures",
        collect_seconds_per_figure=collect,
        **separating(config, work),
        **pairing(config, work),
        **copies,
        prepare_seconds_per_pair=preparing(work, size=config.model.image_size),
        steps={name: stepping(load(*MODELS[name])) for name in models},
    )


def collecting(config: Config, work: Place, *, articles: int) -> float:
    """CPU seconds of a figure from the download to the table `figures`, over HTTP on loopback and so without TLS."""
    corpus = Path(work.path) / "corpus"
    write_corpus(corpus, articles=articles, seed=config.phantom.seed, processes=1)
    with served(corpus / "bucket") as address:
        source = config.source.model_copy(update={"origin": f"bucket:{address}", "bucket_per_second": 1000.0})
        config = config.model_copy(update={"source": source})
        listed = pmc.listed(pmc.open_bucket(source))
        row = vars(Work(0, "", listed))
        seconds = cpu(partial(collect_part, row, config=config, table=Table(work / "figures", Figure), connections=2))
    return seconds / Table(work / "figures", Figure).rows


def separating(config: Config, work: Place) -> dict[str, float]:
    """CPU seconds of separating, for each figure and for each of its panels."""
    figures, table = Table(work / "figures", Figure), Table(work / "separated", SeparatedFigure)
    station = Separating(config)
    rows = from_table(figures.read_part(0), Figure)
    station.separated(rows[0])  # the first one waits for the weights
    found = []
    costs = [cpu(lambda row=row: found.append(station.separated(row))) for row in rows]  # type: ignore[misc]
    each = cpu(lambda: commit(table, found)) / len(rows)
    panels = [len(row.subfigures) for row in found]
    by_figure, by_panel = line(panels, [cost + each for cost in costs])
    return {"separate_seconds_per_figure": by_figure, "separate_seconds_per_panel": by_panel}


def pairing(config: Config, work: Place) -> dict[str, float]:
    """CPU seconds of a pair, and of a figure as it was published."""
    separated = Table(work / "separated", SeparatedFigure)
    found = {}
    for name, rule in (("pair_seconds_per_panel", "joint"), ("whole_seconds_per_figure", "whole")):
        ruled = config.model_copy(update={"match": config.match.model_copy(update={"rule": rule})})
        table = Table(work / rule, Pair)
        task = partial(pair_part, config=ruled, separated=separated, table=table, duplicates=_none)
        found[name] = cpu(partial(task, vars(Work(0, "", [])))) / table.rows
    return found


def _none(part: int) -> Duplicates:
    """Of no part any copies."""
    return Duplicates({}, {})


def seeking_copies(work: Place, figures: Table) -> dict[str, float]:
    """CPU seconds of hashing a picture, of bringing it to its buckets, and of comparing near ones.

    The last told for each near two, and for each two of all the drawn pictures.
    """
    panels = {truth.figure_id: truth.panels for truth in read_truth(Path(work.path) / "corpus")}
    seen = []
    for row in from_table(figures.read_part(0), Figure):
        image = open_image(row.image).image
        boxes = [(0, 0, *image.size), *(panel.box for panel in panels[row.figure_id])]
        for number, box in enumerate(boxes):
            crop = image.crop(box)
            md5, thumbnail = dedupe.pixels_md5(crop), dedupe.thumbnail(crop)
            seen.append(dedupe.Seen(f"{row.figure_id}#{number}", row.article_id, md5, thumbnail))
    dedupe.find_copies(seen[:8], min_similarity=0.98)  # the first one waits for cv2
    # Pictures of one article are hashed and not compared.
    hashed, whole = (
        cpu(partial(dedupe.find_copies, each, min_similarity=0.98))
        for each in ([replace(picture, article_id="one") for picture in seen], seen)
    )
    compared, signed = max(0.0, whole - hashed), Signed(0, signatures(seen))
    met = _near(signed)
    return {
        "hash_seconds_per_picture": hashed / len(seen),
        "compare_seconds_per_two_pictures": compared / (len(seen) ** 2 / 2),
        "compare_seconds_per_near_picture": compared / max(1, met),
        "shuffle_seconds_per_picture": cpu(lambda: _near(signed)) / len(seen),
    }


def _near(signed: Signed) -> int:
    """How many pictures of different owners are near, found in buckets as behind a shuffle."""
    found = set()
    for bucket, entries in bands_of(signed, np.zeros(0, np.int64), 1):
        pairs, _ = near(np.frombuffer(entries.tobytes(), ENTRY), bucket, len(signed))
        found |= set(zip(pairs["first"].tolist(), pairs["second"].tolist(), strict=True))
    return len(found)


def preparing(work: Place, *, size: int) -> float:
    """CPU seconds of decoding a pair's image for training."""
    table = Table(work / "joint", Pair)
    rows = [row for file in table.parts()[0].files for row in table.read(file.name.rpartition("/")[0]).to_pylist()]
    return cpu(lambda: [prepare(row, size) for row in rows]) / len(rows)


def stepping(config: Config) -> StepRate:
    """A training step of a recipe's model, texts as long as real ones; the quickest of some: other load only adds."""
    step = Step(objective_of(config))
    batches = [draw_batch(config.train.batch_size, config.model, seed=seed) for seed in range(STEPS + 1)]
    costs = [cpu(partial(step, batch, number)) for number, batch in enumerate(batches)]
    pieces = float(np.mean([float(batch.mask.sum()) / len(batch) for batch in batches[1:]]))
    return StepRate(flops=step_flops(config, pieces), seconds=min(costs[1:]) / config.train.batch_size)


def objective_of(config: Config) -> Objective:
    """What a recipe minimises, with random weights."""
    torch.manual_seed(0)
    if config.objective.name == "mlip":
        return made(config.model, config.mlip)
    masking = Masking(
        probability=config.objective.mlm_probability,
        mask_id=4,
        special_ids=range(5),
        vocabulary=config.model.vocabulary,
    )
    queue = 0 if config.objective.queue == 0 else 1024
    return BlipObjective(
        Blip(config.model, config.objective), config.objective, masking=masking, queue=queue, epoch=STEPS
    )


def of_ray(file: Path) -> dict[str, Any]:
    """What `bench.cluster` has measured; nothing without its file."""
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return {"ray_share": min(1.0, told["times_pool"])} if "times_pool" in told else {}


def of_gpu(file: Path) -> dict[str, Any]:
    """What `bench.gpu_step` has measured of a GPU that PEAKS names; nothing without its file."""
    told = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    peak = next((peak for name, peak in PEAKS.items() if name in told.get("device", "")), None)
    step = told.get("variants", {}).get("bf16", {})
    if peak is None or "flop" not in told or "samples_per_second" not in step:
        return {}
    return {"gpu_share": told["flop"] / step["pairs"] * step["samples_per_second"] / peak, "gpu": told["device"]}


def line(sizes: Sequence[float], costs: Sequence[float]) -> tuple[float, float]:
    """What each costs and what each unit of its size does, neither below nothing: least squares."""
    (each, unit), _ = nnls(np.array([[1.0, size] for size in sizes]), np.array(costs))
    return float(each), float(unit)


def commit(table: Table, rows: Sequence[Any]) -> None:
    """The rows as the table's only part."""
    table.commit(0, tables={"": to_table(list(rows), table.record)}, rejects=[], inputs="", counts={})


def cpu(call: Callable[[], object]) -> float:
    """CPU seconds of a call, all threads of this process together."""
    begun = process_time()
    call()
    return process_time() - begun


@contextmanager
def served(bucket: Path) -> Iterator[str]:
    """The address of a bucket that another process serves, whose CPU time is its own."""
    context = mp.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(bucket, there), daemon=True)
    process.start()
    try:
        yield here.recv()
    finally:
        here.send("enough")
        process.join(timeout=10)


def _serve(bucket: Path, other_end: Any) -> None:
    with serve(bucket) as found:
        other_end.send(found.bucket_url)
        other_end.recv()


def processor() -> str:
    """What this machine's processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((text.partition(": ")[2] for text in lines if text.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
