"""The drawn set of chest radiographs: the same everywhere, split by patient, with true targets and regions."""

import hashlib
import subprocess
import sys
from collections import defaultdict

import cv2
import numpy as np
import pytest

from core.records import Radiograph, from_table, to_table
from phantom.chest.patients import chest_works, draw_patient
from phantom.chest.study import FINDINGS

SEED = 11
PATIENTS = 60


@pytest.fixture(scope="module")
def films() -> list[Radiograph]:
    return [film for number in chest_works(PATIENTS) for film in draw_patient(number, seed=SEED, patients=PATIENTS)]


def opened(data: bytes) -> np.ndarray:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED))


def test_a_patient_is_drawn_the_same_in_another_process() -> None:
    words = (
        "from phantom.chest.patients import draw_patient; import hashlib;"
        f"films = draw_patient(3, seed={SEED}, patients={PATIENTS});"
        "print(hashlib.md5(repr(films).encode()).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True).stdout.strip()
    here = repr(draw_patient(3, seed=SEED, patients=PATIENTS))
    assert elsewhere == hashlib.md5(here.encode()).hexdigest()


def test_a_patient_does_not_depend_on_how_many_others_there_are() -> None:
    assert draw_patient(3, seed=SEED, patients=4) == draw_patient(3, seed=SEED, patients=PATIENTS)
    assert draw_patient(3, seed=SEED, patients=4) != draw_patient(3, seed=SEED + 1, patients=4)


def test_a_number_outside_the_set_is_refused() -> None:
    with pytest.raises(ValueError, match="no patient 4 among 4"):
        draw_patient(4, seed=SEED, patients=4)


def test_all_films_of_a_patient_are_on_one_side(films: list[Radiograph]) -> None:
    sides = defaultdict(set)
    for film in films:
        sides[film.patient_id].add(film.split)
    assert all(len(side) == 1 for side in sides.values())
    assert len(sides) == PATIENTS < len(films)
    assert len({film.image_id for film in films}) == len(films)
    shares = [sum(side == {name} for side in sides.values()) / PATIENTS for name in ("train", "val", "test")]
    np.testing.assert_allclose(shares, (0.7, 0.1, 0.2), atol=0.13)


def test_images_and_masks_are_png_of_the_stated_size(films: list[Radiograph]) -> None:
    for film in films:
        assert opened(film.image).shape == (film.height, film.width)
        assert max(film.height, film.width) == 224
        assert film.md5 == hashlib.md5(film.image).hexdigest()
        for region in film.regions:
            assert region.mask is not None
            assert region.mask[24] == 1  # bits a pixel, in the header of a PNG
            assert opened(region.mask).shape == (film.height, film.width)
            left, top, right, bottom = region.box
            inside = opened(region.mask)[top:bottom, left:right]
            assert inside[0].any() and inside[-1].any() and inside[:, 0].any() and inside[:, -1].any()
            assert np.count_nonzero(inside) == np.count_nonzero(opened(region.mask)) > 0


def test_every_finding_is_judged_and_those_present_have_regions(films: list[Radiograph]) -> None:
    for film in films:
        assert tuple(target.name for target in film.targets) == FINDINGS
        assert {region.target for region in film.regions} == {each.name for each in film.targets if each.present}


def test_films_pass_through_a_table(films: list[Radiograph]) -> None:
    assert from_table(to_table(films[:5], Radiograph), Radiograph) == films[:5]
