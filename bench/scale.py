"""How time, and the driver's memory, grow up to a million figures: python -m bench.scale OUT.json.

--sizes states others. Tables are drawn: pictures are thumbnails, and some of them copies, as in real articles. Each
station runs at each size in a fresh process, the driver. Seconds are of CPU, of all processes that it started; memory
is the driver's own.
"""

import argparse
import multiprocessing as mp
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter
from typing import Any

import psutil

from bench.drawn_tables import draw_manifests, draw_pairs, draw_pictures
from bench.growth import CORPUS, LEAST_SECONDS
from bench.numbers import Numbers, measure, say
from bench.power_law import fit_power_law
from core.cluster import connect, disconnect, local_environment
from core.config import load
from core.places import Place
from core.records import Pair
from core.runs import Table
from core.settings import Config

SIZES = (30_000, 100_000, 300_000, 1_000_000)  # figures
FIGURES_A_PART = 500
EXPONENT, MEMORY = 1.1, 1.3  # at most: of a fit, and of the driver's memory at the largest size beside the smallest
POOL, EMBEDDING = 5000, 64  # pairs of evaluate.pool; width of the drawn embeddings
SMALL = {"width": 32, "depth": 1, "heads": 2}  # of the encoders of a model that nobody asks
OF_EVALUATION = ("trainers.evaluation.retrieval", "trainers.blip", "torch")
LOOKED = 0.2  # seconds between two looks


@dataclass(frozen=True)
class Station:
    """Something that is done to a whole corpus."""

    draw: Callable[[Path, int], None]  # what it needs for so many figures, into a folder
    take: Callable[[Path], None]
    imports: Sequence[str]  # modules, before anything is measured
    on_ray: bool = False


def copies(folder: Path) -> None:
    """Find the copies of all pictures by shuffles, whatever their number."""
    from core.copies.signatures import Asked
    from pipelines.copies.duplicates import csv_of, kept_duplicates

    separated = _pictures(folder)
    asked = Asked(Config().dedupe.min_similarity, exact_below=0, nearest=Config().tables.copies_nearest)
    kept = kept_duplicates(separated, asked=asked)
    (separated.place / "duplicates.csv").write_pieces(csv_of(separated))
    say(f"  {kept.images:,} pictures have copies; {kept.uncompared:,} pairs of like ones were not compared")


def training_set(folder: Path) -> None:
    """From a table of pairs to the first batch of a training: rows, digest, what is seen, tokenizer, model."""
    import pyarrow as pa

    from trainers.batch import Collate, columns_of, prepare
    from trainers.checkpoint import load_model
    from trainers.job import make_job, write_start
    from trainers.training_set import rows_of_share, training_set_of

    config = load("demo")
    files = Table(Place.at(folder) / "pairs", Pair).files("split=train")
    chosen = training_set_of(config, files)
    job = make_job(config, chosen, out=str(folder / "model"))
    write_start(config, chosen, job)
    model, tokenizer = load_model(job.start)
    collate = Collate(tokenizer, model.settings.image_size, model.settings.max_tokens)
    rows = next(rows_of_share(pa.table({"file": files[:1]}), columns=columns_of(chosen.columns), share=chosen.share))
    batch = collate([prepare(row, collate.image_size) for row in rows.to_pylist()[: config.train.batch_size]])
    say(f"  {len(chosen):,} pairs, a first batch of {len(batch)}")


