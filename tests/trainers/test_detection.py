"""Training of a detector."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from trainers.detection import Batch, DetectionPlan, rate_at, train_detector

PLAN = DetectionPlan(steps=40, lr=0.05, warmup_steps=10, weight_decay=0.0, clip=5.0, averaged=0.5)


class Bias(nn.Module):
    """Learns the mean of what it is shown; as a detector, it gives its losses by name."""

    def __init__(self) -> None:
        super().__init__()
        self.level = nn.Parameter(torch.zeros(1))

    def forward(self, images: list[Tensor], targets: list[dict[str, Tensor]]) -> dict[str, Tensor]:
        return {"level": torch.stack([(image.mean() - self.level).square().mean() for image in images]).mean()}


def batches(value: float) -> Iterator[Batch]:
    while True:
        yield [torch.full((3, 4, 4), value)], [{}]


def test_the_rate_warms_up_and_falls() -> None:
    assert rate_at(0, PLAN) == 0.1
    assert rate_at(9, PLAN) == 1.0
    assert rate_at(25, PLAN) == pytest.approx(0.505)
    assert rate_at(40, PLAN) == pytest.approx(0.01)


def test_it_learns_and_gives_the_mean_of_its_weights() -> None:
    seen: list[float] = []
    trained = train_detector(Bias(), batches(0.5), PLAN, lambda step, losses, mean: seen.append(losses["level"]))
    assert len(seen) == PLAN.steps
    assert seen[-1] < seen[0] / 4
    assert trained.state_dict()["level"].item() == pytest.approx(0.5, abs=0.2)


def test_a_loss_that_is_no_number_is_said() -> None:
    with pytest.raises(FloatingPointError, match="step 0"):
        train_detector(Bias(), batches(float("nan")), PLAN, lambda step, losses, mean: None)
