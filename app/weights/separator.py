"""Trains the separator that figray ships on figures drawn without end, scores it on others, and writes its card."""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from time import monotonic

import numpy as np
import torch
from safetensors.torch import save
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset

from app.weights.detector_network import WEIGHTS, build_detector, load_detector, to_onnx, to_tensor
from core.places import Place
from core.settings import DetectorSettings, SeparateSettings
from phantom.pages.compound import BATCH, Compound, draw_compounds
from pipelines.scoring.scorecard import Measure, TrueFigure, TruePanel, measures, separation
from pipelines.separation.detector import LABEL, PANEL, SHIPPED, shrink
from pipelines.separation.separator import Separator
from pipelines.separation.xy_cuts import XYCuts
from trainers.detection import Batch, DetectionPlan, train_detector
from trainers.formats.onnx_towers import refuse_without_exporter

OnStep = Callable[[int, int], None]
SCORED = 400  # drawn figures
CARD = """# separator.onnx, separator.safetensors

Finds the panels and the printed letters of a figure: torchvision's FCOS on timm's lcnet_050 with a feature pyramid,
0.56 million parameters, trained from scratch. The .safetensors file has the weights in 16 bits, to train on from; the
.onnx file has the same weights, and is what figures are read by.

- Made by `figray train separator --set seed={seed} --set detector.steps={steps}`, the defaults.
- Data: {steps} batches of eight figures drawn by `phantom/pages/compound.py`, none twice. Their pictures are drawn
  too, but for crops of two photographs in scikit-learn's wheel and slices of the MNI152 template in nilearn's. No real
  figure was seen.
- Meant for figures of biomedical articles. It sees them at 448 px: letters below 6 px there are missed.

On {scored} figures drawn from another seed, beside the classical separator (`separate.method=classical`):

| measure | learned | classical |
|---|---|---|
{rows}

What it is worth on real figures stands in `docs/results.md`.
"""
LEAST_LABEL = 12.0  # px; points of the finest level lie 8 apart, and one has to lie in every letter's box
SHIPPED_ONES = "shipped"
LOGGED = 50  # steps that a line of metrics.jsonl tells of


class Drawn(IterableDataset[Batch]):
    """Batches of drawn figures without end, another stream in every worker."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def __iter__(self) -> Iterator[Batch]:
        worker = torch.utils.data.get_worker_info()
        torch.set_num_threads(1)
        stream = draw_compounds(np.random.SeedSequence([self.seed, worker.id if worker else 0]).generate_state(1)[0])
        return (to_batch(figures) for figures in stream)


def to_batch(figures: list[Compound]) -> Batch:
    """Figures as the detector sees them, and what it should find on them."""
    images, targets = [], []
    for figure in figures:
        small, scale = shrink(figure.image)
        panels = torch.tensor(figure.panels, dtype=torch.float32).reshape(-1, 4) * scale
        labels = at_least(torch.tensor(figure.labels, dtype=torch.float32).reshape(-1, 4) * scale, LEAST_LABEL)
        boxes = torch.cat([panels, labels])
        kinds = torch.tensor([PANEL] * len(figure.panels) + [LABEL] * len(figure.labels))
        images.append(to_tensor(small))
        targets.append({"boxes": boxes, "labels": kinds})
    return images, targets


def at_least(boxes: Tensor, side: float) -> Tensor:
    """Boxes (K, 4), those smaller grown about their middle to this side, px."""
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]).clamp(min=side) / 2
    return torch.cat([middle - half, middle + half], dim=1)


def train_separator(settings: DetectorSettings, run: Place, *, seed: int, on_step: OnStep) -> str:
    """Train, from `settings.begin` or from scratch; weights, their ONNX file and `metrics.jsonl` in the run.

    Gives the path of the ONNX file. Raises UserError without what writes it.
    """
    refuse_without_exporter()
    torch.manual_seed(seed)
    torch.set_num_threads(settings.threads)
    loader: DataLoader[Batch] = DataLoader(Drawn(seed), batch_size=None, num_workers=settings.drawers)
    plan = DetectionPlan(
        steps=settings.steps, lr=settings.lr, warmup_steps=settings.warmup_steps, weight_decay=0.05, clip=5.0,
        averaged=settings.averaged,
    )  # fmt: skip
    lines: list[str] = []
    recent: list[dict[str, float]] = []
    weights = run / WEIGHTS
    begun = monotonic()

    def log(step: int, losses: dict[str, float], mean: nn.Module) -> None:
        recent.append(losses)
        on_step(step, plan.steps)
        if step % LOGGED and step < plan.steps:
            return
        means = {name: round(sum(one[name] for one in recent) / len(recent), 4) for name in losses}
        recent.clear()
        lines.append(json.dumps({"step": step, "seconds": round(monotonic() - begun, 1), **means}))
        (run / "metrics.jsonl").write_bytes("\n".join(lines).encode())
        weights.write_bytes(save(halved(mean)))

    model = (
        load_detector(None if settings.begin == SHIPPED_ONES else settings.begin)
        if settings.begin
        else build_detector()
    )
    train_detector(model, iter(loader), plan, log)
    (run / SHIPPED).write_bytes(to_onnx(load_detector(weights.uri)))  # of the weights in 16 bits, as they are kept
    return (run / SHIPPED).uri


def halved(model: nn.Module) -> dict[str, Tensor]:
    """The weights in 16 bits, which is enough to find boxes by."""
    state = model.state_dict()
    return {name: (x.half() if x.is_floating_point() else x).contiguous() for name, x in state.items()}


def score(separator: Separator | XYCuts, figures: Sequence[Compound], *, seed: int) -> dict[str, Measure]:
    """A separator's panels against those of drawn figures."""
    found = [separation(as_truth(figure), separator(figure.image).subfigures) for figure in figures]
    return measures(found, seed=seed)


def as_truth(figure: Compound) -> TrueFigure:
    """A drawn figure as the scorecard takes it; its letters are boxes without names."""
    panels = [TruePanel(box=box, label=None) for box in figure.panels]
    return TrueFigure(image="", kind="single" if len(panels) == 1 else "compound", caption="", panels=panels)


def write_card(run: Place, settings: DetectorSettings, separate: SeparateSettings, *, seed: int) -> str:
    """Score the run's weights and the classical separator side by side; `scores.json` and `separator.md` in the run.

    Both see figures drawn from another seed than the weights learnt from.
    """
    least, most = separate.min_panel, separate.max_panels
    separators: dict[str, Separator | XYCuts] = {
        "learned": Separator((run / SHIPPED).uri, min_panel=least, max_panels=most),
        "classical": XYCuts(min_panel=least, max_panels=most),
    }
    drawn = [figure for batch in islice(draw_compounds(seed + 1), SCORED // BATCH) for figure in batch]
    scores = {name: score(separator, drawn, seed=seed + 1) for name, separator in separators.items()}
    (run / "scores.json").write_json({name: {k: m.value for k, m in found.items()} for name, found in scores.items()})
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {scores['learned'][name].value:.3f} | {scores['classical'][name].value:.3f} |"
        for name in scores["learned"]
    )
    (run / "separator.md").write_bytes(CARD.format(seed=seed, steps=settings.steps, scored=SCORED, rows=rows).encode())
    return (run / "separator.md").uri