def evaluation(folder: Path, most: int | None) -> None:
    """Retrieval among the pairs of a table, of a pool of so many or of all, with drawn embeddings in a model's place.

    All that grows with the corpus is there: the pool is drawn, the refusal of leaks is a join, images and texts are
    ranked, numbers and rows are made. What a model takes to embed a pair is in rates.yaml.
    """
    import torch
    from torch.nn.functional import normalize

    from trainers.evaluation.pool import Pool, Reading, read_columns
    from trainers.evaluation.retrieval import Here, Plan, evaluate

    class Drawn(Here):
        def embed(self, reading: Reading) -> Pool:
            about = read_columns(reading.files, ("article_id",), articles=reading.articles)
            count, chance = len(about), torch.Generator().manual_seed(0)
            image = normalize(torch.randn(count, EMBEDDING, generator=chance), dim=1)
            text = normalize(image + torch.randn(count, EMBEDDING, generator=chance), dim=1)
            none, articles = torch.zeros(count, 0, 1), tuple(row["article_id"] for row in about.values())
            tokens = torch.zeros(count, 8, dtype=torch.int64)
            return Pool(tuple(about), articles, image, text, none, tokens, tokens == 0, torch.arange(count))

    files = Table(Place.at(folder) / "pairs", Pair).files("split=train")
    plan = Plan(batch_size=64, rerank=0, pool=most)
    found = evaluate(str(folder / "model"), files, plan, machine=Drawn()).told
    say(f"  {found.pool:,} of {found.drawn_from:,} pairs, mean recall {found.metrics['mean']:.3f}")


def manifests(folder: Path) -> None:
    """What commands ask of a table, ten times: its rows, its files, what was left out and failed."""
    table = _pictures(folder)
    for _ in range(10):
        found = (table.rows, len(table.files()), table.left_out, table.failed)
    say(f"  {found[0]:,} rows in {found[1]:,} parts")


def _pictures(folder: Path) -> Table:
    from core.records import SeparatedFigure

    return Table(Place.at(folder) / "separated", SeparatedFigure)


def _draw_manifests(folder: Path, figures: int) -> None:
    table = draw_manifests(Place.at(folder), figures // FIGURES_A_PART)
    Path(table.place.path).rename(folder / "separated")


def _draw_pictures(folder: Path, figures: int) -> None:
    draw_pictures(Place.at(folder), figures, each=FIGURES_A_PART)


def _draw_pairs(folder: Path, figures: int) -> None:
    draw_pairs(Place.at(folder), figures, each=FIGURES_A_PART)


def _draw_model(folder: Path, figures: int) -> None:
    """Pairs to evaluate, and a small model that has seen none of them."""
    from core.settings import ModelSettings, ObjectiveSettings
    from trainers.batch import train_tokenizer
    from trainers.blip import Blip
    from trainers.checkpoint import save_model

    _draw_pairs(folder, figures)
    tokenizer = train_tokenizer(["a text"], size=64)
    small = {"image_size": 32, "patch": 16, "vocabulary": 64, "embedding": EMBEDDING}
    sides = {f"{side}_{name}": size for side in ("image", "text") for name, size in SMALL.items()}
    settings, objective = ModelSettings(**small, **sides), ObjectiveSettings()
    save_model(
        folder / "model", Blip(settings, objective), settings=(settings, objective), tokenizer=tokenizer,
        articles=["PMC0.9"],
    )  # fmt: skip


# Each station one line.
STATIONS = {
    "manifests": Station(_draw_manifests, manifests, ("core.runs", "core.records")),
    "training set": Station(_draw_pairs, training_set, ("trainers.job", "trainers.training_set")),
    "evaluation of a pool": Station(_draw_model, partial(evaluation, most=POOL), OF_EVALUATION),
    "evaluation of all": Station(_draw_model, partial(evaluation, most=None), OF_EVALUATION),
    "copies": Station(_draw_pictures, copies, ("core.copies.search", "pipelines.copies.duplicates"), on_ray=True),
}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("out", type=Path)
    asked.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="figures")
    asked.add_argument("--stations", nargs="+", choices=STATIONS, default=list(STATIONS))
    given = asked.parse_args()
    measure([partial(station_numbers, name, given.sizes) for name in given.stations], given.out, missed)


