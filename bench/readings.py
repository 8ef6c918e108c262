"""Captions, panels, letters and pairs on the A and B halves of the labelled sets.

    python -m bench.readings ../shared OUT.json

Rules were written while looking at A; of B only these scores are read. Articles are divided by `judge/halves.py` of
the shared folder, figures are composed by its `compose.py` and `compose_cases.py`. The score of a pair is fitted on A
(pipelines/matching/calibration.py), and told on B, all together and with one source left out of the fit.
"""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from bench.numbers import say
from core.config import load
from core.images import open_image
from core.records import Subfigure
from pipelines.captions.split import split_caption
from pipelines.matching.calibration import Evidence, features
from pipelines.matching.match import WHOLE, evidence_of, match
from pipelines.scoring.labelled_sets import MarkedCaption, MarkedFigure, true_caption, true_figures
from pipelines.scoring.reliability import Verdict, reliability, verdicts
from pipelines.scoring.scorecard import (
    FoundPair,
    Measure,
    Tallies,
    TrueFigure,
    measures,
    pairing,
    separation,
    splitting,
)

CAPTIONS = ("openi_gold", "openi_dev_gold", "nlm", "prostate")
LEAST = load(None, []).captions.min_confidence
SEED = 3  # of the composed figures
READERS = 2  # processes
PENALTY = 1.0  # of the squared weights of the regression
NEWTON = 60  # steps
Row = dict[str, Any]
Half = Callable[[Row], str]
Weighed = tuple[tuple[float, ...], bool]  # the features of a pair, and whether it is right


def main(shared: Path, out: Path) -> None:
    """Measure, print a table, and write it."""
    half = _halves(shared)
    told: dict[str, dict[str, Any]] = {}
    for name in CAPTIONS:
        rows = json.loads((shared / "captions" / f"{name}.json").read_text())
        records = rows["records"] if isinstance(rows, dict) else rows
        for side in "AB":
            told[f"captions {name} {side}"] = _captions([row for row in records if half(row) == side])
    evidence: dict[tuple[str, str], list[Weighed]] = {}
    with TemporaryDirectory() as folder:
        for name, rows in _composed(shared, Path(folder)).items():
            read = _read(Path(folder) / name, rows)
            for side in "AB":
                mine = [row for row in rows if half(row) == side]
                told[f"figures {name} {side}"], evidence[name, side] = _figures(mine, read)
    told |= _left_out(evidence)
    for key, found in told.items():
        say(f"{key}: " + ", ".join(f"{name} {_shown(value)}" for name, value in found.items()))
    out.write_text(json.dumps(told, indent=1))


