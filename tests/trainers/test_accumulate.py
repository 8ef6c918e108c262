"""Parts of a batch against the batch at once."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from core.settings import ObjectiveSettings
from trainers.accumulate import backward_in_parts
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.loop import lower_precision
from trainers.objectives.blip import BlipObjective, Encoded
from trainers.objectives.objective import Losses

FLOAT = lower_precision("float32", torch.device("cpu"))
Made = tuple[Losses, dict[str, Tensor], Tensor]  # losses, gradients, the queue after it


def twin(model: Blip) -> Blip:
    other = Blip(model.settings, ObjectiveSettings(text_objective="mlm" if model.decoder is None else "lm"))
    other.load_state_dict(model.state_dict())
    return other


def result(objective: BlipObjective, losses: Losses) -> Made:
    gradients = {name: p.grad for name, p in objective.model.named_parameters() if p.grad is not None}
    return losses, gradients, objective.queue.image


@pytest.mark.parametrize("text", ["mlm", "lm"])
@pytest.mark.parametrize("queue", [0, 20])
def test_parts_give_the_losses_and_gradients_of_the_whole_batch(
    small_blip: Blip,
    shape_batch: Callable[[int], Batch],
    objective_for: Callable[..., BlipObjective],
    text: str,
    queue: int,
) -> None:
    batch = shape_batch(13)  # parts of unequal length
    settings = {"text_objective": text, "alpha": 0.4 if queue else 0.0, "itm": 0.5, "fusion_share": 0.7}
    torch.manual_seed(0)
    model = Blip(small_blip.settings, ObjectiveSettings(**settings))
    whole, parts = (objective_for(twin(model), queue=queue, **settings) for _ in range(2))
    for step in range(2):  # in the second the queue is full and the momentum encoders lag behind
        for objective in (whole, parts):
            objective.zero_grad()
        losses = whole(batch, step)
        sum(whole.weights[name] * loss for name, loss in losses.items()).backward()
        expected = result(whole, losses)
        found = result(parts, backward_in_parts(parts, batch, parts=4, step=step, casts=FLOAT))
        for one, other in zip(expected[:2], found[:2], strict=True):
            assert one.keys() == other.keys()
            for name, value in one.items():
                assert torch.allclose(value, other[name], atol=1e-5), name
        assert torch.allclose(expected[2], found[2], atol=1e-6)
    assert (whole.momentum is not None) == bool(queue)


def test_a_part_is_encoded_twice_with_the_same_dropout(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Callable[..., BlipObjective]
) -> None:
    settings = small_blip.settings.model_copy(update={"dropout": 0.3})
    objective = objective_for(Blip(settings, ObjectiveSettings()))
    seen: list[Encoded] = []
    encode = objective.encode

    def watched(batch: Batch, step: int = 0) -> Encoded:
        seen.append(encode(batch, step))
        return seen[-1]

    objective.encode = watched  # type: ignore[method-assign]
    backward_in_parts(objective, shape_batch(8), parts=2, step=0, casts=FLOAT)
    first, second, *again = [encoded.text for encoded in seen]
    assert torch.equal(first, again[0]) and torch.equal(second, again[1])
    assert not torch.equal(first, encode(shape_batch(8).at(torch.arange(4))).text)


def test_naive_parts_would_be_another_loss(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Callable[..., BlipObjective]
) -> None:
    batch, objective = shape_batch(16), objective_for(small_blip, itm=0, text=0, alpha=0)
    naive = torch.stack([objective(batch.at(rows))["itc"] for rows in torch.arange(16).chunk(4)]).mean()
    whole = backward_in_parts(objective, batch, parts=4, step=0, casts=FLOAT)
    assert set(whole) == {"itc"} and whole["itc"] > naive + 1


def test_gradients_reach_every_weight_in_lower_precision(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Callable[..., BlipObjective]
) -> None:
    objective = objective_for(small_blip)
    casts = lower_precision("bfloat16", torch.device("cpu"))
    backward_in_parts(objective, shape_batch(8), parts=2, step=0, casts=casts)
    assert [name for name, p in small_blip.named_parameters() if p.grad is None or not p.grad.any()] == []
