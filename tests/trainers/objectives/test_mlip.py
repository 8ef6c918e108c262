"""MLIP's objective: what the encoder sees, what each loss heeds, and what several workers share."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import set_forkserver_preload
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import start_processes
from torch.nn.functional import cross_entropy

from core.settings import OptimSettings, TrainSettings
from trainers.accumulate import average_gradients, backward_in_parts
from trainers.batch import Batch
from trainers.loop import Plan, begin, lower_precision, train_step
from trainers.losses.reconstruction import patchify
from trainers.losses.transport import cosine_cost, transport_costs
from trainers.objectives.mlip import MlipObjective, kept_patches

Made = Callable[..., MlipObjective]
Batches = Callable[[int], Batch]
PLAN = Plan(
    optim=OptimSettings(lr=1e-3, warmup_steps=0),
    train=TrainSettings(log_seconds=1e-9, checkpoint_minutes=1e9),
    steps_per_epoch=10,
    total_steps=60,
)


@contextmanager
def seen_by_block_0(objective: MlipObjective) -> Iterator[list[int]]:
    """How many tokens enter the image encoder's first block, call by call."""
    seen: list[int] = []
    block = objective.model.image_encoder.blocks[0]
    handle = block.register_forward_pre_hook(lambda module, given: seen.append(given[0].shape[1]))
    yield seen
    handle.remove()


@pytest.mark.parametrize(("ratio", "visible"), [(0.5, 98), (0.75, 49), (0.0, 196)])
def test_the_first_block_sees_the_class_token_and_the_kept_patches_alone(
    mlip_for: Made, report_batch: Batches, ratio: float, visible: int
) -> None:
    objective = mlip_for(model={"image_size": 112, "patch": 8}, mask_ratio=ratio)  # 14 x 14 patches, as 224 by 16
    batch = replace(report_batch(4), images=torch.rand(4, 3, 112, 112))
    with seen_by_block_0(objective) as seen:
        objective.train()(batch)
        objective.eval()(batch)
        objective.model.embed_images(batch.images)
    assert seen == [1 + visible, 197, 197]


def test_hidden_pixels_reach_neither_encoder_nor_contrast_but_the_loss_of_reconstruction(
    mlip_for: Made, report_batch: Batches
) -> None:
    objective, batch = mlip_for(), report_batch(6)
    hidden = torch.ones(6, 16, dtype=torch.bool).scatter(1, objective.kept(batch, 0), False)
    noise = torch.zeros_like(patchify(batch.images, 8)).masked_fill(hidden[..., None], 0.7)
    cells = noise.view(6, 4, 4, 8, 8, 3).permute(0, 5, 1, 3, 2, 4).reshape(6, 3, 32, 32)
    changed = replace(batch, images=batch.images + cells)
    before, after = objective(batch), objective(changed)
    assert all(torch.equal(before[name], after[name]) for name in ("v2t", "t2v", "spm"))
    assert after["mip"] != before["mip"]


def test_each_image_has_one_mask_and_every_step_another(mlip_for: Made, report_batch: Batches) -> None:
    objective, batch = mlip_for(), report_batch(6)
    first = objective.kept(batch, 0)
    assert torch.equal(first, objective.kept(batch, 0)) and not torch.equal(first, objective.kept(batch, 1))
    assert torch.equal(objective.kept(batch.at(torch.tensor([4, 2])), 0), first[[4, 2]])
    assert len({tuple(row) for row in first.tolist()}) > 1
    assert first.shape == (6, 8) and all(len(set(row)) == 8 for row in first.tolist())


def test_masks_keep_every_patch_equally_often() -> None:
    kept = kept_patches([f"pair {n}" for n in range(4000)], "0:0", patches=16, kept=8)
    often = kept.flatten().bincount(minlength=16) / 4000
    assert (often - 0.5).abs().max() < 0.04


def test_without_weights_and_at_unit_temperature_it_is_the_plain_contrast(
    mlip_for: Made, report_batch: Batches
) -> None:
    objective, batch = mlip_for(integrity="off", spm=0, mip=0), report_batch(8)
    losses, encoded = objective(batch), objective.encode(batch)
    scores = encoded.image @ encoded.text.T / 0.4
    assert set(losses) == {"v2t", "t2v"}
    assert losses["v2t"].item() == pytest.approx(cross_entropy(scores, torch.arange(8)).item(), abs=1e-6)
    assert losses["t2v"].item() == pytest.approx(cross_entropy(scores.T, torch.arange(8)).item(), abs=1e-6)


def test_pairs_with_the_same_text_are_negatives_as_published_or_nothing(mlip_for: Made, report_batch: Batches) -> None:
    batch = report_batch(8)
    twice = replace(batch, text_group=torch.zeros_like(batch.text_group))
    published, lenient = mlip_for(), mlip_for(equal_texts="left_out")
    assert published(twice)["v2t"] > 1.0
    assert lenient(twice)["v2t"].item() == pytest.approx(0.0, abs=1e-6)  # nobody is left to be told from


