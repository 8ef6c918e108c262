"""The baseline that the benches time computes what figray computes: a faster step has to be the same step."""

import pytest
import torch

from bench.drawn import draw_batch
from bench.reference_blip import ReferenceBlip, draw_one_by_one
from bench.step import Step
from core.settings import ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.losses.masked import Masking
from trainers.objectives.blip import BlipObjective

TINY = ModelSettings(
    image_size=32, patch=8, image_width=32, image_depth=2, image_heads=2,
    text_width=32, text_depth=2, text_heads=2, max_tokens=40, embedding=16, vocabulary=64, dropout=0.0,
)  # fmt: skip


def objective(**settings: str) -> BlipObjective:
    torch.manual_seed(0)
    chosen = ObjectiveSettings.model_validate(settings)
    masking = Masking(probability=0.15, mask_id=4, special_ids=range(5), vocabulary=64)
    return BlipObjective(Blip(TINY, chosen), chosen, masking=masking, queue=12, epoch=2)


@pytest.mark.parametrize("text", ["mlm", "lm"])
def test_both_arrangements_go_the_same_way_step_by_step(text: str) -> None:
    ours = objective(text_objective=text)
    reference = ReferenceBlip(ours)
    steps = Step(ours, lr=1e-3), Step(reference, lr=1e-3)
    reference.forward = reference.repeat  # type: ignore[method-assign]
    for number in range(3):
        batch = draw_batch(6, TINY, seed=number)
        mine, theirs = (step(batch, number) for step in steps)
        assert set(mine) == set(theirs) == {"itc", "itm", text}
        assert all(torch.allclose(mine[name], theirs[name], atol=1e-4) for name in mine)


def test_with_draws_of_its_own_the_losses_are_as_large() -> None:
    reference = ReferenceBlip(objective()).eval()  # in which the queue stays as it is
    batch = draw_batch(16, TINY)
    with torch.no_grad():
        mine, theirs = reference.repeat(batch), reference(batch)
    assert mine["itc"] == pytest.approx(theirs["itc"].item(), rel=0.1)
    assert mine["itm"] == pytest.approx(theirs["itm"].item(), rel=0.1)
    assert mine["mlm"] == pytest.approx(theirs["mlm"].item(), rel=0.1)


def test_one_by_one_draws_only_what_may_be_negative() -> None:
    allowed = torch.tensor([[0, 1, 0], [1, 0, 0], [1, 1, 0]], dtype=torch.bool)
    allowed = allowed | allowed.T
    matches = draw_one_by_one(torch.zeros(3, 3), allowed)
    wrong = matches.truth == 0
    assert matches.truth.tolist() == [1, 1, 1] + [0] * 6
    assert (matches.image == matches.text).tolist() == [True] * 3 + [False] * 6
    assert allowed[matches.image[wrong], matches.text[wrong]].all()
