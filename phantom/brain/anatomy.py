"""Tissue on a plane through a head: MNI152 (ICBM 2009a, in nilearn's wheel) for the brain; skull and face are drawn."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from phantom.pictures.template import COARSE, ORIGIN, load_head

Array = NDArray[np.float32]
Plane = Literal["axial", "coronal", "sagittal"]
# Outward from the brain's hull, in millimetres: fluid, then bone with marrow in its middle, then scalp.
FLUID, BONE, SCALP = 2.5, 8.5, 15.0
# Where the lateral ventricles run on each side, front to back: (|x|, y, z) in millimetres.
VENTRICLE = np.array([[10, 30, 4], [13, 10, 20], [17, -12, 25], [24, -36, 18]], dtype=np.float32)


@dataclass(frozen=True)
class Build:
    """How one patient's head differs from the template."""

    scale: tuple[float, float, float]
    tilt: tuple[float, float, float]  # radians about x, y, z
    wave: tuple[float, ...]  # nine phases of a smooth warp
    atrophy: float  # 0 to 1, width of the ventricles


@dataclass(frozen=True)
class Tissue:
    """Shares of tissue on a plane, each (H, W) in [0, 1], and where its pixels lie: (3, H, W) mm in the template."""

    gm: Array
    wm: Array
    csf: Array
    bone: Array
    marrow: Array
    fat: Array
    soft: Array
    depth: Array
    where: Array

    @property
    def brain(self) -> Array:
        return np.clip(self.gm + self.wm, 0, 1)


def draw_build(rng: np.random.Generator) -> Build:
    """A patient's head, at random."""
    tilt = rng.normal(0, [0.03, 0.04, 0.04])
    return Build(
        scale=tuple(rng.uniform(0.94, 1.06, 3).tolist()),
        tilt=tuple(tilt.tolist()),
        wave=tuple(rng.uniform(0, 2 * np.pi, 9).tolist()),
        atrophy=float(rng.beta(1.5, 4)),
    )


def grid(
    plane: Plane, centre: tuple[float, float, float], extent: tuple[float, float], shape: tuple[int, int]
) -> Array:
    """Points (3, H, W) in mm of a plane as radiology shows it: the patient's left on the right, front up or left.

    extent: height and width in mm. shape: (H, W).
    """
    down = centre[1 if plane == "axial" else 2] - (np.arange(shape[0]) / (shape[0] - 1) - 0.5) * extent[0]
    along = centre[1 if plane == "sagittal" else 0] - (np.arange(shape[1]) / (shape[1] - 1) - 0.5) * extent[1]
    rows, columns = np.meshgrid(down, along, indexing="ij")
    held = np.full(shape, centre[{"sagittal": 0, "coronal": 1, "axial": 2}[plane]])
    order = {"axial": (columns, rows, held), "coronal": (columns, held, rows), "sagittal": (held, columns, rows)}
    return np.stack(order[plane]).astype(np.float32)


def into_template(points: Array, build: Build) -> Array:
    """Points of a patient's head (3, H, W) as points of the template: turned, scaled and gently warped."""
    turned = np.einsum(
        "ij,jhw->ihw", (rotation(build.tilt) / np.array(build.scale)[:, None]).astype(np.float32), points
    )
    phase = np.array(build.wave, dtype=np.float32).reshape(3, 3)
    waves = np.sin(turned / 17.0 + phase[:, :1, None]) * np.cos(np.roll(turned, 1, axis=0) / 23.0 + phase[:, 1:2, None])
    return (turned + 1.6 * waves).astype(np.float32)


def rotation(tilt: tuple[float, float, float]) -> NDArray[np.float64]:
    turn = np.eye(3)
    for axis, angle in enumerate(tilt):
        one, other = [k for k in range(3) if k != axis]
        step = np.eye(3)
        step[one, one] = step[other, other] = np.cos(angle)
        step[one, other], step[other, one] = -np.sin(angle), np.sin(angle)
        turn = step @ turn
    return turn


