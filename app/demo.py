"""The embedded main job, start to report, on drawn case reports that are served as PubMed Central serves them."""

from pathlib import Path
from typing import get_args

from app import steps
from app.cluster import connect, disconnect
from app.config import Config, override
from app.progress import Bars
from app.runs import Place
from pipelines.phantom.accuracy import accuracy
from pipelines.phantom.corpus import read_truth, write_corpus
from pipelines.phantom.server import serve
from pipelines.records import Pair, SeparatedFigure, Split, from_table


def run_demo(run: Place, overrides: list[str]) -> str:
    """Collect, pair, pre-train on raw and on processed pairs, evaluate both, report. Returns the path of the report."""
    with steps.opened(run, "demo", overrides) as config:
        connect(config)
        try:
            with Bars() as bars:
                collect_drawn(config, run, bars)
                steps.pair(config, run, bars)
                for scheme in steps.SCHEMES:
                    steps.train(config, run, scheme)
                    steps.evaluate(config, run, scheme)
        finally:
            disconnect()
        (run / "accuracy.json").write_json(accuracy_of(run))
        return steps.report(config, run)


def collect_drawn(config: Config, run: Place, bars: Bars) -> None:
    """Draw the corpus, then collect from it over HTTP, by the code that collects from the real services."""
    corpus = Path(run.path) / "corpus"
    with steps.timed(run, "draw the corpus"):
        write_corpus(corpus, articles=config.phantom.articles, seed=config.phantom.seed)
    with serve(corpus / "bucket") as served:
        here = {"source.esearch_url": served.esearch_url, "source.bucket_url": served.bucket_url}
        steps.collect(override(config, here), run, bars)


def accuracy_of(run: Place) -> dict[str, float]:
    """The run's figures and pairs against the truth of the corpus."""
    figures = steps.table(run, "separated", SeparatedFigure).read()
    pairs = steps.table(run, "pairs", Pair)
    rows = [row for split in get_args(Split) for row in from_table(pairs.read(f"split={split}"), Pair)]
    return accuracy(read_truth(Path(run.path) / "corpus"), from_table(figures, SeparatedFigure), rows)
