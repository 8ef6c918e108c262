"""Image-text contrast against a loop, and over two processes."""

import math
import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from torch import Tensor
from torch.multiprocessing.spawn import spawn
from torch.nn.functional import normalize

from trainers.losses.contrastive import image_text_contrast


def by_loop(image: Tensor, text: Tensor, group: list[int], temperature: float) -> float:
    """BLIP's formula pair by pair; positives share the target."""
    n, total = len(group), 0.0
    for rows, columns in ((image, text), (text, image)):
        for i in range(n):
            exps = [math.exp(float(rows[i] @ columns[j]) / temperature) for j in range(n)]
            positives = [j for j in range(n) if group[j] == group[i]]
            total -= sum(math.log(exps[j] / sum(exps)) / len(positives) for j in positives) / n / 2
    return total


def embeddings(n: int) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    return tuple(normalize(torch.randn(n, 8, generator=generator), dim=1) for _ in range(2))  # type: ignore[return-value]


@pytest.mark.parametrize("group", [[0, 1, 2, 3, 4, 5], [0, 1, 0, 2, 0, 1]])
def test_contrast_is_the_papers_sum(group: list[int]) -> None:
    image, text = embeddings(6)
    loss = image_text_contrast(image, text, torch.tensor(group), torch.tensor(0.1))
    assert loss.item() == pytest.approx(by_loop(image, text, group, 0.1), abs=1e-5)


def test_a_model_that_knows_nothing_pays_the_logarithm_of_the_batch() -> None:
    same = normalize(torch.ones(64, 8), dim=1)
    loss = image_text_contrast(same, same, torch.arange(64), torch.tensor(0.07))
    assert loss.item() == pytest.approx(math.log(64), abs=1e-5)


def test_pairs_with_equal_texts_do_not_repel() -> None:
    image, text = embeddings(2)
    twin = text[:1].repeat(2, 1).requires_grad_()
    image_text_contrast(image[:1].repeat(2, 1), twin, torch.tensor([5, 5]), torch.tensor(0.1)).backward()
    assert twin.grad is not None and twin.grad.abs().max() < 1e-6


def _one_of_two(rank: int, folder: str) -> None:
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    weight = torch.eye(8, requires_grad=True)
    image, text = embeddings(6)
    mine = slice(3 * rank, 3 * rank + 3)
    group = torch.tensor([0, 1, 2, 3, 1, 4])
    loss = image_text_contrast(image[mine] @ weight, text[mine], group[mine], torch.tensor(0.1))
    loss.backward()
    assert weight.grad is not None
    for value in (weight.grad, loss.detach()):
        dist.all_reduce(value)  # DistributedDataParallel takes the mean
    if rank == 0:
        torch.save([loss.detach() / 2, weight.grad / 2], folder + "/both.pt")
    dist.destroy_process_group()
    # Left to itself, torch 2.15 aborts in about one run of five as the interpreter ends, all its work done.
    os._exit(0)


def test_two_workers_have_the_loss_and_gradient_of_one(tmp_path: Path) -> None:
    spawn(_one_of_two, args=(str(tmp_path),), nprocs=2)
    weight = torch.eye(8, requires_grad=True)
    image, text = embeddings(6)
    loss = image_text_contrast(image @ weight, text, torch.tensor([0, 1, 2, 3, 1, 4]), torch.tensor(0.1))
    loss.backward()
    there_loss, there_gradient = torch.load(tmp_path / "both.pt", weights_only=True)
    assert there_loss.item() == pytest.approx(loss.item(), abs=1e-6)
    assert weight.grad is not None and torch.allclose(there_gradient, weight.grad, atol=1e-6)
