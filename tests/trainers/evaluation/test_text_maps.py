"""Where a model sees a whole text: Grad-CAM of BLIP, cosines of MLIP, nothing of one without either."""

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.settings import ObjectiveSettings
from tests.trainers.conftest import SMALL, SMALL_MLIP
from trainers.blip import Blip
from trainers.evaluation.text_maps import text_maps, warmth
from trainers.mlip import Mlip


def test_each_kind_has_its_own_maps(tokenizer: PreTrainedTokenizerFast) -> None:
    torch.manual_seed(0)
    image = torch.rand(1, 3, SMALL.image_size, SMALL.image_size) * 2 - 1
    side = SMALL.image_size // SMALL.patch
    for model in (Blip(SMALL, ObjectiveSettings()), Mlip(SMALL, SMALL_MLIP)):
        maps = text_maps(model.eval(), tokenizer, image, ["A red disc.", "Nothing."])
        assert maps is not None and [tuple(each.shape) for each in maps] == [(side, side)] * 2
        assert all(each.max() <= 1 and each.min() >= 0 for each in maps)
    assert text_maps(Blip(SMALL, ObjectiveSettings(itm=0)).eval(), tokenizer, image, ["A red disc."]) is None


def test_warmth_begins_at_the_median_and_ends_at_the_maximum() -> None:
    assert warmth(torch.tensor([[-1.0, 0.0], [0.0, 2.0]])).tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert warmth(torch.tensor([[0.1, 0.2, 0.3], [0.4, 0.6, 0.9]]) - 5).tolist()[1] == pytest.approx([1 / 6, 0.5, 1])
    assert warmth(torch.full((2, 2), 0.3)).tolist() == [[0.0, 0.0], [0.0, 0.0]]
