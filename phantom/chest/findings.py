"""Drawn findings of the chest: what each adds to the film, what it covers, and the pixels that are its own."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from phantom.chest.anatomy import Chest, axes, blurred, covered
from phantom.chest.study import Finding
from phantom.pictures.brushes import cloud, curve, grey, outline, stroke

Layer = NDArray[np.floating[Any]]

ZONES = {"upper": (0.20, 0.34), "mid": (0.42, 0.58), "lower": (0.70, 0.88)}  # of the lung's height, from the apex
CM = 0.030  # of the square, a centimetre


@dataclass(frozen=True)
class Mark:
    """What a finding does to the layers (S, S) of a chest."""

    masks: list[Layer]  # in [0, 1], one for each focus; its pixels lie above a half
    light: Layer | None = None  # absorption added, or taken away
    cover: Layer | None = None  # share, 0 to 1, that fluid replaces
    airless: Layer | None = None  # share, 0 to 1, in which no vessels run


def draw_finding(finding: Finding, chest: Chest) -> Mark:
    """A finding's marks on a chest; Cardiomegaly's is the heart that the chest was drawn with."""
    draw = {
        "Pneumothorax": _pneumothorax, "Effusion": _effusion, "Consolidation": _consolidation, "Nodule": _nodule,
        "Cardiomegaly": _cardiomegaly, "Atelectasis": _atelectasis, "Edema": _edema, "Hernia": _hernia,
    }[finding.kind]  # fmt: skip
    return draw(finding, chest, np.random.default_rng(finding.seed))


def heart_share(finding: Finding | None, normal: float) -> float:
    """The heart's width by the chest's."""
    return normal if finding is None else 0.55 + 0.12 * finding.size


def nodule_radius(finding: Finding) -> float:
    return 0.042 + 0.022 * finding.size


def centimetres(finding: Finding) -> float:
    """A nodule's diameter."""
    return round(2 * nodule_radius(finding) / CM, 1)