def station_numbers(name: str, sizes: Sequence[int]) -> Numbers:
    """Seconds and the driver's megabytes of a station at each size, and how both grow."""
    told: Numbers = {}
    seconds, memory, key = [], [], name.replace(" ", "_")
    for figures in sizes:
        spent, wall, megabytes = cost_of(STATIONS[name], figures)
        seconds.append(spent)
        memory.append(megabytes)
        told |= {f"{key}_cpu_seconds_{figures}": spent, f"{key}_seconds_{figures}": wall}
        told[f"{key}_driver_mb_{figures}"] = megabytes
        say(f"{name}, {figures:,} figures: {spent:.1f} s of CPU, {wall:.1f} s, {megabytes:.0f} MB on the driver")
    if len(sizes) > 1:
        law = fit_power_law(sizes, [max(LEAST_SECONDS, each) for each in seconds])
        told |= {f"{key}_exponent": law.exponent, f"{key}_exponent_spread": law.spread}
        told |= {f"{key}_times_memory": memory[-1] / memory[0], f"{key}_cpu_hours_of_corpus": law.at(CORPUS) / 3600}
    return told


def missed(told: Numbers) -> list[str]:
    """Which goals were not reached."""
    limits = {"_exponent": EXPONENT, "_times_memory": MEMORY}
    return [
        f"{name} is {value:.2f}, and at most {most} is wanted"
        for name, value in told.items()
        for end, most in limits.items()
        if name.endswith(end) and value > most
    ]


def cost_of(station: Station, figures: int) -> tuple[float, float, float]:
    """Seconds of CPU, seconds, and the driver's most megabytes of a station; drawing is not counted."""
    with tempfile.TemporaryDirectory(prefix="figray-scale-") as folder:
        _alone(partial(station.draw, Path(folder), figures))
        return _alone(partial(_taken, station, Path(folder)))


def _alone(call: Callable[[], Any]) -> Any:
    """A call in a process of its own: what drawing takes is not the driver's."""
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as process:
        return process.submit(call).result()


def _taken(station: Station, folder: Path) -> tuple[float, float, float]:
    """In the driver: what the station takes, its imports and the start of Ray aside."""
    local_environment()
    for name in station.imports:
        import_module(name)
    if station.on_ray:
        connect(Config())
    driver, begun = _Watched(), perf_counter()
    station.take(folder)
    wall = perf_counter() - begun
    spent, megabytes = driver.ended()
    disconnect()
    shutil.rmtree(folder, ignore_errors=True)
    return spent, wall, megabytes


def cpu_seconds() -> float:
    """What this process and all below it have used, those that have ended too where somebody waited for them."""
    total = 0.0
    for each in _family():
        with suppress(psutil.NoSuchProcess):
            total += sum(each.cpu_times()[:4])  # its own and those of its children that ended
    return total


def _family() -> list[psutil.Process]:
    this = psutil.Process()
    return [this, *this.children(recursive=True)]


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class _Watched:
    """Looks at the memory that this process itself has written, and at the CPU seconds of all that it started.

    Not its unique set: that has the pages of libraries too, as soon as no other process has loaded them. The seconds of
    Ray's workers are gone with them: what a process had used is kept as it was last seen.
    """

    def __init__(self) -> None:
        self.bytes, self.seconds, self.stop = 0, dict[tuple[int, float], float](), threading.Event()
        self._look()
        self.before = sum(self.seconds.values())
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.stop.wait(LOOKED):
            self._look()

    def _look(self) -> None:
        self.bytes = max(self.bytes, written())
        for each in _family():
            with suppress(psutil.NoSuchProcess):
                self.seconds[each.pid, each.create_time()] = _used(each)

    def ended(self) -> tuple[float, float]:
        """CPU seconds since it looks, and the most megabytes."""
        self.stop.set()
        self.thread.join()
        self._look()
        return sum(self.seconds.values()) - self.before, self.bytes / 1e6


def written() -> int:
    """Bytes of this process that no file stands behind; what it holds alone where the system does not tell (macOS)."""
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return int(psutil.Process().memory_full_info().uss)


if __name__ == "__main__":
    main()
