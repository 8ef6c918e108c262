"""Drawn findings: on their side, as large as told, dark or bright."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from phantom.chest.anatomy import Chest, axes, draw_chest
from phantom.chest.findings import CM, centimetres, draw_finding, heart_share, nodule_radius
from phantom.chest.study import FINDINGS, Finding, Kind, plan_studies

SIDE = 256


@pytest.fixture(scope="module")
def chest() -> Chest:
    return draw_chest(plan_studies(0, seed=1)[0].build, heart=0.45, side=SIDE)


def examples(kind: Kind, count: int) -> list[Finding]:
    studies = (study for number in range(1000) for study in plan_studies(number, seed=2))
    return list(islice((finding for study in studies if (finding := study.found(kind)) is not None), count))


@pytest.mark.parametrize("kind", FINDINGS)
def test_each_focus_lies_on_its_side(kind: Kind, chest: Chest) -> None:
    for finding in examples(kind, 12):
        masks = draw_finding(finding, chest).masks
        assert len(masks) == len(finding.signs)
        for sign, mask in zip(finding.signs, masks, strict=True):
            assert (mask > 0.5).any()
            middle = float(axes(SIDE)[0][mask > 0.5].mean())
            assert sign == 0 or np.sign(middle - 0.5) == sign


@pytest.mark.parametrize("kind", ["Pneumothorax", "Effusion", "Consolidation", "Nodule", "Edema", "Hernia"])
def test_a_larger_finding_covers_more(kind: Kind, chest: Chest) -> None:
    for finding in examples(kind, 5):
        areas = [
            sum((mask > 0.5).sum() for mask in draw_finding(replace(finding, size=size), chest).masks)
            for size in (0.1, 0.9)
        ]
        assert areas[0] < areas[1]


def test_a_nodule_is_as_wide_as_its_centimetres(chest: Chest) -> None:
    for finding in examples("Nodule", 10):
        (mask,) = draw_finding(finding, chest).masks
        wide = 2 * np.sqrt((mask > 0.5).sum() / np.pi) / SIDE / CM
        assert abs(wide - centimetres(finding)) < 0.25


def test_no_vessel_runs_where_the_lung_has_fallen_in(chest: Chest) -> None:
    finding = replace(examples("Pneumothorax", 1)[0], size=0.7)
    mark = draw_finding(finding, chest)
    assert mark.airless is not None
    assert (mark.airless[mark.masks[0] > 0.9] > 0.9).all()


def test_the_enlarged_heart_is_wider_than_half_the_chest() -> None:
    assert heart_share(None, 0.42) == 0.42
    assert all(heart_share(finding, 0.42) > 0.5 for finding in examples("Cardiomegaly", 20))
    assert nodule_radius(examples("Nodule", 1)[0]) > 0
