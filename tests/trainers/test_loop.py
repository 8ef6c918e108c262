"""The loop learns, repeats itself, and says what goes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice, repeat
from pathlib import Path
from typing import Any

import pytest
import torch

from core.settings import ObjectiveSettings, OptimSettings, TrainSettings
from trainers import loop
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.loop import (
    Plan,
    Progress,
    Record,
    begin,
    compile_layers,
    learning_rate,
    load_progress,
    save_progress,
    spare_memory,
    train_step,
    train_steps,
)
from trainers.objectives.blip import BlipObjective
from trainers.objectives.objective import Objective

PLAN = Plan(
    optim=OptimSettings(lr=1e-3, warmup_steps=4),
    train=TrainSettings(log_seconds=1e-9, checkpoint_minutes=1e9),
    steps_per_epoch=3,
    total_steps=12,
)
Objectives = Callable[..., BlipObjective]


def optim(plan: Plan, **settings: Any) -> Plan:
    return replace(plan, optim=plan.optim.model_copy(update=settings))


def train(plan: Plan, **settings: Any) -> Plan:
    return replace(plan, train=plan.train.model_copy(update=settings))


def in_turn(batch: Batch, size: int) -> Iterator[Batch]:
    for step in count():
        yield batch.at(torch.randperm(len(batch), generator=torch.Generator().manual_seed(step))[:size])


def run(objective: Objective, batches: Iterator[Batch], plan: Plan, progress: Progress | None = None) -> list[Record]:
    records: list[Record] = []
    progress = progress or begin(objective, plan)
    train_steps(
        objective, batches, progress=progress, plan=plan, on_record=records.append, on_checkpoint=lambda _: None
    )
    return records


def losses(records: list[Record]) -> list[list[float]]:
    return [[record[name] for name in ("step", "itc", "itm", "mlm", "loss", "lr", "temperature")] for record in records]


def test_the_rate_rises_in_a_line_and_falls_in_half_a_cosine() -> None:
    plan = optim(replace(PLAN, total_steps=110), lr=1.0, warmup_steps=10, min_lr=0.2)
    assert [learning_rate(step, plan) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert [learning_rate(step, plan) for step in (10, 60, 110)] == pytest.approx([1.0, 0.6, 0.2])


def test_the_rate_falls_by_a_factor_after_each_epoch_as_blips_does() -> None:
    plan = optim(replace(PLAN, steps_per_epoch=10), schedule="epochs", lr=1.0, decay=0.5, warmup_steps=5, min_lr=0.2)
    assert [learning_rate(step, plan) for step in (4, 5, 9, 10, 19, 20, 30)] == [1, 1, 1, 0.5, 0.5, 0.25, 0.2]


def test_sixteen_pairs_are_learnt_by_heart(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    batch = shape_batch(16)
    objective = objective_for(small_blip, itm=0, text=0, alpha=0)
    run(objective, in_turn(batch, 16), optim(replace(PLAN, total_steps=120), lr=3e-3, warmup_steps=20))
    encoded = objective.eval().encode(batch)
    nearest = (encoded.image @ encoded.text.T).argmax(dim=1)
    assert (batch.text_group[nearest] == batch.text_group).float().mean() > 0.9


def test_a_resumed_run_repeats_the_uninterrupted_one(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives, tmp_path: Path
) -> None:
    dropping = small_blip.settings.model_copy(update={"dropout": 0.1})
    batch, start = shape_batch(16), small_blip.state_dict()

    def fresh(weights: dict[str, torch.Tensor]) -> BlipObjective:
        model = Blip(dropping, ObjectiveSettings())
        model.load_state_dict(weights)
        return objective_for(model, queue=20, epoch=PLAN.steps_per_epoch)

    whole = fresh(start)
    curve = losses(run(whole, in_turn(batch, 7), PLAN))  # 7 does not divide 20: the queue is never full to the brim

    first = fresh(start)
    progress = begin(first, PLAN)
    before = losses(run(first, islice(in_turn(batch, 7), 5), PLAN, progress))  # in the middle of the second epoch
    save_progress(first, progress, tmp_path / "progress.pt")
    second = fresh(first.model.state_dict())
    resumed = begin(second, PLAN)
    load_progress(second, resumed, tmp_path / "progress.pt")
    after = losses(run(second, islice(in_turn(batch, 7), 5, None), PLAN, resumed))

    assert before + after == curve
    for name, value in whole.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_progress_of_another_objective_is_not_taken(
    small_blip: Blip, objective_for: Objectives, tmp_path: Path
) -> None:
    with_momentum, without = objective_for(small_blip), objective_for(small_blip, alpha=0)
    for one, other in ((with_momentum, without), (without, with_momentum)):
        save_progress(one, begin(one, PLAN), tmp_path / "progress.pt")
        with pytest.raises(ValueError, match="is of another objective"):
            load_progress(other, begin(other, PLAN), tmp_path / "progress.pt")


def test_accumulation_does_not_change_the_curve(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    curves = []
    for parts in (1, 3):
        model = Blip(small_blip.settings, ObjectiveSettings())
        model.load_state_dict(small_blip.state_dict())
        curves.append(
            losses(run(objective_for(model, queue=9), in_turn(shape_batch(8), 8), train(PLAN, accumulate=parts)))
        )
    for one, other in zip(*curves, strict=True):
        assert one == pytest.approx(other, rel=2e-3)


def test_layers_computed_twice_have_the_same_gradients(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    model = Blip(small_blip.settings.model_copy(update={"dropout": 0.1}), ObjectiveSettings(text_objective="lm"))
    objective = objective_for(model, text_objective="lm", alpha=0)
    computed: list[int] = []
    layer: Any = model.text_encoder.bert.encoder.layer[0]
    layer.attention.register_forward_hook(lambda *_: computed.append(1))
    gradients, passes = [], []
    for change in (lambda _: None, spare_memory):
        change(model)
        objective.zero_grad()
        torch.manual_seed(0)
        torch.stack([*objective(shape_batch(6)).values()]).sum().backward()
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
        passes.append(len(computed))
    assert passes[1] == 3 * passes[0]
    assert all(torch.allclose(one, other, atol=1e-6) for one, other in zip(*gradients, strict=True))


def test_compiled_layers_keep_their_names_and_their_losses(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    model = Blip(small_blip.settings.model_copy(update={"image_depth": 1, "text_depth": 1}), ObjectiveSettings())
    objective, names = objective_for(model, alpha=0, text=0), list(model.state_dict())
    before = objective(shape_batch(4))
    compile_layers(model, backend="eager")
    after = objective(shape_batch(4))
    assert list(model.state_dict()) == names
    assert all(torch.allclose(before[name], after[name], atol=1e-5) for name in before)


def test_a_record_holds_the_losses_their_sum_and_the_speed(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    records = run(objective_for(small_blip, itc=2.0, itm=0.5), in_turn(shape_batch(8), 8), PLAN)
    assert [record["step"] for record in records] == list(range(1, 13))
    for record in records:
        assert record["loss"] == pytest.approx(2 * record["itc"] + 0.5 * record["itm"] + record["mlm"], rel=1e-5)
        assert record["samples_per_s"] > 0 and 0 <= record["wait_share"] <= 1 and 0 < record["temperature"] < 0.5
        assert record["itm_stuck"] == 0


def test_a_loss_that_is_not_finite_names_its_step_and_its_pairs(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    batch = shape_batch(4)
    broken = replace(batch, images=batch.images * float("nan"))
    with pytest.raises(FloatingPointError, match=r"step 1: .*A1\.1/f3#0"):
        run(objective_for(small_blip), iter([batch, broken]), PLAN)


def test_norms_biases_and_the_temperature_do_not_decay_and_momentum_is_not_optimised(
    small_blip: Blip, objective_for: Objectives
) -> None:
    objective = objective_for(small_blip)
    decaying, others = begin(objective, PLAN).optimizer.param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.05, 0.0)
    assert all(p.ndim > 1 for p in decaying["params"])
    assert any(p is small_blip.log_temperature for p in others["params"])
    assert len(decaying["params"]) + len(others["params"]) == len(list(small_blip.parameters()))


def test_places_and_the_class_token_do_not_decay_and_the_temperature_may_have_a_rate_of_its_own(
    small_blip: Blip, objective_for: Objectives
) -> None:
    plan = replace(PLAN, optim=PLAN.optim.model_copy(update={"temperature_rate": 14.0}))
    decaying, others, own = begin(objective_for(small_blip), plan).optimizer.param_groups
    encoder = small_blip.image_encoder
    assert any(p is encoder.pos_embed for p in others["params"]) and any(
        p is encoder.cls_token for p in others["params"]
    )
    assert not any(p is encoder.pos_embed for p in decaying["params"])
    assert own["times"] == 14.0 and own["weight_decay"] == 0.0 and own["params"] == [small_blip.log_temperature]


def test_without_a_clip_the_gradient_stays_as_it_is(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives
) -> None:
    norms = {}
    for clip in (None, 1e-3):
        objective = objective_for(small_blip)
        plan = replace(PLAN, optim=PLAN.optim.model_copy(update={"clip": clip}))
        train_step(objective, shape_batch(4), progress=begin(objective, plan), plan=plan)
        norms[clip] = torch.stack([p.grad.norm() for p in objective.parameters() if p.grad is not None]).norm().item()
    assert norms[1e-3] == pytest.approx(1e-3, rel=1e-2) and norms[None] > 0.1


@pytest.mark.parametrize(
    ("settings", "expected"), [({"checkpoint_minutes": 1e-12}, [1, 2, 3, 4]), ({"checkpoint_steps": 2}, [2, 4])]
)
def test_checkpoints_are_asked_for_when_their_time_or_step_has_come(
    small_blip: Blip,
    shape_batch: Callable[[int], Batch],
    objective_for: Objectives,
    settings: dict[str, Any],
    expected: list[int],
) -> None:
    objective, plan, steps = objective_for(small_blip), train(replace(PLAN, total_steps=5), **settings), []
    train_steps(
        objective,
        in_turn(shape_batch(4), 4),
        progress=begin(objective, plan),
        plan=plan,
        on_record=lambda _: None,
        on_checkpoint=lambda progress: steps.append(progress.step),
    )
    assert steps == expected


class Guess(Objective):
    """An objective that has learnt nothing but how many pairs match."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.weights = {"itm": 1.0}

    def forward(self, batch: Batch, step: int = 0) -> dict[str, torch.Tensor]:
        return {"itm": 0.6365 + 0.02 * torch.randn(()) + 0 * self.weight.sum()}