def widen_ventricles(where: Array, amount: float) -> Array:
    """Where to read the template so that the ventricles come out wider; amount 0 leaves them, 1 is hydrocephalus."""
    side = np.where(where[0] < 0, -1.0, 1.0)
    along = np.clip(where[1], -36, 30)
    x, z = (np.interp(along, VENTRICLE[::-1, 1], VENTRICLE[::-1, axis]) for axis in (0, 2))
    away = np.stack([where[0] - side * x, where[1] - along, where[2] - z])
    radius = np.sqrt((away**2).sum(axis=0))
    shrink = 1 - 0.88 * amount * np.exp(-((radius / 25) ** 4))
    return (np.stack([side * x, along, z]) + away * shrink).astype(np.float32)


def push_away(where: Array, centre: tuple[float, float, float], radius: float, strength: float) -> Array:
    """Where to read the template so that its tissue gives way around a mass, most at the mass's edge."""
    away = where - np.array(centre, dtype=np.float32)[:, None, None]
    distance = np.sqrt((away**2).sum(axis=0)) + 1e-3
    shift = strength * radius * np.exp(-((distance / (1.9 * radius)) ** 2))
    return where - (away / distance * np.minimum(shift, 0.8 * distance)).astype(np.float32)


def tissue_at(where: Array, read: Array) -> Tissue:
    """Tissue at template points; `read` is `where` after mass effect, and only the brain moves with it."""
    head = load_head()
    voxel = read + ORIGIN[:, None, None]
    gm, wm = (
        ndimage.map_coordinates(part, voxel, np.float32, order=1, mode="nearest") / 255 for part in (head.gm, head.wm)
    )
    rigid = (where + ORIGIN[:, None, None]) / COARSE
    depth = ndimage.map_coordinates(head.depth, rigid, np.float32, order=1, mode="nearest")
    inside = _step(depth + FLUID)
    skull = _step(depth + BONE) * (1 - inside)
    fat = _step(depth + SCALP) * (1 - inside) * (1 - skull)
    soft, rim, air = _face(where, depth)
    outer = (1 - inside) * (1 - skull)
    return Tissue(
        gm=gm * inside,
        wm=wm * inside,
        csf=np.clip(inside - gm - wm, 0, 1),
        bone=skull,
        marrow=skull * np.exp(-(((depth + (FLUID + BONE) / 2) / 1.4) ** 2)),
        fat=np.maximum(fat * (1 - soft), rim * outer),
        soft=soft * outer * (1 - air),
        depth=depth,
        where=where,
    )


def _step(distance: Array) -> Array:
    return np.clip(distance + 0.5, 0, 1)


def _ball(where: Array, centre: tuple[float, float, float], radii: tuple[float, float, float]) -> Array:
    """About the distance in mm inside an ellipsoid, negative outside."""
    scaled = [(where[k] - centre[k]) / radii[k] for k in range(3)]
    return ((1 - np.sqrt(sum(part**2 for part in scaled))) * min(radii)).astype(np.float32)


def _face(where: Array, depth: Array) -> tuple[Array, Array, Array]:
    """Shares of soft tissue, its fatty rim and air in front of and below the brain."""
    mirrored = np.concatenate([np.abs(where[:1]), where[1:]])
    face = np.maximum(_ball(where, (0, 40, -58), (62, 55, 62)), _ball(where, (0, -38, -100), (60, 58, 66)))
    eyes = _ball(mirrored, (31, 68, -38), (13, 13, 13))
    air = np.maximum(_ball(where, (0, 68, -62), (13, 30, 22)), _ball(mirrored, (26, 62, -66), (13, 17, 14)))
    air = np.maximum(air, _ball(mirrored, (50, -30, -46), (8, 14, 10)))
    bulk = _step(face - 6)
    muscle = 0.88 + 0.12 * np.sin(where[0] / 4.1) * np.cos(where[1] / 5.3 + where[2] / 6.1)
    soft = np.maximum(bulk * muscle, _step(eyes))
    return soft.astype(np.float32), _step(face) * (1 - bulk), _step(air - 0.5) * (depth < -4)
