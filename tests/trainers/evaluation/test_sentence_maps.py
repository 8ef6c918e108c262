"""Maps of sentences: cosines worked by hand, a model that knows the truth points at it, one that knows nothing not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, normalize
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Radiograph, Region
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.blip import Blip
from trainers.checkpoint import save_model
from trainers.evaluation.retrieval import LeakError
from trainers.evaluation.sentence_maps import (
    Pointing,
    cosines,
    difference_maps,
    hits,
    mean_iou,
    phi_grid,
    point,
    point_by,
    prompt_maps,
    sentence_vectors,
)
from trainers.mlip import Mlip

Films = Callable[[str, range], list[Radiograph]]
Writer = Callable[[str, Sequence[Radiograph]], list[str]]
SMALL = ModelSettings(
    image_size=64, patch=8, image_width=16, image_depth=1, image_heads=2,
    text_width=16, text_depth=1, text_heads=2, max_tokens=16, embedding=2, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip
PROMPTS = {"Disc": ["A red disc."]}


class Bright(Mlip):
    """A model to which any sentence means brightness."""

    def patches(self, images: Tensor) -> Tensor:
        bright = avg_pool2d(images[:, :1], self.settings.patch).flatten(1)
        return torch.stack([bright + 1, torch.ones_like(bright)], dim=-1)

    def sentences(self, tokens: Tensor, mask: Tensor, sentence_of: Tensor) -> tuple[Tensor, Tensor]:
        return torch.tensor([[[1.0, 0.0]]]).expand(len(tokens), 1, 2), (sentence_of >= 0).any(dim=1, keepdim=True)


class Random(Mlip):
    """A model to which patches and sentences mean anything."""

    def patches(self, images: Tensor) -> Tensor:
        generator = torch.Generator().manual_seed(int(images.sum().abs() * 1000))
        return torch.randn(len(images), 64, 2, generator=generator)


@pytest.fixture
def films(disc_films: Films, write_films: Writer) -> list[str]:
    return write_films("test", disc_films("test", range(80)))


def pointed(model: Mlip, tokenizer: PreTrainedTokenizerFast, files: list[str], **settings: Any) -> Pointing:
    usual: dict[str, Any] = {"prompts": PROMPTS, "against": None, "batch_size": 32, "resamples": 200, "seed": 0}
    asked = usual | settings
    prompts, against = asked.pop("prompts"), asked.pop("against")
    maps = cosines(model.eval(), tokenizer, prompts, against)
    return point_by(maps, list(prompts), settings=model.settings, files=files, **asked)


def made(kind: type[Mlip], **settings: Any) -> Mlip:
    torch.manual_seed(0)
    return kind(SMALL.model_copy(update=settings), MlipSettings(mip=0))


def test_a_model_that_knows_the_truth_always_points_at_it(tokenizer: PreTrainedTokenizerFast, films: list[str]) -> None:
    found = pointed(made(Bright), tokenizer, films)
    assert found.overall.hit_rate == 1.0 and found.overall.n == 40
    assert list(found.by_finding) == ["Disc"] and found.by_finding["Disc"] == found.overall
    assert found.overall.ratio == pytest.approx(1 / found.overall.random_rate)
    # Discs of 8 to 14 px in radius on 80 x 64 px.
    assert 0.04 < found.overall.random_rate < 0.12
    assert found.overall.interval is not None
    assert found.overall.interval[0] < found.overall.ratio < found.overall.interval[1]


def test_a_model_that_knows_nothing_points_as_at_random(
    tokenizer: PreTrainedTokenizerFast, disc_films: Films, write_films: Writer
) -> None:
    found = pointed(made(Random), tokenizer, write_films("many", disc_films("many", range(600))), resamples=0)
    # One patch in five lies beside the image, in the letterbox.
    assert found.overall.hit_rate == pytest.approx(0.8 * found.overall.random_rate, abs=0.04)
    assert found.overall.interval is None


def test_a_map_is_the_cosine_of_each_patch_and_the_sentence_mean(
    tokenizer: PreTrainedTokenizerFast, disc_films: Films
) -> None:
    model = made(Mlip, embedding=12, max_tokens=24).eval()
    images = torch.rand(3, 3, 64, 64)
    prompts = ["A red disc.", "A green square in the upper part."]
    maps = prompt_maps(model, tokenizer, images, prompts)
    assert maps.shape == (3, 8, 8) and not maps.requires_grad
    patches, sum_of = model.patches(images), torch.zeros(3, 64)
    for prompt in prompts:
        tokens = torch.tensor([tokenizer(prompt)["input_ids"]])
        states = model.text_encoder(tokens, torch.ones_like(tokens, dtype=torch.bool))[0, 1:-1]  # no [CLS], no [SEP]
        sum_of += normalize(patches, dim=-1) @ normalize(model.text_head(states.mean(dim=0)), dim=0)
    torch.testing.assert_close(maps, sum_of.view(3, 8, 8) / 2)
    difference = difference_maps(model, tokenizer, images, positive=prompts[:1], negative=prompts[1:])
    torch.testing.assert_close((maps * 2 - difference) / 2, prompt_maps(model, tokenizer, images, prompts[1:]))


def test_prompts_against_are_taken_away(tokenizer: PreTrainedTokenizerFast, films: list[str]) -> None:
    nothing_left = pointed(made(Bright), tokenizer, films, against=PROMPTS)
    assert nothing_left.overall.hit_rate < 0.2  # every map is 0, and the first patch as good as any


def test_regions_of_one_finding_in_one_film_are_one(
    tokenizer: PreTrainedTokenizerFast, disc_films: Films, write_films: Writer
) -> None:
    film = disc_films("test", range(1, 2))[0]
    disc = film.regions[0]
    elsewhere = Region(target="Disc", box=(0, 0, 20, 20))
    two = replace(film, regions=[elsewhere, disc])
    found = pointed(made(Bright), tokenizer, write_films("two", [two]), resamples=0)
    alone = pointed(made(Bright), tokenizer, write_films("one", [film]), resamples=0)
    assert (found.overall.n, found.overall.hit_rate) == (1, 1.0)
    assert found.overall.random_rate > alone.overall.random_rate
    boxed = replace(film, regions=[replace(disc, mask=None)])
    by_box = pointed(made(Bright), tokenizer, write_films("boxed", [boxed]), resamples=0)
    assert by_box.overall.hit_rate == 1.0 and by_box.overall.random_rate > alone.overall.random_rate


def test_findings_without_a_prompt_or_too_small_for_a_patch_are_left_out(
    tokenizer: PreTrainedTokenizerFast, disc_films: Films, write_films: Writer
) -> None:
    film = disc_films("test", range(1, 2))[0]
    small = Region(target="Nodule", box=(30, 30, 31, 31))
    files = write_films("small", [replace(film, regions=[*film.regions, small])])
    prompts = {"Disc": ["A red disc."], "Nodule": ["A white disc."], "Bar": ["A bar."]}
    found = pointed(made(Bright), tokenizer, files, prompts=prompts, resamples=0)
    assert (found.overall.n, found.overall.too_small) == (1, 1) and list(found.by_finding) == ["Disc"]
    with pytest.raises(UserError, match="no radiograph has a region of a finding that there is a prompt for"):
        pointed(made(Bright), tokenizer, files, prompts={"Bar": ["A bar."]})


def test_a_prompt_that_is_not_read_whole_is_refused(tokenizer: PreTrainedTokenizerFast) -> None:
    for prompt in ("", "disc " * 30):
        with pytest.raises(UserError, match="has no words, or more than 16 pieces"):
            sentence_vectors(made(Mlip), tokenizer, ["A red disc.", prompt])


def test_the_warmest_patch_alone_counts() -> None:
    inside = torch.tensor([[False, True], [False, False]]).numpy()
    assert hits(torch.tensor([0.1, 0.9, 0.2, 0.3]), inside)
    assert not hits(torch.tensor([[0.95, 0.9], [0.2, 0.3]]), inside)


def test_a_saved_model_points_only_at_patients_it_has_not_learnt_from(
    tokenizer: PreTrainedTokenizerFast, films: list[str], tmp_path: Path
) -> None:
    plan: dict[str, Any] = {"files": films, "prompts": PROMPTS, "batch_size": 32, "resamples": 0, "seed": 0}
    groups = (SMALL, ObjectiveSettings(name="mlip"), MlipSettings(mip=0))
    save_model(tmp_path / "m", made(Mlip), settings=groups, tokenizer=tokenizer, articles=["train-p1"])
    assert point(tmp_path / "m", **plan).overall.n == 40
    save_model(tmp_path / "m", made(Mlip), settings=groups, tokenizer=tokenizer, articles=["test-p1"])
    with pytest.raises(LeakError, match="test-p1"):
        point(tmp_path / "m", **plan)
    blip = (SMALL, ObjectiveSettings())
    save_model(tmp_path / "b", Blip(*blip), settings=blip, tokenizer=tokenizer, articles=[])
    with pytest.raises(UserError, match="its maps are those of Grad-CAM"):
        point(tmp_path / "b", **plan)


def test_phi_lies_row_by_row_less_its_mean_by_its_deviation() -> None:
    grid = phi_grid(torch.tensor([1.0, 1.0, 1.0, 5.0]))
    torch.testing.assert_close(grid, torch.tensor([[-1.0, -1.0], [-1.0, 3.0]]) / 3**0.5)
    torch.testing.assert_close(phi_grid(7 + 0.1 * torch.tensor([1.0, 1.0, 1.0, 5.0])), grid)
    assert phi_grid(torch.zeros(9)).tolist() == [[0.0] * 3] * 3


def test_mean_iou_counts_patches_above_five_thresholds() -> None:
    """Of 0, .15, .35 and 1, inside the last two: unions of 3, 2, 2, 2 (.35 is above .3) and at .4 and .5 one of two."""
    heat, inside = torch.tensor([0.0, 0.15, 0.35, 1.0]), np.array([False, False, True, True])
    assert mean_iou(heat, inside) == pytest.approx((2 / 3 + 1 + 1 + 0.5 + 0.5) / 5)
    assert mean_iou(torch.zeros(4), inside) == pytest.approx(0.0)