def _cardiomegaly(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    return Mark(masks=[chest.heart])


def _pneumothorax(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """Black without vessels over the top and along the ribs, beyond the fine line of the lung that fell inwards."""
    (sign,) = finding.signs
    lung = chest.lungs[sign]
    root = np.array(chest.at(sign, 1.0, 0.19)) * chest.side
    shrink = np.array([0.87 - 0.40 * finding.size, 0.88 - 0.28 * finding.size])
    move = np.array([[shrink[0], 0, root[0] * (1 - shrink[0])], [0, shrink[1], root[1] * (1 - shrink[1])]])
    fallen = cv2.warpAffine(lung, move, (chest.side, chest.side), flags=cv2.INTER_LINEAR)
    _, y = axes(chest.side)
    above = np.clip((chest.at(sign, 0.92, 0)[1] - y) * 60, 0, 1)
    space = np.clip(lung - fallen, 0, 1) * above
    edge = cv2.morphologyEx(fallen, cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) * lung * above
    light = (0.20 + 0.12 * finding.contrast) * edge - (0.12 + 0.07 * finding.contrast) * space
    return Mark(masks=[space], light=light + np.float32(0.05) * np.minimum(fallen, lung), airless=space)


def _effusion(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """Fluid at the base that rises towards the ribs."""
    x, y = axes(chest.side)
    size = finding.size
    masks: list[Layer] = []
    for sign in finding.signs:
        out = np.clip((x - 0.5) * sign / chest.build.width, 0, 1)
        level = chest.at(sign, 0.96 - 0.38 * size**1.3, 0)[1]
        surface = level + 0.02 - (0.05 + 0.07 * size) * (out**3 - 0.3 * out) + 0.3 * max(0.0, 0.4 - size) * (1 - out)
        masks.append(np.clip((y - surface) * chest.side / 5, 0, 1) * chest.lungs[sign])
        size *= float(rng.uniform(0.5, 1))
    # A little wider, or the blurred edge of the lung would show as a dark line around the fluid.
    wider = cv2.dilate(np.sum(masks, axis=0), np.ones((5, 5), np.uint8))
    return Mark(masks=masks, cover=(0.80 + 0.2 * finding.contrast) * np.asarray(wider, dtype=np.float32))


def _consolidation(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """A cloud without sharp edges, with the dark branches of airways in it."""
    x, y = axes(chest.side)
    masks = []
    streaks = np.zeros((chest.side, chest.side), dtype=np.uint8)
    mottled = cloud(rng, (chest.side, chest.side), cells=13, octaves=2)
    for sign in finding.signs:
        at = chest.at(sign, rng.uniform(*ZONES[finding.zone]), rng.uniform(0.48, 0.72))
        reach = (0.115 + 0.055 * finding.size) * rng.uniform(0.85, 1.2, 2)
        away = np.sqrt(((x - at[0]) / reach[0]) ** 2 + ((y - at[1]) / reach[1]) ** 2)
        masks.append(np.clip(1.55 - away - 0.55 * mottled, 0, 1) * chest.lungs[sign])
        for angle in rng.uniform(0, 2 * np.pi, 4):
            tip = np.array(at) + 0.9 * reach * [np.cos(angle), np.sin(angle)]
            stroke(streaks, curve(rng, at, tip, bend=0.1), grey(200), width=1)
    dense = np.sum(masks, axis=0) * (0.75 + 0.4 * mottled)
    light = (0.36 + 0.14 * finding.contrast) * dense * (1 - 0.5 * blurred(streaks, 0.6))
    return Mark(masks=masks, light=light * (1 - 0.5 * chest.heart))


def _nodule(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """A round shadow with a sharp edge."""
    (sign,) = finding.signs
    at = chest.at(sign, rng.uniform(*ZONES[finding.zone]), rng.uniform(0.45, 0.8))
    radius = nodule_radius(finding)
    mask = covered(outline(rng, at=at, radii=(radius, radius), rough=0.06), chest.side, soft=0.7)
    return Mark(masks=[mask], light=(0.46 + 0.14 * finding.contrast) * mask)


def _atelectasis(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """Flat bands across the lung, one to three on a side."""
    masks = []
    for sign in finding.signs:
        canvas = np.zeros((chest.side, chest.side), dtype=np.uint8)
        down = rng.uniform(*ZONES[finding.zone])
        for k in range(1 + int(2.5 * finding.size)):
            start = np.array(chest.at(sign, down - 0.07 * k, rng.uniform(0.30, 0.42)))
            end = np.array(chest.at(sign, down - 0.07 * k, rng.uniform(0.75, 0.92)))
            end[1] -= rng.uniform(-0.02, 0.03)
            stroke(canvas, curve(rng, start, end, bend=0.05), grey(255), width=rng.uniform(7, 9) * chest.side / 256)
        masks.append(blurred(canvas, 0.7) * chest.lungs[sign])
    return Mark(masks=masks, light=(0.42 + 0.14 * finding.contrast) * np.sum(masks, axis=0) * (1 - 0.6 * chest.heart))


def _edema(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """Haze and fine nets about both hila, with short lines at the ribs below."""
    x, y = axes(chest.side)
    lines = np.zeros((chest.side, chest.side), dtype=np.uint8)
    masks = []
    for sign in finding.signs:
        at = chest.at(sign, 0.56, 0.42)
        wide, tall = (0.11 + 0.05 * finding.size), (0.17 + 0.06 * finding.size)
        haze = np.exp(-((((x - at[0]) / wide) ** 2 + ((y - at[1]) / tall) ** 2) ** 1.3))
        masks.append(haze * chest.lungs[sign])
        for _ in range(26):
            point = np.array(at) + rng.normal(0, 0.7, 2) * [wide, tall]
            for angle in rng.uniform(0, np.pi, 2):
                step = 0.022 * np.array([np.cos(angle), np.sin(angle)])
                stroke(lines, np.stack([point - step, point + step]), grey(190), width=1)
        for down in rng.uniform(0.66, 0.98, 7):
            ends = [chest.at(sign, down, 0.86), chest.at(sign, down, 0.97)]
            stroke(lines, np.array(ends), grey(230), width=1)
    nets = blurred(lines, 0.6) * (chest.lungs[-1] + chest.lungs[1]) * (1 - 0.6 * chest.heart)
    strength = 1.2 + 0.5 * finding.contrast
    return Mark(masks=masks, light=np.float32(strength) * (0.06 * np.sum(masks, axis=0) + 0.20 * nets))


def _hernia(finding: Finding, chest: Chest, rng: np.random.Generator) -> Mark:
    """Stomach behind the heart: a round wall, air above a level of fluid."""
    radius = 0.070 + 0.033 * finding.size
    at = np.array([0.5 + rng.uniform(-0.05, 0.07), chest.build.base - rng.uniform(0.01, 0.08)])
    round_ = outline(rng, at=at, radii=(1.1 * radius, radius), rough=0.05)
    mask = covered(round_, chest.side, soft=0.8)
    wall = np.zeros((chest.side, chest.side), dtype=np.uint8)
    stroke(wall, round_, grey(255), width=2.5 * chest.side / 256, closed=True)
    _, y = axes(chest.side)
    air = np.clip((at[1] + 0.1 * radius - y) * chest.side / 2, 0, 1) * mask
    shadow = (0.05 + 0.04 * finding.contrast) * (mask + 1.5 * blurred(wall, 0.7))
    return Mark(masks=[mask], light=shadow - (0.34 + 0.12 * finding.contrast) * air)
