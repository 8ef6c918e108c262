"""Segmentation from few labels: bright discs are outlined, few patients are used, and empties do not hide failure."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import PreTrainedTokenizerFast

from core.config import UserError
from core.records import Radiograph
from core.settings import MlipSettings, ModelSettings, ObjectiveSettings
from trainers.checkpoint import save_model
from trainers.evaluation.retrieval import LeakError
from trainers.evaluation.segmentation import (
    THRESHOLDS,
    Segmentation,
    SegmentationPlan,
    best_thresholds,
    draw_patients,
    segment,
    segment_with,
    summarise,
)
from trainers.mlip import Mlip

Films = Callable[[str, range], list[Radiograph]]
Writer = Callable[[str, list[Radiograph]], list[str]]
RANDOM = ModelSettings(
    image_size=64, patch=8, image_width=32, image_depth=2, image_heads=2,
    text_width=16, text_depth=1, text_heads=2, max_tokens=16, embedding=16, vocabulary=200, dropout=0.0, pool="mean",
)  # fmt: skip


@pytest.fixture
def files(disc_films: Films, write_films: Writer) -> dict[str, list[str]]:
    numbers = {"train": range(60), "val": range(100, 120), "test": range(200, 230)}
    return {f"{split}_files": write_films(split, disc_films(split, each)) for split, each in numbers.items()}


@pytest.fixture
def model() -> Mlip:
    torch.manual_seed(0)
    return Mlip(RANDOM, MlipSettings(mip=0))


def segmented(model: Mlip, files: dict[str, Any], **settings: Any) -> Segmentation:
    usual = {"target": "Disc", "share": 0.4, "steps": 40, "batch_size": 16, "resamples": 100, "seed": 0, "channels": 16}
    return segment_with(model, **files, plan=SegmentationPlan(**{**usual, **settings}))


def test_bright_discs_are_outlined_on_the_states_of_a_random_encoder(model: Mlip, files: dict[str, Any]) -> None:
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    found = segmented(model, files)
    assert found.metrics["dice_positive"] > 0.8 and found.metrics["dice"] > 0.8
    assert found.metrics["dice_all_empty"] == 0.5
    assert found.intervals["dice"][0] <= found.metrics["dice"] <= found.intervals["dice"][1]
    assert (found.labelled_patients, found.labelled, found.n, found.positives) == (12, 24, 30, 15)
    assert np.mean(found.found["dice"]) == pytest.approx(found.metrics["dice"], abs=1e-4)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_the_same_seed_finds_the_same(model: Mlip, files: dict[str, Any]) -> None:
    once, again = (segmented(model, files, steps=3, resamples=0) for _ in range(2))
    assert once == again and once.intervals == {}


def test_a_target_in_every_radiograph_is_segmented_too(model: Mlip, disc_films: Films, write_films: Writer) -> None:
    def lungs(split: str, numbers: range) -> list[str]:
        films = [replace(film, targets=[]) for film in disc_films(split, numbers)]
        return write_films(split, [replace(f, regions=[replace(r, target="Lungs") for r in f.regions]) for f in films])

    files = {f"{split}_files": lungs(split, range(first, first + 20)) for split, first in
             (("train", 0), ("val", 100), ("test", 200))}  # fmt: skip
    found = segmented(model, files, target="Lungs", share=1.0, steps=3)
    assert found.metrics["dice_all_empty"] == 0.0
    assert found.n == found.positives == 10  # of the others nobody said whether there are lungs
    assert found.metrics["dice"] == found.metrics["dice_positive"] and len(set(found.thresholds.values())) == 1


def test_dice_over_all_hides_what_dice_over_positives_shows() -> None:
    positive = np.array([False, False, False, True, True])
    dice = np.array([[1.0, 1.0, 1.0, 0.0, 0.2], [0.0, 0.0, 1.0, 0.1, 0.3]])  # at a high and at a low threshold
    metrics, intervals = summarise(dice, positive, list("abcde"), resamples=200, seed=0)
    assert metrics == pytest.approx({"dice": 0.64, "dice_positive": 0.2, "dice_all_empty": 0.6})
    assert intervals["dice_positive"] == pytest.approx((0.1, 0.3))  # resamples without the target have none to give
    assert intervals["dice"][0] < 0.64 < intervals["dice"][1]


def test_thresholds_are_the_best_over_all_and_over_positives_the_nearest_to_a_half_of_several() -> None:
    dice = np.zeros((len(THRESHOLDS), 4))
    positive = np.array([True, False, False, False])
    assert best_thresholds(dice, positive) == (0.5, 0.5)
    dice[12:, 1:] = 1  # from 0.65 on nothing is marked
    dice[3, 0] = 0.6
    assert best_thresholds(dice, positive) == (0.65, 0.2)


def test_a_share_is_of_the_patients_with_the_target_and_of_those_without(
    disc_films: Films, write_films: Writer
) -> None:
    films = disc_films("train", range(80))
    healthy = [replace(film, targets=[replace(film.targets[0], present=False)], regions=[]) for film in films[20:]]
    unread = [replace(film, targets=[], regions=[]) for film in disc_films("train", range(80, 90))]
    files = write_films("train", films[:20] + healthy + unread)
    few, many = (draw_patients(files, "Disc", share=share, seed=3) for share in (0.2, 0.5))
    with_disc = {film.patient_id for film in films[:20]}
    assert (len(few), len(with_disc & set(few))) == (8, 2)
    assert (len(many), len(with_disc & set(many))) == (20, 5)
    assert set(few) < set(many)
    assert draw_patients(files, "Disc", share=0.001, seed=3) != []
    assert draw_patients(files, "Disc", share=0.2, seed=4) != few


def test_a_split_without_masks_is_named_with_what_it_has(
    model: Mlip, files: dict[str, Any], disc_films: Films, write_films: Writer
) -> None:
    with pytest.raises(
        UserError, match="split train has no radiograph with a mask of “Nodule”; masks there are of Disc"
    ):
        segmented(model, files, target="Nodule")
    empty = write_films("empty", disc_films("empty", range(100, 120, 2)))
    with pytest.raises(UserError, match=r"split val has no .*; masks there are of nothing"):
        segmented(model, files | {"val_files": empty})


def test_patients_that_were_learnt_from_are_not_tested(
    model: Mlip, files: dict[str, Any], tokenizer: PreTrainedTokenizerFast, tmp_path: Path
) -> None:
    settings = (RANDOM, ObjectiveSettings(name="mlip"), MlipSettings(mip=0))
    save_model(tmp_path / "m", model, settings=settings, tokenizer=tokenizer, articles=["test-p100"])
    plan = SegmentationPlan(target="Disc", share=0.4, steps=1, batch_size=8, resamples=0, seed=0)
    with pytest.raises(LeakError, match="test-p100"):
        segment(tmp_path / "m", **files, plan=plan)
    with pytest.raises(LeakError):
        segmented(model, files | {"test_files": files["train_files"]})
    save_model(tmp_path / "m", model, settings=settings, tokenizer=tokenizer, articles=["train-p0"])
    assert segment(tmp_path / "m", **files, plan=plan).n == 30