@pytest.mark.parametrize("name", ["v2t", "t2v", "spm", "mip"])
def test_a_loss_with_weight_0_is_not_computed(mlip_for: Made, report_batch: Batches, name: str) -> None:
    assert name not in mlip_for(**{name: 0})(report_batch(4))


def test_a_report_without_a_whole_sentence_is_left_out_of_matching(mlip_for: Made, report_batch: Batches) -> None:
    objective, batch = mlip_for(), report_batch(6)
    without = replace(batch, sentence_of=batch.sentence_of.clone())
    without.sentence_of[[1, 4]] = -1
    objective.eval()  # one and the same mask
    others = objective(batch.at(torch.tensor([0, 2, 3, 5])))["spm"]
    assert objective(without)["spm"].item() == pytest.approx(others.item(), abs=1e-6)
    without.sentence_of[:] = -1
    assert objective(without)["spm"].item() == 0.0


def test_with_negatives_an_image_is_to_choose_its_own_report_by_cost(mlip_for: Made, report_batch: Batches) -> None:
    objective, batch = mlip_for(spm_negatives=2).eval(), report_batch(6)
    encoded = objective.encode(batch)
    sentences, present = objective.model.local_texts(encoded.text_states, batch.sentence_of)
    local, losses = objective.model.local_images(encoded.image_states), []
    for image in range(6):
        costs = [
            transport_costs(
                cosine_cost(local[image : image + 1], sentences[[other % 6]]), present[[other % 6]],
                solver="ipot", beta=0.5, steps=50,
            )
            for other in (image, image + 1, image + 2)
        ]  # fmt: skip
        losses.append(cross_entropy(-torch.stack(costs, dim=1) / 0.4, torch.tensor([0])).item())
    assert objective(batch)["spm"].item() == pytest.approx(sum(losses) / 6, abs=1e-5)


def test_among_all_reports_those_with_an_equal_text_are_no_negatives(mlip_for: Made, report_batch: Batches) -> None:
    batch = report_batch(6)
    batch.text_group[:] = torch.tensor([1, 2, 1, 3, 4, 5])
    objective = mlip_for(spm_negatives="all", patch_sums="free", patch_temperature=0.2).eval()
    encoded = objective.encode(batch)
    sentences, present = objective.model.local_texts(encoded.text_states, batch.sentence_of)
    local, losses = objective.model.local_images(encoded.image_states), []
    for image in range(6):
        others = [n for n in range(6) if n != image and batch.text_group[n] != batch.text_group[image]]
        costs = []
        for report in (image, *others):
            there = sentences[report, present[report]]
            cost = cosine_cost(local[[image]], there[None])[0]  # (K, S)
            costs.append(((cost / -0.2).softmax(dim=0) * cost).sum(dim=0).mean())
        losses.append(cross_entropy(-torch.stack(costs)[None] / 0.4, torch.tensor([0])).item())
    assert objective(batch)["spm"].item() == pytest.approx(sum(losses) / 6, abs=1e-5)


def test_few_masks_are_the_same_for_every_seed(mlip_for: Made, report_batch: Batches) -> None:
    batch, drawn = report_batch(4), set()
    for seed in (0, 1):
        objective = mlip_for(masks=2).train()
        objective.seed = seed
        drawn |= {tuple(objective.kept(batch, step).flatten().tolist()) for step in range(12)}
    assert len(drawn) == 2


def test_phi_learns_in_a_group_of_its_own_without_decay(mlip_for: Made, report_batch: Batches) -> None:
    objective, batch = mlip_for(phi_rate=10.0), report_batch(8)
    plan = replace(PLAN, optim=OptimSettings(lr=1e-3, warmup_steps=0, weight_decay=0.5))
    progress = begin(objective, plan)
    train_step(objective, batch, progress=progress, plan=plan)
    (group,) = (
        each for each in progress.optimizer.param_groups if any(p is objective.model.phi for p in each["params"])
    )
    assert len(group["params"]) == 1 and group["weight_decay"] == 0.0
    assert group["lr"] == pytest.approx(10 * progress.optimizer.param_groups[0]["lr"])
    assert objective.model.phi.abs().max() > 0
    assert {"w_min", "w_mean", "w_max", "w_entropy"} <= set(objective.watched)
    assert objective.watched["w_mean"].item() == pytest.approx(1 + 1 / 8, abs=0.02)


def test_phi_rests_where_integrity_is_off(mlip_for: Made, report_batch: Batches) -> None:
    objective = mlip_for(integrity="off")
    assert not objective.model.phi.requires_grad
    objective(report_batch(4))
    assert "w_mean" not in objective.watched


