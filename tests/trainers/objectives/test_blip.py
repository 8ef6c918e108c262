"""BLIP's losses on drawn pairs, and over two processes."""

import os
from collections.abc import Callable
from dataclasses import replace
from math import log
from multiprocessing import set_forkserver_preload
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import start_processes

from core.settings import ModelSettings, ObjectiveSettings
from trainers.accumulate import backward_in_parts
from trainers.batch import Batch
from trainers.blip import Blip
from trainers.loop import lower_precision
from trainers.losses.masked import Masking
from trainers.objectives.blip import BlipObjective, risen

Made = Callable[..., BlipObjective]
Drawing = Callable[[int], Batch]


def test_a_batch_gives_the_three_losses_near_what_ignorance_costs(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    losses = objective_for(small_blip, alpha=0)(shape_batch(16))
    assert set(losses) == {"itc", "itm", "mlm"}
    assert losses["itc"].item() == pytest.approx(2.77, abs=0.4)
    assert 0.55 < losses["itm"].item() < 1.5
    assert losses["mlm"].item() == pytest.approx(log(small_blip.settings.vocabulary), abs=0.5)


def test_the_code_of_the_paper_reads_word_by_word(small_blip: Blip, objective_for: Made, shape_batch: Drawing) -> None:
    model = Blip(small_blip.settings, ObjectiveSettings(text_objective="lm"))
    losses = objective_for(model, text_objective="lm")(shape_batch(8))
    assert set(losses) == {"itc", "itm", "lm"}
    assert losses["lm"].item() == pytest.approx(log(small_blip.settings.vocabulary), abs=0.5)


def test_a_loss_without_weight_is_not_computed(small_blip: Blip, objective_for: Made, shape_batch: Drawing) -> None:
    assert set(objective_for(small_blip, itm=0, text=0)(shape_batch(4))) == {"itc"}
    assert objective_for(small_blip, itc=0, alpha=0.4).momentum is None


def test_a_share_of_the_batch_is_fused_and_all_of_it_contrasted(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    rows: list[int] = []
    fuse = small_blip.text_encoder.fuse
    small_blip.text_encoder.fuse = lambda tokens, *rest: (rows.append(len(tokens)), fuse(tokens, *rest))[1]  # type: ignore[method-assign,func-returns-value]
    share, whole = (objective_for(small_blip, alpha=0, fusion_share=part)(shape_batch(16)) for part in (0.25, 1.0))
    assert rows == [12, 4, 48, 16]  # a pair and two negatives for each, then their masked texts
    assert torch.equal(share["itc"], whole["itc"])


@pytest.mark.parametrize("text_objective", ["mlm", "lm"])
def test_every_parameter_has_a_gradient_when_all_three_count(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing, text_objective: str
) -> None:
    model = Blip(small_blip.settings, ObjectiveSettings(text_objective=text_objective))
    objective = objective_for(model, text_objective=text_objective, queue=8)
    sum(objective(shape_batch(16)).values()).backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    assert objective.momentum and all(p.grad is None for p in objective.momentum.parameters())


def test_a_batch_of_one_text_has_no_negatives_and_still_a_loss(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    same = replace(shape_batch(4), text_group=torch.zeros(4, dtype=torch.int64))
    assert all(torch.isfinite(loss) for loss in objective_for(small_blip)(same).values())


def test_one_step_depends_on_seed_and_step_alone(small_blip: Blip, objective_for: Made, shape_batch: Drawing) -> None:
    batch = shape_batch(16)
    torch.manual_seed(1)
    once = objective_for(small_blip, alpha=0, seed=3)(batch, 5)
    torch.manual_seed(2)
    again, later = (objective_for(small_blip, alpha=0, seed=3)(batch, step) for step in (5, 6))
    assert {name: loss.item() for name, loss in once.items()} == {name: loss.item() for name, loss in again.items()}
    assert once["mlm"].item() != later["mlm"].item()


def test_each_step_moves_the_momentum_encoders_and_fills_the_queue_but_reading_does_neither(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    objective, batch = objective_for(small_blip, queue=6), shape_batch(4)
    assert objective.momentum is not None
    before = objective.momentum.towers.image_head.weight.clone()
    with torch.no_grad():
        small_blip.image_head.weight.add_(1.0)
    objective.eval()(batch)
    assert torch.equal(objective.momentum.towers.image_head.weight, before) and not len(objective.queue.keys().image)
    objective.train()(batch)
    assert torch.allclose(objective.momentum.towers.image_head.weight, before + 0.005, atol=1e-6)
    assert objective.queue.keys().text_group.tolist() == batch.text_group.tolist()
    objective(shape_batch(3), 1)  # a ragged one
    assert len(objective.queue.keys().image) == 6


def test_what_rises_does_so_along_a_line_and_then_stays() -> None:
    assert [risen(step, 4) for step in (0, 1, 4, 99)] == pytest.approx([0, 0.25, 1, 1])
    assert risen(0, 0) == 1


def test_negatives_become_hard_as_fast_as_they_are_told_to(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    batch = shape_batch(16)
    with torch.no_grad():
        small_blip.log_temperature.fill_(log(1e-7))  # so that the hardest is drawn, or any
    wrong = []
    for step in (0, 20):
        objectives = [objective_for(small_blip, alpha=0, hardness_epochs=2, epoch=10, seed=seed) for seed in range(12)]
        encoded = objectives[0].encode(batch)
        wrong.append({int(each.draw(batch, encoded, step).matches.text[16]) for each in objectives})
    assert len(wrong[0]) > 3 and len(wrong[1]) <= 2  # two images are alike


def test_the_temperature_stays_where_blip_keeps_it(small_blip: Blip, objective_for: Made, shape_batch: Drawing) -> None:
    with torch.no_grad():
        small_blip.log_temperature.fill_(3.0)
    objective_for(small_blip)(shape_batch(4))
    assert small_blip.temperature.item() == pytest.approx(0.5)


def test_it_learns_to_match_and_to_read_from_the_image(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    batch = shape_batch(32)
    objective = objective_for(small_blip, alpha=0, hardness=0).train()
    optimizer = torch.optim.AdamW(small_blip.parameters(), lr=3e-3)
    for step in range(120):
        losses = objective(batch, step)
        optimizer.zero_grad()
        sum(losses.values()).backward()
        optimizer.step()
    objective.eval()
    with torch.no_grad():
        right, encoded = objective(batch, 0), objective.encode(batch)
        drawn = objective.draw(batch, encoded, 0)
        shuffled = replace(encoded, states=encoded.states.roll(5, dims=0))
        wrong = objective.read(batch, shuffled, drawn, torch.arange(32))
    assert right["itc"].item() < 1.5  # 3.47 is what ignorance pays
    assert right["itm"].item() < 0.5  # 0.6365 is what a constant pays
    assert right["mlm"].item() < wrong.item() - 0.05


def test_masked_words_are_told_by_the_momentum_model_as_far_as_alpha_says(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    batch = shape_batch(8)
    plain, told = (objective_for(small_blip, alpha=0.4, distil_words=how, epoch=4).eval() for how in (False, True))
    assert told.momentum is not None
    assert told(batch, 0)["mlm"].item() == pytest.approx(plain(batch, 0)["mlm"].item(), abs=1e-6)  # alpha is 0 there
    with torch.no_grad():
        told.momentum.towers.get_parameter("word_head.bias")[7] = 9.0  # it is sure of one piece
    first, later = plain(batch, 8), told(batch, 8)
    assert all(torch.equal(first[name], later[name]) for name in ("itc", "itm"))
    drawn = told.draw(batch, told.encode(batch), 8)
    own = small_blip.masked_words(told.encode(batch).states, drawn.hidden, batch.mask, drawn.chosen).log_softmax(-1)
    seen = told.see(batch, 8)
    assert seen is not None and seen.alpha == pytest.approx(0.4)
    belief = told.momentum.masked_words(seen.states, drawn.hidden, batch.mask, drawn.chosen).softmax(-1)
    mixed = 0.6 * first["mlm"] - 0.4 * (belief * own).sum(-1).mean()
    assert later["mlm"].item() == pytest.approx(mixed.item(), abs=1e-5)


def test_without_contrast_the_momentum_model_is_there_for_words_alone(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    objective = objective_for(small_blip, itc=0, itm=0, distil_words=True, queue=8).train()
    assert set(objective(shape_batch(4))) == {"mlm"} and objective.momentum and objective.queue.size == 0


@pytest.mark.parametrize("settings", [{"text_objective": "lm"}, {"alpha": 0.0}, {"text": 0.0}])
def test_words_that_nothing_can_tell_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="distil_words: needs text_objective=mlm, and alpha and text above 0"):
        ObjectiveSettings(distil_words=True, **settings)


CASES: dict[str, dict[str, Any]] = {
    "in batch": {"alpha": 0.0},
    "in parts, words by momentum": {"alpha": 0.4, "queue": 20, "momentum": 0.9, "distil_words": True},
    "momentum and queue": {"alpha": 0.4, "queue": 20, "momentum": 0.9},
    "in parts": {"alpha": 0.4, "queue": 20, "momentum": 0.9},
    "in parts, in batch": {"alpha": 0.0},
    "next words, a queue smaller than the batch": {"alpha": 0.4, "queue": 5, "text_objective": "lm"},
}
FLOAT = lower_precision("float32", torch.device("cpu"))
SHORT = 6  # pieces in the texts of the second half
Taken = list[dict[str, Tensor]]  # after each of two steps: losses, gradients and queue by name


def as_collated(batch: Batch) -> Batch:
    """As wide as its longest text."""
    width = int(batch.mask.sum(dim=1).max())
    return replace(batch, tokens=batch.tokens[:, :width], mask=batch.mask[:, :width])


def two_steps(settings: ModelSettings, masking: Masking, batch: Batch, case: str) -> Taken:
    """The batch is of 2n pairs; a worker among two takes its n, in parts or at once."""
    torch.manual_seed(0)
    chosen, in_parts = ObjectiveSettings(**CASES[case]), case.startswith("in parts")
    objective = BlipObjective(Blip(settings, chosen), chosen, masking=masking, queue=chosen.queue or 0, epoch=1)
    workers = dist.get_world_size() if dist.is_initialized() else 1
    rows = torch.arange(len(batch)).chunk(workers)[dist.get_rank() if workers > 1 else 0]
    taken: Taken = []
    for step in range(2):
        mine = as_collated(batch.at(rows))
        objective.zero_grad()
        if workers > 1 and in_parts:
            losses = backward_in_parts(objective, mine, parts=3, step=step, casts=FLOAT)
        else:
            losses = objective(mine, step)
            torch.stack([*losses.values()]).sum().backward()
        numbers = {name: loss.detach() for name, loss in losses.items()}
        numbers |= {name: p.grad for name, p in objective.model.named_parameters() if p.grad is not None}
        for value in numbers.values() if workers > 1 else ():
            dist.all_reduce(value)  # DistributedDataParallel takes the mean
            value /= workers
        taken.append({name: value.clone() for name, value in {**numbers, **objective.queue.state_dict()}.items()})
        with torch.no_grad():  # an optimiser's step, so that the momentum encoders lag behind
            for name, p in objective.model.named_parameters():
                if name in numbers:
                    p.sub_(numbers[name], alpha=0.1)
    return taken


def _one_of_two(rank: int, folder: str, settings: ModelSettings, masking: Masking, batch: Batch) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    found = {case: two_steps(settings, masking, batch, case) for case in CASES}
    torch.save(found, f"{folder}/{rank}.pt")
    dist.destroy_process_group()
    # Left to itself, torch 2.15 aborts in about one run of five as the interpreter ends, all its work done.
    os._exit(0)


def test_two_workers_have_the_losses_gradients_and_queue_of_one(
    small_blip: Blip, shape_batch: Callable[[int], Batch], objective_for: Callable[..., BlipObjective], tmp_path: Path
) -> None:
    batch, masking = shape_batch(16), objective_for(small_blip).masking
    assert set(batch.text_group[:8].tolist()) & set(batch.text_group[8:].tolist())  # equal texts in both halves
    batch.mask[8:, SHORT:], batch.tokens[8:, SHORT:] = False, 0
    set_forkserver_preload([__name__])  # both are forked from one process that has loaded torch
    args = (str(tmp_path), small_blip.settings, masking, batch)
    start_processes(_one_of_two, args=args, nprocs=2, start_method="forkserver")
    there = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    for case in CASES:
        here = two_steps(small_blip.settings, masking, batch, case)
        for step, expected in enumerate(here):
            for found in (worker[case][step] for worker in there):
                assert expected.keys() == found.keys()
                for name, value in expected.items():
                    assert torch.allclose(found[name].to(value.dtype), value, atol=2e-6), (case, step, name)


def test_pairs_of_one_figure_are_positives_where_fine_tuning_has_them_so(
    small_blip: Blip, objective_for: Made, shape_batch: Drawing
) -> None:
    batch = shape_batch(4)
    batch.figure_group[:] = 1
    apart, together = (objective_for(small_blip, alpha=0, siblings=how) for how in ("negatives", "positives"))
    batch.text_group[:] = torch.arange(4)
    image, text = apart.encode(batch).image, apart.encode(batch).text
    scores = (
        (image @ text.T / small_blip.temperature).log_softmax(1),
        (text @ image.T / small_blip.temperature).log_softmax(1),
    )
    assert apart(batch)["itc"].item() == pytest.approx(
        -sum(each.diagonal().mean().item() for each in scores) / 2, abs=1e-5
    )
    assert together(batch)["itc"].item() == pytest.approx(-sum(each.mean().item() for each in scores) / 2, abs=1e-5)
