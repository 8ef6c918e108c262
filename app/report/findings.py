"""What a reader should know of a run first, each as a number and a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from app.report.curves import Records, points
from app.report.pair_list import Totals
from app.report.probes import Probe
from app.report.retrieval_table import Pool, Results

SLOW = 0.2  # share of the time from which waiting for data is worth a word


@dataclass(frozen=True, kw_only=True)
class Films:
    """The radiographs of a run."""

    datasets: tuple[str, ...]
    splits: Mapping[str, tuple[int, int]]  # split -> films, patients
    findings: Mapping[str, Mapping[str, tuple[int, int]]]  # finding -> split -> films with it, films judged
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing to know."""

    number: str  # "12.3 %"
    says: str  # "of the images find their text first, by the model processed; guessing: 1.2 %"


def of_pairs(totals: Totals | None) -> list[Finding]:
    """How many pairs there are, and how many of them are probably wrong."""
    if totals is None:
        return []
    found = [Finding(number=f"{totals.pairs:,}", says="pairs of an image and its text")]
    if totals.wrong is not None:
        found.append(
            Finding(
                number=f"{totals.wrong:,.0f}",
                says="pairs are probably wrong, by their scores; the list begins with them",
            )
        )
    return found


def of_accuracy(accuracy: Mapping[str, float]) -> list[Finding]:
    """How many panels have the right text, where the truth is known."""
    if "pairs" not in accuracy:
        return []
    return [Finding(number=f"{100 * accuracy['pairs']:.1f} %", says="of the panels have the right text, by the truth")]


def of_films(films: Films | None) -> list[Finding]:
    """How many radiographs there are."""
    if films is None:
        return []
    count, patients = (sum(each[place] for each in films.splits.values()) for place in (0, 1))
    return [
        Finding(number=f"{count:,}", says=f"radiographs of {patients:,} patients, from {', '.join(films.datasets)}")
    ]


def of_retrieval(retrieval: Results, pools: Mapping[str, Pool]) -> list[Finding]:
    """The best model in the first pool, beside guessing."""
    for pool, size in pools.items():
        values = {model: of[pool]["i2t@1"] for model, of in retrieval.items() if pool in of}
        best = max(values, key=lambda model: values[model], default=None)
        if best is not None:
            guess = size.expected("i2t@1")
            says = (
                f"of {size.images:,} images find their text first among all, by the model {best} "
                f"(pool “{pool}”); guessing would find {guess:.1f} %"
            )
            return [Finding(number=f"{values[best]:.1f} %", says=says)]
    return []


def of_probes(probes: Sequence[Probe]) -> list[Finding]:
    """The best model in classification by prompts, for each set."""
    found = []
    for dataset in dict.fromkeys(probe.dataset for probe in probes):
        aucs = {
            probe.model: probe.found["mean"]["metrics"]["auc"]
            for probe in probes
            if probe.dataset == dataset and probe.task == "zero-shot"
        }
        known = {model: auc for model, auc in aucs.items() if auc is not None}
        if known:
            best = max(known, key=lambda model: known[model])
            says = f"mean AUC of findings on {dataset} by prompts alone, by the model {best}; guessing: 0.50"
            found.append(Finding(number=f"{known[best]:.2f}", says=says))
    return found


def of_training(curves: Mapping[str, Records]) -> list[Finding]:
    """The fastest training, and any that waited long for its data."""
    found = []
    speeds = {model: values for model, records in curves.items() if len(values := points(records, "samples_per_s")[1])}
    if speeds:
        best = max(speeds, key=lambda model: float(speeds[model].mean()))
        found.append(Finding(number=f"{speeds[best].mean():,.0f}", says=f"pairs a second in the training of {best}"))
    waits = {
        model: values.mean() for model, records in curves.items() if len(values := points(records, "wait_share")[1])
    }
    slow = {model: wait for model, wait in waits.items() if wait > SLOW}
    if slow:
        worst = max(slow, key=lambda model: slow[model])
        found.append(
            Finding(number=f"{100 * slow[worst]:.0f} %", says=f"of the training of {worst} was waiting for data")
        )
    return found
