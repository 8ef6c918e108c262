"""Panels: lesions that can be seen, on the side that the caption says."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest

from phantom.brain.anatomy import draw_build
from phantom.brain.drawing import View, draw_panel
from phantom.brain.lesions import DISEASES, Kind, Lesion, draw_lesion
from phantom.pages.case import shown_by

SMALL = (96, 96)  # what the smallest models look at


def sided(kind: Kind, side: str) -> Lesion:
    lesions = (draw_lesion(kind, np.random.default_rng(seed)) for seed in range(50))
    return next(lesion for lesion in lesions if lesion.side == side)


def without(lesion: Lesion) -> Lesion:
    return replace(lesion, kind="infarct", radius=0.0)


@pytest.mark.parametrize("kind", [kind for kind in get_args(Kind) if kind not in ("aneurysm", "avm")])
def test_every_lesion_is_seen_at_96_pixels_in_every_view_that_may_show_it(kind: Kind) -> None:
    rng = np.random.default_rng(5)
    lesion, build = draw_lesion(kind, rng), draw_build(rng)
    for modality, plane, stage in shown_by(lesion):
        view = View(modality, plane, stage, 0.0, 0.95, pointer=False)
        signal = DISEASES["infarct"].signals.get(modality)
        if signal is None:  # the healthy twin is an infarct of no size
            continue
        seen, healthy = (
            draw_panel(which, build, view, SMALL, np.random.default_rng(1)).grey.astype(int)
            for which in (lesion, without(lesion))
        )
        assert (abs(seen - healthy) > 0.12 * 255).sum() >= 12, (modality, plane, stage)


@pytest.mark.parametrize("kind, modality", [("meningioma", "CT"), ("haemorrhage", "T1"), ("subdural", "FLAIR")])
def test_a_lesion_on_the_patients_left_is_on_the_images_right(kind: Kind, modality: str) -> None:
    for side, half in (("left", slice(48, None)), ("right", slice(None, 48))):
        lesion = sided(kind, side)
        build = draw_build(np.random.default_rng(0))
        view = View(modality, "axial", "initial", 0.0, 1.0, pointer=False)  # type: ignore[arg-type]
        seen, healthy = (
            draw_panel(which, build, view, SMALL, np.random.default_rng(1)).grey.astype(int)
            for which in (lesion, without(lesion))
        )
        changed = abs(seen - healthy) > 0.15 * 255
        assert changed[:, half].sum() > 0.8 * changed.sum()


def test_an_aneurysm_is_a_blob_on_the_arteries() -> None:
    lesion = sided("aneurysm", "left")
    view = View("MRA", "axial", "initial", 0.0, 1.0, pointer=False)
    build = draw_build(np.random.default_rng(0))
    seen, plain = (
        draw_panel(which, build, view, SMALL, np.random.default_rng(1)).grey.astype(int)
        for which in (lesion, replace(lesion, kind="infarct"))
    )
    assert (seen - plain > 60).sum() >= 25


def test_a_panel_has_the_size_asked_for_and_repeats() -> None:
    lesion, build = sided("abscess", "right"), draw_build(np.random.default_rng(0))
    view = View("T2", "coronal", "initial", 0.1, 0.9, pointer=True, marker=True)
    one, other = (draw_panel(lesion, build, view, (211, 157), np.random.default_rng(1)).grey for _ in range(2))
    assert one.shape == (157, 211) and one.dtype == np.uint8
    assert np.array_equal(one, other)


@pytest.mark.parametrize("kind, modality", [("meningioma", "CT"), ("metastases", "FLAIR"), ("haemorrhage", "CT")])
def test_the_boxes_of_a_lesion_hold_what_it_changes(kind: Kind, modality: str) -> None:
    lesion, build = draw_lesion(kind, np.random.default_rng(3)), draw_build(np.random.default_rng(0))
    lesion = replace(lesion, radius=max(lesion.radius, 6.0))
    view = View(modality, "axial", "initial", 0.0, 1.0, pointer=False)  # type: ignore[arg-type]
    seen, healthy = (
        draw_panel(which, build, view, (218, 218), np.random.default_rng(1)) for which in (lesion, without(lesion))
    )
    assert seen.lesions and not healthy.lesions
    changed = abs(seen.grey.astype(int) - healthy.grey.astype(int)) > 0.2 * 255
    inside = np.zeros(changed.shape, dtype=bool)
    for left, top, right, bottom in seen.lesions:
        inside[top:bottom, left:right] = True
    assert changed[inside].mean() > 4 * changed[~inside].mean()


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_the_box_of_an_aneurysm_lies_on_its_sac(plane: str) -> None:
    lesion = sided("aneurysm", "left")
    view = View("MRA", plane, "initial", 0.0, 1.0, pointer=False)  # type: ignore[arg-type]
    build = draw_build(np.random.default_rng(0))
    seen = draw_panel(lesion, build, view, (240, 240), np.random.default_rng(1))
    plain = draw_panel(replace(lesion, kind="infarct"), build, view, (240, 240), np.random.default_rng(1))
    ((left, top, right, bottom),) = seen.lesions
    changed = seen.grey.astype(int) - plain.grey.astype(int) > 60
    assert changed[top:bottom, left:right].sum() > 0.8 * changed.sum()
