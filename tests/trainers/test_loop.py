"""The loop learns, repeats itself, and says what goes wrong."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count, islice, repeat

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from app.settings import ObjectiveSettings
from trainers.batch import Batch
from trainers.checkpoint import build_model
from trainers.evaluation.retrieval import embed, metrics
from trainers.loop import Plan, Progress, Record, begin, learning_rate, train_steps
from trainers.objectives.blip import Blip

PLAN = Plan(
    weights={"itc": 1.0, "itm": 1.0, "mlm": 1.0}, lr=1e-3, weight_decay=0.05, warmup_steps=4, total_steps=12,
    clip=1.0, seed=0, log_seconds=0.0, checkpoint_seconds=1e9,
)  # fmt: skip


def part(batch: Batch, rows: list[int]) -> Batch:
    tensors = {name: value[rows] for name, value in vars(batch).items() if isinstance(value, torch.Tensor)}
    return replace(batch, **tensors, pair_ids=tuple(batch.pair_ids[row] for row in rows))  # type: ignore[arg-type]


def in_turn(batch: Batch, size: int) -> Iterator[Batch]:
    for step in count():
        order = torch.randperm(len(batch), generator=torch.Generator().manual_seed(step)).tolist()
        yield part(batch, order[:size])


def run(model: Blip, batches: Iterator[Batch], plan: Plan, progress: Progress | None = None) -> list[Record]:
    records: list[Record] = []
    progress = progress or begin(model, plan)
    train_steps(model, batches, progress=progress, plan=plan, on_record=records.append, on_checkpoint=lambda _: None)
    return records


def test_the_rate_rises_in_a_line_and_falls_in_half_a_cosine() -> None:
    plan = replace(PLAN, lr=1.0, warmup_steps=10, total_steps=110)
    assert [learning_rate(step, plan) for step in (0, 4, 9)] == pytest.approx([0.1, 0.5, 1.0])
    assert [learning_rate(step, plan) for step in (10, 60, 110)] == pytest.approx([1.0, 0.5, 0.0])


def test_thirty_two_pairs_are_learnt_by_heart(
    tokenizer: PreTrainedTokenizerFast, small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    torch.manual_seed(0)
    model = build_model(small_blip.settings, ObjectiveSettings(itm=0, mlm=0), tokenizer)
    batch = shape_batch(32)
    run(model, in_turn(batch, 32), replace(PLAN, lr=3e-3, warmup_steps=20, total_steps=250))
    pool = embed(model, [batch])
    found = metrics(pool.image @ pool.text.T, pool.text @ pool.image.T, text_group=pool.text_group)
    assert found["i2t@1"] > 0.9 and found["t2i@1"] > 0.9


def test_a_resumed_run_ends_where_an_uninterrupted_one_does(
    small_blip: Blip, tokenizer: PreTrainedTokenizerFast, shape_batch: Callable[[int], Batch]
) -> None:
    batch = shape_batch(16)
    start = {name: value.clone() for name, value in small_blip.state_dict().items()}
    run(small_blip, in_turn(batch, 8), PLAN)

    first = build_model(small_blip.settings, ObjectiveSettings(), tokenizer)
    first.load_state_dict(start)
    progress = begin(first, PLAN)
    run(first, islice(in_turn(batch, 8), 5), PLAN, progress)
    second = build_model(small_blip.settings, ObjectiveSettings(), tokenizer)
    second.load_state_dict(first.state_dict())
    resumed = begin(second, PLAN)
    resumed.optimizer.load_state_dict(progress.optimizer.state_dict())
    resumed.step = progress.step
    run(second, islice(in_turn(batch, 8), 5, None), PLAN, resumed)

    assert progress.step == 5 and resumed.step == 12
    for name, value in small_blip.state_dict().items():
        assert torch.equal(value, second.state_dict()[name]), name


def test_a_record_holds_the_losses_their_sum_and_the_speed(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    plan = replace(PLAN, weights={"itc": 2.0, "itm": 0.5, "mlm": 1.0})
    records = run(small_blip, in_turn(shape_batch(8), 8), plan)
    assert [record["step"] for record in records] == list(range(1, 13))
    for record in records:
        assert record["loss"] == pytest.approx(2 * record["itc"] + 0.5 * record["itm"] + record["mlm"], rel=1e-5)
        assert record["samples_per_s"] > 0 and 0 <= record["wait_share"] <= 1 and 0 < record["temperature"] < 0.5


def test_a_loss_that_is_not_finite_names_its_pairs(small_blip: Blip, shape_batch: Callable[[int], Batch]) -> None:
    batch = shape_batch(4)
    broken = replace(batch, images=batch.images * float("nan"))
    with pytest.raises(FloatingPointError, match=r"A1\.1/f3#0"):
        run(small_blip, iter([broken]), PLAN)


def test_norms_biases_and_the_temperature_do_not_decay(small_blip: Blip) -> None:
    decaying, others = begin(small_blip, PLAN).optimizer.param_groups
    assert (decaying["weight_decay"], others["weight_decay"]) == (0.05, 0.0)
    assert all(p.ndim > 1 for p in decaying["params"])
    assert any(p is small_blip.log_temperature for p in others["params"])


def test_checkpoints_are_asked_for_when_their_time_has_come(
    small_blip: Blip, shape_batch: Callable[[int], Batch]
) -> None:
    plan, steps = replace(PLAN, checkpoint_seconds=0.0, total_steps=3), []
    train_steps(
        small_blip,
        in_turn(shape_batch(4), 4),
        progress=begin(small_blip, plan),
        plan=plan,
        on_record=lambda _: None,
        on_checkpoint=lambda progress: steps.append(progress.step),
    )
    assert steps == [1, 2, 3]


class Guess(torch.nn.Module):
    """An objective that has learnt nothing but how many pairs match."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {"itm": 0.6365 + 0.02 * torch.randn(()) + 0 * self.weight.sum()}


def test_a_matching_loss_that_stays_that_of_a_constant_is_said_once(
    shape_batch: Callable[[int], Batch], caplog: pytest.LogCaptureFixture
) -> None:
    model, plan = Guess(), replace(PLAN, total_steps=300)
    train_steps(
        model,
        repeat(shape_batch(2)),
        progress=begin(model, plan),
        plan=plan,
        on_record=lambda _: None,
        on_checkpoint=lambda _: None,
    )
    assert [record.message for record in caplog.records] == [
        "the matching loss has stayed at 0.6365, that of a constant, for 200 steps"
    ]
