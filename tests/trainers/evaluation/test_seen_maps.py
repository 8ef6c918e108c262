"""Maps by what is seen: a model that knows where to look is found out, whatever its patches have become."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize
from transformers import PreTrainedTokenizerFast

from core.records import Radiograph
from core.settings import ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.evaluation.retrieval import LeakError
from trainers.evaluation.seen_maps import point_seen, prompt_vector, seen_maps
from trainers.evaluation.sentence_maps import point_by

SMALL = ModelSettings(
    image_size=64, patch=8, image_width=16, image_depth=1, image_heads=2,
    text_width=16, text_depth=1, text_heads=2, max_tokens=16, embedding=2, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip


class Brightest(Blip):
    """A model whose every state is the brightness of the brightest patch that it sees."""

    def image_states(self, images: Tensor, kept: Tensor | None = None) -> Tensor:
        assert kept is not None
        bright = avg_pool2d(images[:, :1], self.settings.patch).flatten(1).gather(1, kept).max(dim=1).values
        return torch.stack([bright + 1, torch.ones_like(bright)], dim=-1)[:, None].expand(-1, 1 + kept.shape[1], -1)

    def image_vectors(self, states: Tensor) -> Tensor:
        return states[:, 0]


@pytest.fixture
def model() -> Blip:
    return Brightest(SMALL, ObjectiveSettings()).eval()


def test_the_patch_that_matters_is_found(model: Blip) -> None:
    images = torch.full((2, 3, 64, 64), -1.0)
    images[0, :, 16:24, 40:48] = 1.0  # the patch of row 2, column 5
    images[1, :, 56:64, 0:8] = 1.0  # of row 7, column 0
    maps = seen_maps(model, images, torch.tensor([[1.0, 0.0], [0.0, 1.0]]), views=64, seed=0)
    assert maps.shape == (2, 2, 64)
    assert maps[:, 0].argmax(dim=-1).tolist() == [2 * 8 + 5, 7 * 8]
    assert maps[:, 1].argmin(dim=-1).tolist() == [2 * 8 + 5, 7 * 8]  # that text is further off for it


def test_a_map_is_the_difference_of_two_means(model: Blip) -> None:
    image = torch.rand(1, 3, 64, 64)
    text = normalize(torch.tensor([[1.0, 0.3]]), dim=-1)
    draw = torch.Generator().manual_seed(3)
    views = [torch.randperm(64, generator=draw)[:32] for _ in range(40)]
    scores = [normalize(model.image_vectors(model.image_states(image, view[None])), dim=-1) @ text[0] for view in views]
    expected = [
        torch.stack([score for score, view in zip(scores, views) if place in view]).mean()
        - torch.stack([score for score, view in zip(scores, views) if place not in view]).mean()
        for place in range(64)
    ]
    torch.testing.assert_close(seen_maps(model, image, text, views=40, seed=3)[0, 0], torch.stack(expected))


def test_a_finding_is_pointed_at(
    model: Blip,
    disc_films: Callable[[str, range], list[Radiograph]],
    write_films: Callable[[str, Sequence[Radiograph]], list[str]],
) -> None:
    files = write_films("test", disc_films("test", range(40)))
    text = torch.tensor([[1.0, 0.0]])
    found = point_by(
        lambda images: seen_maps(model, images, text, views=64, seed=0),
        ["Disc"],
        settings=SMALL,
        files=files,
        batch_size=8,
        resamples=0,
        seed=0,
    )
    assert found.overall.hit_rate > 0.9


def test_prompts_that_say_the_same_are_one_direction(tokenizer: PreTrainedTokenizerFast) -> None:
    model = Blip(SMALL, ObjectiveSettings()).eval()
    one, other = (prompt_vector(model, tokenizer, [text]) for text in ("A red disc.", "A green square."))
    both = prompt_vector(model, tokenizer, ["A red disc.", "A green square."])
    torch.testing.assert_close(both, normalize(one + other, dim=0))


def test_a_model_is_not_asked_for_what_it_learnt_from(
    tokenizer: PreTrainedTokenizerFast,
    disc_films: Callable[[str, range], list[Radiograph]],
    write_films: Callable[[str, Sequence[Radiograph]], list[str]],
    tmp_path: Path,
) -> None:
    films = disc_films("test", range(4))
    model = Blip(SMALL, ObjectiveSettings())
    seen = [films[0].patient_id]
    save_model(tmp_path / "model", model, settings=(SMALL, ObjectiveSettings()), tokenizer=tokenizer, articles=seen)
    files = write_films("seen", films)
    with pytest.raises(LeakError):
        point_seen(
            tmp_path / "model", files=files, prompts={"Disc": ["A red disc."]}, batch_size=4, resamples=0, seed=0
        )
