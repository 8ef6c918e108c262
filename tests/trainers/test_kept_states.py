"""States of frozen encoders are made once, come back as they were, and are told apart by what goes in."""

from pathlib import Path

import torch
from torch import Tensor, nn

from trainers.kept_states import KeptStates, digest_of, keys_of

CPU = torch.device("cpu")


def test_what_is_kept_is_not_made_again_in_memory_or_on_disk(tmp_path: Path) -> None:
    given, asked = torch.randn(3, 4, 2, generator=torch.Generator().manual_seed(0)), []

    def make(rows: Tensor) -> Tensor:
        asked.append(rows.tolist())
        return given[rows]

    store = KeptStates(tmp_path)
    first = store.of(["a", "b", "a"], [4, 3, 4], make, CPU)
    assert asked == [[2, 1]] and torch.equal(first[0], given[2].half().float())  # equal keys are one
    assert (first[1, 3] == 0).all()  # beyond its length
    again = store.of(["b", "a"], [3, 4], make, CPU)
    elsewhere = KeptStates(tmp_path).of(["b", "a"], [3, 4], make, CPU)
    assert len(asked) == 1 and torch.equal(again, elsewhere) and torch.equal(again[1], given[2].half().float())


def test_the_oldest_go_where_memory_ends() -> None:
    store = KeptStates(most=2 * 4 * 2 * 2)  # bytes of two rows
    for key in "abc":
        store.of([key], [4], lambda rows: torch.zeros(1, 4, 2), CPU)
    assert list(store.states) == ["b", "c"] and store.held == 32


def test_keys_and_digests_differ_where_anything_differs() -> None:
    images = torch.zeros(3, 2, 2)
    images[1, 0, 0] = 1e-6
    keys = keys_of(images)
    assert keys[0] == keys[2] != keys[1]
    assert keys_of(images, torch.tensor([[0], [0], [1]]))[0] != keys_of(images, torch.tensor([[0], [0], [1]]))[2]
    one = nn.Linear(2, 2)
    before = digest_of(one)
    nn.init.zeros_(one.bias)
    assert digest_of(one) != before and digest_of(one, without="bias") == digest_of(one, without="bias")
