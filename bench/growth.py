"""How the time and the memory of each station grow with the corpus, and what that means for a very large one."""

import multiprocessing as mp
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import psutil

from bench.drawn_tables import PICTURES, draw_figures, draw_manifests, draw_separated, draw_texts
from bench.numbers import Numbers, say
from bench.peak_memory import Peak, held
from bench.power_law import PowerLaw, fit_power_law
from core.cluster import connect, disconnect
from core.config import load
from core.copies.signatures import Asked
from core.places import Place
from core.records import Figure, SeparatedFigure
from core.runs import Table
from core.settings import Config

CORPUS = 24_000_000  # figures that one day may be asked for
NOISE, TIMES = 40, 10  # figures of noise whose memory is compared with that of so many times as many
NOISE_A_PART = 10
ARTICLES = (12, 30, 72, 180)  # drawn, for the stations; they have 2.7 figures each
ARTICLES_A_PART = 6
# Figures, of what one process does for the whole corpus. Copies: quadratic, so few.
WHOLE = {
    "alike copies": (100, 200, 400, 800),
    "manifests": (80_000, 160_000, 320_000, 640_000),
    "training set": (10_000, 20_000, 40_000, 80_000),
}
FIGURES_A_PART = 100  # of the manifests
PAIRS = 3  # of a figure in the training set
LEAST_SECONDS, LEAST_MB = 0.01, 1.0  # less is noise
MOST_SPREAD = 0.25  # of an exponent that is carried on to CORPUS


@dataclass(frozen=True)
class Cost:
    """What one run of something took."""

    seconds: float
    megabytes: float  # the most that it held above what was held before it


@dataclass(frozen=True)
class Growth:
    """What a step cost at several sizes, in figures."""

    step: str
    sizes: Sequence[int]
    costs: Sequence[Cost]

    @property
    def time(self) -> PowerLaw:
        return fit_power_law(self.sizes, [max(LEAST_SECONDS, cost.seconds) for cost in self.costs])

    @property
    def memory(self) -> PowerLaw:
        return fit_power_law(self.sizes, [max(LEAST_MB, cost.megabytes) for cost in self.costs])

    def numbers(self) -> Numbers:
        """By name; the seconds and megabytes of a size have it in theirs."""
        name = self.step.replace(" ", "_")
        told: Numbers = {}
        for size, cost in zip(self.sizes, self.costs, strict=True):
            told |= {f"{name}_seconds_{size}": cost.seconds, f"{name}_mb_{size}": cost.megabytes}
        for what, law in (("seconds", self.time), ("mb", self.memory)):
            told |= {f"{name}_{what}_exponent": law.exponent, f"{name}_{what}_exponent_spread": law.spread}
            if law.spread <= MOST_SPREAD:
                told[f"{name}_{what}_of_corpus"] = law.at(CORPUS)
        return told

    def row(self) -> list[str]:
        """Of the table that is printed."""
        time, memory = self.time, self.memory
        return [
            self.step,
            " ".join(f"{size}" for size in self.sizes),
            " ".join(f"{cost.seconds:.2f}" for cost in self.costs),
            f"{time.exponent:.2f} ± {time.spread:.2f}",
            _far(time, 3600),
            " ".join(f"{cost.megabytes:.0f}" for cost in self.costs),
            f"{memory.exponent:.2f} ± {memory.spread:.2f}",
            _far(memory, 1000),
        ]


HEADS = [
    *("step", "figures", "seconds", "exponent", f"hours at {CORPUS:,}"),
    *("MB above rest", "exponent", f"GB at {CORPUS:,}"),
]


def _far(law: PowerLaw, unit: float) -> str:
    """The cost of CORPUS in so large units, where the sizes that were measured say anything of it."""
    return f"{law.at(CORPUS) / unit:,.1f}" if law.spread <= MOST_SPREAD else "unknown"


