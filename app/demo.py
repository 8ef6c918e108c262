"""The embedded main job, start to report, on drawn case reports that are served as PubMed Central serves them."""

from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

from app import steps
from app.progress import Bars
from app.retrieving import retrieve
from core.config import override
from core.places import Place
from core.records import Pair, SeparatedFigure, Split, from_table
from core.settings import Config
from phantom.pmc.accuracy import accuracy
from phantom.pmc.corpus import read_truth, write_corpus
from phantom.pmc.server import serve


def run_demo(config: Config, run: Place, bars: Bars) -> tuple[str, dict[str, Any]]:
    """Collect, pair, pre-train on raw and on processed pairs, evaluate both. Returns the report's path and numbers."""
    collect_drawn(config, run, bars)
    steps.pair(config, run, bars)
    (run / "accuracy.json").write_json(accuracy_of(run))
    steps.train(config, run, list(steps.SCHEMES), bars.step)
    for scheme in steps.SCHEMES:
        retrieve(config, run, scheme)
    return steps.report(config, run)


def collect_drawn(config: Config, run: Place, bars: Bars) -> None:
    """Draw the corpus, then collect from it over HTTP, by the code that collects from the real services.

    Of a run elsewhere than on this machine's disks the corpus goes again, but for its truth.
    """
    kept = run / "corpus"
    with nullcontext(kept.path) if kept.is_local else TemporaryDirectory() as folder:
        corpus = Path(folder)
        with steps.timed(run, "draw the corpus"):
            write_corpus(corpus, articles=config.phantom.articles, seed=config.phantom.seed)
        if not kept.is_local:
            (kept / "truth.json").write_bytes((corpus / "truth.json").read_bytes())
        with serve(corpus / "bucket") as served:
            steps.collect(override(config, served.settings), run, bars)


def accuracy_of(run: Place) -> dict[str, float]:
    """The run's figures and pairs against the truth of the corpus."""
    figures = steps.table(run, "separated", SeparatedFigure).read()
    pairs = steps.table(run, "pairs", Pair)
    rows = [row for split in get_args(Split) for row in from_table(pairs.read(f"split={split}"), Pair)]
    with (run / "corpus").near() as corpus:
        return accuracy(read_truth(corpus), from_table(figures, SeparatedFigure), rows)
