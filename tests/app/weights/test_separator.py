"""The training of the separator, from drawn figures to a card."""

import json
from functools import partial
from pathlib import Path

import pytest
import torch

from app.weights import separator
from app.weights.detector_network import load_detector
from core.places import Place
from core.settings import DetectorSettings, SeparateSettings
from phantom.pages import compound
from phantom.pages.compound import Compound, draw_compounds
from pipelines.separation.detector import LABEL, PANEL


@pytest.fixture(autouse=True)
def small_bank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Figures of few different pictures: the whole bank takes seconds to draw."""
    monkeypatch.setattr(compound, "Contents", partial(compound.Contents, size=60))


def test_targets_lie_on_the_figure_that_the_detector_sees() -> None:
    figures: list[Compound] = next(draw_compounds(1))[:3]
    images, targets = separator.to_batch(figures)
    for image, target, figure in zip(images, targets, figures, strict=True):
        assert max(image.shape[1:]) == 448
        assert (target["labels"] == PANEL).sum() == len(figure.panels)
        panels = target["boxes"][target["labels"] == PANEL]
        assert float(panels[:, 2].max()) <= image.shape[2] + 1
        letters = target["boxes"][target["labels"] == LABEL]
        assert bool(((letters[:, 2:] - letters[:, :2]) >= separator.LEAST_LABEL - 1e-3).all())


def test_small_boxes_grow_about_their_middle() -> None:
    boxes = torch.tensor([[10.0, 10.0, 14.0, 40.0]])
    assert separator.at_least(boxes, 12.0).tolist() == [[6.0, 10.0, 18.0, 40.0]]


def test_one_command_leaves_weights_metrics_scores_and_a_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separator, "SCORED", 8)
    settings, run = DetectorSettings(steps=2, drawers=0), Place.at(str(tmp_path))
    seen: list[int] = []
    weights = separator.train_separator(settings, run, seed=3, on_step=lambda step, steps: seen.append(step))
    assert seen == [1, 2]
    assert weights.endswith(".onnx")
    load_detector(str(tmp_path / "separator.safetensors"))  # to train on from
    assert Path(weights).stat().st_size < 10_000_000
    card = Path(separator.write_card(run, settings, SeparateSettings(), seed=3)).read_text()
    assert "seed=3" in card
    scores = json.loads((tmp_path / "scores.json").read_text())
    assert set(scores) == {"learned", "classical"}
    assert str(scores["classical"]["f1_iou0.5"])[:4] in card
    assert json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])["step"] == 2
