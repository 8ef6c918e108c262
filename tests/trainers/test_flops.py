"""The operations counted from a shape are those that torch counts in the step itself."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.drawn import draw_batch
from core.config import override
from core.settings import Config
from trainers.blip import Blip
from trainers.evaluation.pool import embed
from trainers.evaluation.ranking import rank_all
from trainers.evaluation.rerank import match_pairs, wanted
from trainers.flops import evaluation_flops, layers, step_flops
from trainers.losses.masked import Masking
from trainers.mlip import Mlip
from trainers.objectives.blip import BlipObjective
from trainers.objectives.mlip import MlipObjective
from trainers.objectives.objective import Objective

PAIRS, TOKENS = 8, 24
SMALL = {
    "model.image_size": 64, "model.image_width": 96, "model.image_depth": 3, "model.image_heads": 3,
    "model.text_width": 64, "model.text_depth": 2, "model.text_heads": 2, "model.max_tokens": 40,
    "model.embedding": 64, "model.vocabulary": 200, "mlip.decoder_width": 32, "mlip.decoder_depth": 2,
    "mlip.decoder_heads": 2,
}  # fmt: skip


def counted(objective: Objective, config: Config) -> float:
    """What torch counts in a step, for each pair; all texts are equally long."""
    objective.train()
    batch = draw_batch(PAIRS, config.model, lengths=(TOKENS, TOKENS))
    with FlopCounterMode(display=False) as counter:
        losses = objective(batch, 1)
        sum(objective.weights[name] * loss for name, loss in losses.items()).backward()
    return counter.get_total_flops() / PAIRS


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"objective.text_objective": "lm", "objective.text": 1},
        {"objective.fusion_share": 0.25, "objective.alpha": 0, "objective.queue": 0},
        {"objective.text": 0},
    ],
)
def test_a_step_of_blip(changes: dict[str, float]) -> None:
    config = override(Config(), SMALL | changes)
    masking = Masking(probability=0.15, mask_id=4, special_ids=range(5), vocabulary=200)
    follows = config.objective.alpha > 0
    objective = BlipObjective(
        Blip(config.model, config.objective), config.objective, masking=masking, queue=16 if follows else 0, epoch=1
    )
    assert step_flops(config, TOKENS) == pytest.approx(counted(objective, config), rel=0.05)


def test_a_step_of_mlip() -> None:
    config = override(Config(), SMALL | {"objective.name": "mlip"})
    objective = MlipObjective(Mlip(config.model, config.mlip), config.mlip)
    assert step_flops(config, TOKENS) == pytest.approx(counted(objective, config), rel=0.05)


def test_retrieval_with_re_ranking() -> None:
    config = override(Config(), SMALL | {"evaluate.rerank": 2})
    model = Blip(config.model, config.objective).eval()
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        pool = embed(model, [draw_batch(PAIRS, config.model, lengths=(TOKENS, TOKENS))])
        pairs = wanted(rank_all(pool.image, pool.text, pool.text_group[None], nearest=2), k=2)
        match_pairs(model, [(0, pool.states)], pool.tokens, pool.mask, pairs)
    # Some candidates are asked for from both sides, and counted once by torch.
    assert counter.get_total_flops() / PAIRS <= evaluation_flops(config, TOKENS)
    assert counter.get_total_flops() / PAIRS > 0.6 * evaluation_flops(config, TOKENS)


def test_longer_texts_are_cut_where_the_model_cuts_them() -> None:
    config = override(Config(), SMALL)
    assert step_flops(config, 1000) == step_flops(config, 40) > step_flops(config, 20)


def test_a_layer_by_hand() -> None:
    # Four products of 10 x 8 by 8 x 8, two of 10 x 8 by 8 x 32, and 10 x 10 scores of 8 numbers, made and used.
    assert layers(10, 8, 1) == 4 * (2 * 10 * 8 * 8) + 2 * (2 * 10 * 8 * 32) + 2 * (2 * 10 * 10 * 8)