def table(grown: Sequence[Growth]) -> str:
    """A Markdown table of all steps."""
    rows = [HEADS, ["---"] * len(HEADS), *(growth.row() for growth in grown)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def memory_numbers(*, figures: int = NOISE, times: int = TIMES) -> Numbers:
    """The most memory, Ray's own included, from figures to pairs, for a corpus and for so many times as large a one."""
    disconnect()  # processes that earlier work has left idle must not hide what this takes
    connect(Config())
    idle, peaks = held(psutil.Process()), []
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        # The first one leaves behind what any later one finds: processes and their libraries. It is not told.
        for number, size in enumerate((2 * NOISE_A_PART, figures, figures * times)):
            out = Place.at(f"{folder}/{number}")
            drawn = draw_figures(out, size, parts=max(1, size // NOISE_A_PART))
            with Peak() as peak:
                make_pairs(drawn, out)
            peaks.append(peak.bytes)
    return {
        "memory_figures": figures,
        "memory_idle_mb": idle / 1e6,
        "memory_peak_mb": peaks[1] / 1e6,
        f"memory_peak_mb_of_{times}_times": peaks[2] / 1e6,
        "times_memory": peaks[2] / peaks[1],
    }


def make_pairs(figures: Table, out: Place) -> None:
    """Figures to pairs by the stations."""
    from pipelines import build

    config = load()
    build.pair(config, build.separate(config, figures, out, quiet), out / "pairs", quiet)


def growth_numbers(*, articles: Sequence[int] = ARTICLES, whole: Mapping[str, Sequence[int]] = WHOLE) -> Numbers:
    """Seconds and memory at four sizes of each station and of each step that one process does for the whole corpus.

    Sizes are in figures. The table of all is printed too.
    """
    grown = [*growth_of_stations(articles), *growth_of_whole(whole)]
    say(table(grown))
    return {name: number for growth in grown for name, number in growth.numbers().items()}


def growth_of_stations(articles: Sequence[int]) -> list[Growth]:
    """What the workers do, part by part, through Ray; less the seconds of one article, in which Ray starts them."""
    from phantom.pmc.corpus import write_corpus

    connect(Config())
    sizes, costs = [], []
    with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
        write_corpus(Path(folder), articles=max(articles), seed=0)
        costs_of_stations(Path(folder), 1, "first")  # Ray's first tasks wait for its processes
        for number in (1, *articles):
            figures, found = costs_of_stations(Path(folder), number, f"{number}")
            sizes.append(figures)
            costs.append(found)
    alone, *more = costs
    return [
        Growth(step, sizes[1:], [Cost(each[step].seconds - alone[step].seconds, each[step].megabytes) for each in more])
        for step in alone
    ]


def costs_of_stations(corpus: Path, articles: int, run: str) -> tuple[int, dict[str, Cost]]:
    """The figures of the first articles of a drawn corpus, and what each station costs for them. run: a new folder."""
    from phantom.pmc.server import serve
    from pipelines import build
    from pipelines.copies.duplicates import kept_duplicates

    out, costs = Place.at(corpus / run), {}
    with serve(corpus / "bucket") as served:
        changes = {
            "source.origin": f"bucket:{served.bucket_url}",
            "source.max_articles": articles,
            "source.bucket_per_second": 10_000,  # the corpus is served on this machine
            "tables.parts": max(1, articles // ARTICLES_A_PART),
        }
        config = load("demo", [f"{name}={value}" for name, value in changes.items()])
        costs["collect"] = cost_of(lambda: build.collect(config, out, quiet))
    figures, separated = Table(out / "figures", Figure), Table(out / "separated", SeparatedFigure)
    costs["separate"] = cost_of(lambda: build.separate(config, figures, out, quiet))
    costs["copies"] = cost_of(lambda: kept_duplicates(separated, asked=build.asked_of(config)))
    costs["pair"] = cost_of(lambda: build.pair(config, separated, out / "pairs", quiet))
    return figures.rows, costs


def cost_of(call: Callable[[], Any]) -> Cost:
    """What a call costs, all processes below this one counted."""
    before = held(psutil.Process())
    with Peak(every=1.0) as peak:  # seldom: to look takes time from what is timed
        begun = perf_counter()
        call()
        seconds = perf_counter() - begun
    return Cost(seconds, (peak.bytes - before) / 1e6)


def growth_of_whole(sizes: Mapping[str, Sequence[int]]) -> list[Growth]:
    """What one process does for the whole corpus, each time in a fresh one, on tables drawn at random."""
    grown = []
    for step, figures in sizes.items():
        with tempfile.TemporaryDirectory(prefix="figray-bench-") as folder:
            draw, needs = WHOLE_STEPS[step]
            calls = [draw(Path(folder) / f"{size}", size) for size in figures]
            grown.append(Growth(step, figures, [cost_alone(call, needs) for call in calls]))
    return grown


def cost_alone(call: Callable[[], Any], needs: Sequence[str]) -> Cost:
    """What a call costs in a process of its own, in CPU time, the imports that it needs aside."""
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as process:
        number, before = process.submit(_ready, needs).result()
        with Peak(number, every=0.1) as peak:
            seconds = process.submit(_seconds, call).result()
    return Cost(seconds, (peak.bytes - before) / 1e6)


def _ready(needs: Sequence[str]) -> tuple[int, int]:
    """This process, and what it holds once all is imported."""
    for name in needs:
        import_module(name)
    process = psutil.Process()
    return process.pid, held(process)


def _seconds(call: Callable[[], Any]) -> float:
    begun = process_time()  # other load on the machine does not weigh on it
    call()
    return process_time() - begun


def _copies(folder: Path, figures: int) -> Callable[[], Any]:
    return partial(_find_duplicates, draw_separated(Place.at(folder), figures))


def _find_duplicates(separated: Table) -> None:
    from pipelines.copies.duplicates import kept_duplicates

    every = sum(part.rows for part in separated.parts()) * PICTURES  # all are compared with all
    kept_duplicates(separated, asked=Asked(Config().dedupe.min_similarity, exact_below=every))


def _manifests(folder: Path, figures: int) -> Callable[[], Any]:
    return draw_manifests(Place.at(folder), figures // FIGURES_A_PART).parts


def _training_set(folder: Path, figures: int) -> Callable[[], Any]:
    return partial(_read_training_set, draw_texts(folder / "pairs.parquet", PAIRS * figures))


def _read_training_set(file: str) -> None:
    from trainers.training_set import read_training_set

    read_training_set([file], fraction=1.0, seed=0)


# What draws, in a folder, what a step needs for so many figures, and returns what is timed; and the modules it imports.
WHOLE_STEPS: dict[str, tuple[Callable[[Path, int], Callable[[], Any]], Sequence[str]]] = {
    "alike copies": (_copies, ("pipelines.copies.duplicates",)),
    "manifests": (_manifests, ("core.runs",)),
    "training set": (_training_set, ("trainers.training_set",)),
}


def quiet(station: str, part: Any, parts: int) -> None:
    """Shows no progress."""
