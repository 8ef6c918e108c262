"""One run that is killed again and again, beside one that is not: the same tables, and nothing fetched twice.

    python -m tests.soak --articles 2000 --kills 20 --seed 0

Drawn articles are served on loopback. `figray collect` and `figray pair` run twice: undisturbed, and with SIGKILL to
the driver and its whole process group at random moments, each time begun again. Told at the end: how each process
ended, whether each file of each table is the same byte for byte, and whether an article was asked for after its part
was committed. Exit 1 where something differs.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from core.places import Place
from core.records import Figure, Pair, SeparatedFigure
from core.runs import Table
from phantom.pmc.corpus import write_corpus
from phantom.pmc.server import Served, serve
from pipelines.sources import articles

TABLES = {"figures": Figure, "separated": SeparatedFigure, "pairs": Pair, "whole": Pair}
ARTICLE = re.compile(r"PMC\d+")
SETTLES = 3.0  # seconds in which Ray's processes see that their driver is gone


@dataclass
class Run:
    """A run folder, how its processes ended, and what had been asked of the server when parts were seen committed."""

    folder: Path
    served: Served
    ends: list[str] = field(default_factory=list)
    committed: dict[str, int] = field(default_factory=dict)  # article -> requests until then

    def commands(self) -> Iterator[list[str]]:
        yield [
            *("collect", "demo", "--run", str(self.folder), "--source", f"bucket:{self.served.bucket_url}"),
            *("--set", "separate.method=classical", "--set", "source.bucket_per_second=1e6"),
        ]
        yield ["pair", "--run", str(self.folder)]

    def note(self) -> None:
        """Which articles are committed, at this moment."""
        figures = Table(Place.at(self.folder / "figures"), Figure)
        if (self.folder / "figures" / "articles.json").exists():
            listed = articles.folder_list(figures.place / "articles.json")
            dealt = articles.dealt(listed, articles.parts_for(len(listed), None))
            for part in figures.parts():
                for article in dealt[part.part]:
                    self.committed.setdefault(article, len(self.served.requests))

    def asked_twice(self) -> list[str]:
        """Requests for an article after its part was committed."""
        named = ((at, request, ARTICLE.search(request)) for at, request in enumerate(self.served.requests))
        return [request for at, request, found in named if found and at >= self.committed.get(found[0], 1 << 60)]


def go(run: Run, kills: int, seconds: float, draw: random.Random) -> int:
    """Take the commands to their end, so many kills on the way; how many there were."""
    done = 0
    for command in run.commands():
        while True:
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *command],
                start_new_session=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            try:
                number = process.wait(draw.uniform(1.0, seconds) if done < kills else None)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                number = process.wait()
                done += 1
                time.sleep(SETTLES)
            run.note()
            run.ends.append(f"{command[0]} {number}")
            if number >= 0:
                break
        if number != 0:
            raise SystemExit(f"figray {command[0]} ended with {number}; it ran {' '.join(command)}")
    return done


def differences(one: Path, other: Path) -> list[str]:
    """Parts whose files are not those of the other run, byte for byte."""
    found = []
    for name, record in TABLES.items():
        parts, others = (Table(Place.at(each / name), record).parts() for each in (one, other))
        if [part.part for part in parts] != [part.part for part in others]:
            found.append(f"{name}: {len(parts)} parts, and {len(others)}")
        found += [
            f"{name} part {part.part}"
            for part, beside in zip(parts, others)
            if (part.files, part.rejects, part.counts) != (beside.files, beside.rejects, beside.counts)
        ]
    return found


def main() -> None:
    """Draw, run twice, compare, and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--articles", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw = random.Random(asked.seed)
    with tempfile.TemporaryDirectory(prefix="soak-") as place:
        write_corpus(Path(place) / "corpus", articles=asked.articles, seed=asked.seed)
        with serve(Path(place) / "corpus" / "bucket") as served:
            calm = Run(Path(place) / "calm", served)
            begun = time.monotonic()
            go(calm, 0, 1.0, draw)
            took = time.monotonic() - begun
        with serve(Path(place) / "corpus" / "bucket") as served:
            killed = Run(Path(place) / "killed", served)
            # So often in the time of a calm run that each process comes a little way.
            kills = go(killed, asked.kills, max(8.0, 1.5 * took / 2), draw)
        differing, twice = differences(calm.folder, killed.folder), killed.asked_twice()
    say(f"{asked.articles} articles, seed {asked.seed}; undisturbed: {took:.0f} s, {', '.join(calm.ends)}")
    say(f"{kills} kills of {asked.kills}: {', '.join(killed.ends)}")
    say(f"parts that differ: {differing or 'none'}; asked for after their part was committed: {twice[:5] or 'none'}")
    raise SystemExit(1 if differing or twice or kills < asked.kills else 0)


def say(text: str) -> None:
    """One line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