def _halves(shared: Path) -> Half:
    spec = importlib.util.spec_from_file_location("halves", shared / "judge" / "halves.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    half: Half = module.half
    return half


def _captions(records: Sequence[Row]) -> dict[str, Any]:
    rows = TypeAdapter(list[MarkedCaption]).validate_python(records)
    truths = [true_caption(row) for row in rows]
    tallies = [splitting(truth, split_caption(truth.caption, min_confidence=LEAST)) for truth in truths]
    return _told(tallies)


def _composed(shared: Path, folder: Path) -> dict[str, list[Row]]:
    """The truth of two sets of figures composed below a folder, by name."""
    judge, layouts = shared / "judge", shared / "captions" / "nlm.json"
    images = shared / "chest_xrays" / "images_nih"
    gold = shared / "captions" / "openi_dev_gold.json"
    commands = {
        "cases": ["compose_cases.py", layouts, gold, images, folder / "cases", "--times", "2"],
        "nlm": ["compose.py", layouts, images, folder / "nlm"],
    }
    for command in commands.values():
        run = [sys.executable, str(judge / str(command[0])), *map(str, command[1:]), "--seed", str(SEED)]
        subprocess.run(run, check=True, stdout=subprocess.DEVNULL)
    return {name: json.loads((folder / name / "truth.json").read_text()) for name in commands}


def _read(folder: Path, rows: Sequence[Row]) -> dict[str, list[Subfigure]]:
    images = [row["image"] for row in rows]
    with ProcessPoolExecutor(READERS, mp_context=get_context("spawn")) as pool:
        shares = pool.map(partial(_read_share, folder), [images[k::READERS] for k in range(READERS)])
        return {image: panels for share in shares for image, panels in share.items()}


def _read_share(folder: Path, images: Sequence[str]) -> dict[str, list[Subfigure]]:
    import torch

    from pipelines.figure_reader import FigureReader

    torch.set_num_threads(1)
    config = load(None, [])
    read = FigureReader(config.separate, config.labels)
    return {image: read(np.asarray(open_image((folder / image).read_bytes()).image)) for image in images}


def _figures(rows: Sequence[Row], read: dict[str, list[Subfigure]]) -> tuple[dict[str, Any], list[Weighed]]:
    truths = true_figures(TypeAdapter(list[MarkedFigure]).validate_python(rows))
    tallies: list[Tallies] = []
    told: list[Verdict] = []
    weighed: list[Weighed] = []
    for truth in truths:
        panels = read[truth.image]
        pairs, evidence = _pairs(truth, panels)
        tallies.append(separation(truth, panels) | pairing(truth, pairs))
        told += verdicts(truth, pairs)
        weighed += _weighed(truth, pairs, evidence)
    believed = reliability(told)
    assert believed is not None
    scores = {"calibration_error": believed.error, "wrong": believed.wrong, "wrong_above_0.9": believed.wrong_above}
    return _told(tallies) | scores, weighed


def _pairs(truth: TrueFigure, panels: list[Subfigure]) -> tuple[list[FoundPair], list[Evidence]]:
    """The pairs of a figure, and what their scores were made from, where letters and order decided."""
    split = split_caption(truth.caption, min_confidence=LEAST)
    found = match(panels, split, truth.caption, rule="joint")
    height, width = (max(panel.box[edge] for panel in truth.panels) for edge in (3, 2))
    boxes = [(0, 0, width, height) if one.subfigure == WHOLE else panels[one.subfigure].box for one in found]
    pairs = [FoundPair(box, one.text, one.score) for box, one in zip(boxes, found, strict=True)]
    return pairs, evidence_of(panels, split)


def _weighed(truth: TrueFigure, pairs: Sequence[FoundPair], evidence: Sequence[Evidence]) -> list[Weighed]:
    """Every pair with its features and whether it is right; one whose box is no true panel is wrong."""
    return [
        (features(seen), any(right for _, right in verdicts(truth, [replace(pair, score=1.0)])))
        for pair, seen in zip(pairs, evidence, strict=False)
    ]


def _left_out(evidence: dict[tuple[str, str], list[Weighed]]) -> dict[str, dict[str, Any]]:
    """The fit on A, and the calibration error on B: of all, and of a source that was left out of the fit."""
    names = sorted({name for name, _ in evidence})
    every = {side: [row for name in names for row in evidence[name, side]] for side in "AB"}
    weights = fit(every["A"])
    told: dict[str, dict[str, Any]] = {
        "score, fitted on A": {"weights": [round(float(weight), 2) for weight in weights]},
        "score, B": {"calibration_error": _error(weights, every["B"])},
    }
    for name in names:
        others = [row for other in names if other != name for row in evidence[other, "A"]]
        told[f"score, {name} left out, its B"] = {"calibration_error": _error(fit(others), evidence[name, "B"])}
    return told


def fit(rows: Sequence[Weighed]) -> NDArray[np.float64]:
    """The intercept and weights of a logistic regression by Newton's method; the squared weights are penalised."""
    inputs, right = _arrays(rows)
    weights = np.zeros(inputs.shape[1])
    penalty = PENALTY * np.diag([1e-6, *np.ones(len(weights) - 1)])
    for _ in range(NEWTON):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (likely - right) + penalty @ weights
        curve = (inputs * (likely * (1 - likely))[:, None]).T @ inputs + penalty
        weights = weights - np.linalg.solve(curve, slope)
    return weights


def _error(weights: NDArray[np.float64], rows: Sequence[Weighed]) -> float:
    inputs, right = _arrays(rows)
    likely = 1 / (1 + np.exp(-inputs @ weights))
    believed = reliability(zip(likely.tolist(), (right > 0).tolist(), strict=True))
    assert believed is not None
    return believed.error


def _arrays(rows: Iterable[Weighed]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    listed = list(rows)
    return np.array([(1.0, *one) for one, _ in listed]), np.array([float(right) for _, right in listed])


def _told(tallies: Sequence[Tallies]) -> dict[str, Any]:
    return {name: asdict(measure) for name, measure in measures(tallies, seed=0).items()}


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        found = Measure(**value)
        return f"{found.value:.3f} ({found.low:.3f} to {found.high:.3f}, {found.of:.0f})"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
