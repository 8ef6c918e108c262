"""What every objective promises: losses by name, whole or in parts; a temperature within its bounds."""

from collections.abc import Callable

import torch

from trainers.batch import Batch
from trainers.objectives.mlip import MlipObjective
from trainers.objectives.objective import rank, workers


def test_losses_add_up_over_the_parts_of_a_batch(
    mlip_for: Callable[..., MlipObjective], report_batch: Callable[[int], Batch]
) -> None:
    objective, batch = mlip_for(), report_batch(12)
    whole, encoded = objective(batch, 3), objective.encode(batch, 3)
    shares: dict[str, float] = {}
    for name, term in objective.terms(batch, encoded, 3, parts=5):
        shares[name] = shares.get(name, 0.0) + term().item()
    assert set(shares) == set(whole) == {"v2t", "t2v", "spm", "mip"}
    assert all(abs(shares[name] - whole[name].item()) < 1e-5 for name in whole)


def test_a_learnable_temperature_stays_within_its_bounds(
    mlip_for: Callable[..., MlipObjective], report_batch: Callable[[int], Batch]
) -> None:
    objective = mlip_for(learn_temperature=True)
    with torch.no_grad():
        objective.model.log_temperature.fill_(3.0)
    objective.begin_step()
    assert objective.model.temperature.item() <= 0.5 + 1e-6


def test_alone_there_is_one_worker_and_it_is_the_first() -> None:
    assert (rank(), workers()) == (0, 1)
