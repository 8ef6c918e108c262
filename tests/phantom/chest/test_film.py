"""Films: a finding changes the film where its mask is, and nowhere else by much."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from phantom.chest.film import draw_film
from phantom.chest.study import FINDINGS, Kind, Study, plan_studies


def with_only(kind: Kind, count: int) -> list[Study]:
    """Studies without devices in which one finding is left."""
    studies = (study for number in range(1000) for study in plan_studies(number, seed=3))
    found = ((study, finding) for study in studies if (finding := study.found(kind)) is not None)
    return [replace(study, findings=(finding,), devices=()) for study, finding in islice(found, count)]


@pytest.mark.parametrize("kind", FINDINGS)
def test_a_finding_is_drawn_where_its_mask_is(kind: Kind) -> None:
    ratios = []
    for study in with_only(kind, 4):
        film, without = draw_film(study, 224), draw_film(replace(study, findings=()), 224)
        mask = np.max([focus for _, focus in film.foci], axis=0) > 0
        assert {name for name, _ in film.foci} == {kind}
        change = np.abs(film.pixels.astype(float) - without.pixels)
        ratios.append(change[mask].mean() / (change[~mask].mean() + 1))
    assert np.mean(ratios) > 2


@pytest.mark.parametrize(("kind", "brighter"), [("Nodule", True), ("Effusion", True), ("Pneumothorax", False)])
def test_air_is_dark_and_fluid_is_bright(kind: Kind, brighter: bool) -> None:
    for study in with_only(kind, 4):
        film, without = draw_film(study, 224), draw_film(replace(study, findings=()), 224)
        mask = np.max([focus for _, focus in film.foci], axis=0) > 0
        assert (film.pixels[mask].mean() > without.pixels[mask].mean()) == brighter


@pytest.mark.parametrize("size", [224, 112, 64])
def test_a_film_is_as_long_as_asked(size: int) -> None:
    for number in range(4):
        study = plan_studies(number, seed=3)[0]
        film = draw_film(study, size)
        assert film.pixels.dtype == np.uint8
        assert max(film.pixels.shape) == size
        assert min(film.pixels.shape) > 0.8 * size
        assert all(mask.shape == film.pixels.shape and mask.any() for _, mask in film.foci)


def test_a_film_has_contrast_in_every_exposure() -> None:
    for number in range(12):
        pixels = draw_film(plan_studies(number, seed=3)[0], 112).pixels
        assert pixels.std() > 25
