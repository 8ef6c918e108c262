"""What a station's task holds of a machine's memory: python -m bench.held OUT.json.

Drawn figures in parts of two sizes, each part in a process of its own, which has loaded what a worker of Ray loads.
pipelines/stages.py asks Ray for it: so much for a worker, and so much for each byte of a part.
"""

import argparse
import multiprocessing as mp
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from bench.numbers import Numbers, measure, say
from bench.peak_memory import Peak

ARTICLES = (20, 160)
STATIONS = ("collect", "separate", "pairs")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("out", type=Path)
    asked.add_argument("--articles", type=int, nargs=2, default=ARTICLES, help="of the smaller part, and of the larger")
    given = asked.parse_args()
    measure([lambda: stations(*given.articles)], given.out, missed=lambda told: [])


def stations(few: int, many: int) -> Numbers:
    """Megabytes of each station beside a part of no bytes, and bytes that each byte of a part adds."""
    told: Numbers = {}
    with tempfile.TemporaryDirectory(prefix="figray-held-") as folder:
        found = {}
        for articles in (few, many):
            work = Path(folder) / str(articles)
            _alone(_draw, work, articles)
            found[articles] = {station: _alone(_taken, station, work) for station in STATIONS}
    for station in STATIONS:
        (least, small), (most, large) = found[few][station], found[many][station]
        each = (most - least) / (large - small)
        told |= {f"{station}_mb": (least - each * small) / 1e6, f"{station}_bytes_a_byte": each}
        say(f"{station}: {least / 1e6:.0f} MB for {small / 1e6:.1f} MB, {most / 1e6:.0f} for {large / 1e6:.1f}")
    return told


def _draw(work: Path, articles: int) -> None:
    from phantom.pmc.corpus import write_corpus

    write_corpus(work / "corpus", articles=articles, seed=0, processes=1)


def _taken(station: str, work: Path) -> tuple[int, int]:
    """The most bytes that a worker holds which makes the one part of a station, and the bytes of that part."""
    from core.cluster import local_environment

    local_environment()
    from core.config import load
    from core.places import Place
    from core.records import Figure, Pair, SeparatedFigure
    from core.runs import Table
    from pipelines.build import SeparatePart, Work, collect_part, pair_part
    from pipelines.copies.duplicates import Duplicates
    from pipelines.sources import pmc

    config = load(None, ["select.keyword=", f"source.origin=bucket:{work / 'corpus' / 'bucket'}"])
    figures, separated = Table(Place.at(work / "figures"), Figure), Table(Place.at(work / "separated"), SeparatedFigure)
    row = vars(Work(0, "", pmc.listed(pmc.open_bucket(config.source)) if station == "collect" else []))
    with Peak(every=0.05) as peak:
        if station == "collect":
            collect_part(row, config=config, table=figures, connections=2)
        elif station == "separate":
            SeparatePart(config, figures, separated)(row)
        else:
            pairs = Table(Place.at(work / "pairs"), Pair)
            pair_part(row, config=config, separated=separated, table=pairs, duplicates=lambda part: Duplicates({}, {}))
    part = (figures if station == "collect" else separated if station == "pairs" else figures).part(0)
    assert part
    return peak.bytes, sum(file.bytes for file in part.files)


def _alone(call: Callable[..., Any], *given: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=mp.get_context("spawn")) as process:
        return process.submit(call, *given).result()


if __name__ == "__main__":
    main()