def test_a_matching_loss_that_stays_that_of_a_constant_is_said_once_and_marked(
    shape_batch: Callable[[int], Batch], caplog: pytest.LogCaptureFixture
) -> None:
    records = run(Guess(), repeat(shape_batch(2)), replace(PLAN, total_steps=300))
    assert [record.message for record in caplog.records] == [
        "the matching loss has stayed at 0.6365, that of a constant, for 200 steps"
    ]
    assert [record["itm_stuck"] for record in records] == [0.0] * 199 + [1.0] * 101


def test_losses_read_seldom_are_those_read_at_every_step(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Objectives, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    read = loop.read_losses

    def counted(taken: Any, objective: Any) -> Any:
        reads.append(len(taken))
        return read(taken, objective)

    monkeypatch.setattr(loop, "read_losses", counted)
    monkeypatch.setattr(loop, "LOOKED", 1e9)
    start, batch, means = {n: v.clone() for n, v in small_blip.state_dict().items()}, shape_batch(8), []
    for seconds in (1e-9, 1e9):
        small_blip.load_state_dict(start)
        records = run(objective_for(small_blip), in_turn(batch, 8), train(PLAN, log_seconds=seconds))
        means.append(sum(record["loss"] for record in records) / len(records))
    assert [each for each in reads if each] == [1] * 12 + [1, 11]
    assert means[0] == pytest.approx(means[1], rel=1e-6)


def test_readings_stop_at_every_checkpoint_and_at_the_end() -> None:
    plan = train(PLAN, checkpoint_steps=5)
    assert [loop._next_reading(step, 100, plan) for step in (1, 5, 9, 10)] == [5, 10, 10, 12]
    assert [loop._next_reading(step, 2, plan) for step in (1, 4)] == [3, 5]
    assert loop._next_reading(1, 100, PLAN) == 12
