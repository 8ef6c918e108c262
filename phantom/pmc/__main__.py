"""Serve synthetic case reports on loopback: `python -m phantom.pmc FOLDER --articles 60`, until Ctrl-C.

`FOLDER/here.yaml` is a recipe that leads figray here: `figray collect FOLDER/here.yaml --topic glioma`.
"""

import argparse
import sys
import threading
from contextlib import suppress
from pathlib import Path

import yaml

from phantom.pmc.corpus import write_corpus
from phantom.pmc.server import Served, serve


def recipe(served: Served) -> str:
    """Settings that collect from a served corpus, as fast as this machine answers."""
    there = served.settings | {"source.esearch_per_second": 50, "source.bucket_per_second": 1000}
    return yaml.safe_dump(there, sort_keys=False)


def main(words: list[str], *, until: threading.Event) -> None:
    """Write the corpus, serve it, and say where, until the event."""
    asked = argparse.ArgumentParser(prog="python -m phantom.pmc", description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("folder", type=Path)
    asked.add_argument("--articles", type=int, default=60)
    asked.add_argument("--seed", type=int, default=0)
    given = asked.parse_args(words)
    write_corpus(given.folder, articles=given.articles, seed=given.seed)
    with serve(given.folder / "bucket") as served:
        (given.folder / "here.yaml").write_text(recipe(served), encoding="utf-8")
        sys.stdout.write(
            f"{given.articles} synthetic articles; figray collect {given.folder}/here.yaml --topic brain\n"
        )
        sys.stdout.flush()
        until.wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1:], until=threading.Event())