def test_every_weight_gets_a_gradient(mlip_for: Made, report_batch: Batches) -> None:
    objective = mlip_for(model={"pool": "all", "text_pool": "pooler"})
    sum(objective(report_batch(8)).values(), torch.zeros(())).backward()
    learnt = {name: p for name, p in objective.named_parameters() if p.requires_grad}
    assert [name for name, p in learnt.items() if p.grad is None or not p.grad.any()] == []


def test_two_passes_in_evaluation_are_one(mlip_for: Made, report_batch: Batches) -> None:
    objective, batch = mlip_for(model={"dropout": 0.2}).eval(), report_batch(4)
    first, second = objective.encode(batch, 0), objective.encode(batch, 1)
    assert torch.equal(first.image, second.image) and torch.equal(first.text, second.text)


def test_it_learns_pairs_by_heart_and_right_sentences_cost_less_than_others(
    mlip_for: Made, report_batch: Batches
) -> None:
    objective, batch = mlip_for(temperature=0.07, mask_ratio=0, mip=0, equal_texts="left_out"), report_batch(16)
    plan = replace(PLAN, optim=OptimSettings(lr=3e-3, warmup_steps=10), total_steps=101)
    progress = begin(objective, plan)
    records = [train_step(objective, batch, progress=progress, plan=plan) for _ in range(plan.total_steps)]
    first, last = records[0], records[-1]
    assert last["v2t"] < 0.75 * first["v2t"]
    assert last["spm_own"] < 0.6 * last["spm_shuffled"]  # had all states become one, the two would be the same


def test_parts_give_the_gradients_of_the_whole_batch(mlip_for: Made, report_batch: Batches) -> None:
    batch, whole, parted = report_batch(12), mlip_for(), mlip_for()
    losses = whole(batch, 5)
    torch.stack([*losses.values()]).sum().backward()
    found = backward_in_parts(parted, batch, parts=4, step=5, casts=lower_precision("float32", torch.device("cpu")))
    assert found.keys() == losses.keys()
    for name in losses:
        assert found[name].item() == pytest.approx(losses[name].item(), abs=1e-5)
    for (name, one), (_, other) in zip(whole.named_parameters(), parted.named_parameters(), strict=True):
        if one.grad is not None:
            assert other.grad is not None and torch.allclose(one.grad, other.grad, atol=1e-5), name


def step_of(objective: MlipObjective, batch: Batch) -> tuple[dict[str, float], dict[str, Tensor]]:
    losses = objective(batch, 2)
    torch.stack([*losses.values()]).sum().backward()
    gradients = {name: p.grad for name, p in objective.named_parameters() if p.grad is not None}
    return {name: loss.item() for name, loss in losses.items()}, gradients


def one_of_two(worker: int, objectives: Sequence[MlipObjective], batch: Batch, where: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{where}/meet", rank=worker, world_size=2)
    told = []
    for objective in objectives:
        losses = objective(batch.at(torch.arange(worker * 6, worker * 6 + 6)), 2)
        torch.stack([*losses.values()]).sum().backward()
        average_gradients(objective)
        gradients = {name: p.grad for name, p in objective.named_parameters() if p.grad is not None}
        told.append(({name: loss.item() for name, loss in losses.items()}, gradients))
    torch.save(told, f"{where}/{worker}.pt")
    dist.destroy_process_group()


def test_two_workers_have_the_losses_and_gradients_of_one(
    mlip_for: Made, report_batch: Batches, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases: list[dict[str, Any]] = [{}, {"integrity": "softmax_n", "t2v_weight": "image", "spm_negatives": 3}]
    monkeypatch.setitem(os.environ, "OMP_NUM_THREADS", "1")
    batch = report_batch(12)
    batch.sentence_of[[0, 1, 7]] = -1  # the workers have unlike numbers of readable reports
    ones, twos = [mlip_for(**each) for each in cases], [mlip_for(**each) for each in cases]
    for one, two in zip(ones, twos, strict=True):
        torch.nn.init.normal_(one.model.phi, std=0.3)
        two.load_state_dict(one.state_dict())
    set_forkserver_preload([__name__])  # both are forked from one process that has loaded torch
    start_processes(one_of_two, args=(twos, batch, str(tmp_path)), nprocs=2, start_method="forkserver")
    told = [torch.load(tmp_path / f"{worker}.pt", weights_only=True) for worker in range(2)]
    for number, one in enumerate(ones):
        losses, gradients = step_of(one, batch)
        found = [each[number] for each in told]
        for name, loss in losses.items():
            assert sum(each[0][name] for each in found) / 2 == pytest.approx(loss, abs=2e-6), (number, name)
        for name, gradient in gradients.items():
            assert torch.allclose(found[0][1][name], gradient, atol=2e-6), (number, name)
            assert torch.equal(found[0][1][name], found[1][1][name]), (number, name)
