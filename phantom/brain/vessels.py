"""Arteries of the brain as lines in millimetres, seen as MR or catheter angiograms."""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from core.records import Box
from phantom.brain.anatomy import Array, Plane
from phantom.brain.lesions import Lesion
from phantom.brain.looks import Modality

Path3 = list[tuple[float, float, float]]
# One side's arteries, x as for the right; course after textbooks, radius in mm.
SIDE: list[tuple[float, Path3]] = [
    (
        2.6,
        [(26, -14, -95), (25, -12, -65), (22, -16, -50), (12, -6, -42), (10, 6, -34), (13, 0, -24), (16, 2, -18)],
    ),  # ICA
    (2.1, [(16, 2, -18), (28, 5, -17), (40, 2, -16)]),  # M1
    (1.8, [(16, 2, -18), (7, 10, -16), (2.5, 16, -12)]),  # A1
    (1.6, [(2.5, 16, -12), (3, 28, -4), (3, 40, 12), (3, 32, 34), (3, 8, 46), (3, -24, 46)]),  # pericallosal
    (1.2, [(3, 40, 12), (4, 54, 24), (5, 46, 46), (6, 20, 64)]),  # callosomarginal
    (1.9, [(0, -21, -17), (12, -20, -16), (22, -32, -10), (19, -56, -4), (11, -84, 6)]),  # PCA
    (1.8, [(15, -40, -95), (9, -30, -72), (0, -26, -58)]),  # vertebral
    (1.1, [(0, -28, -50), (14, -34, -46), (30, -58, -44)]),  # AICA
]
MIDLINE: list[tuple[float, Path3]] = [(2.3, [(0, -26, -58), (1, -28, -40), (0, -21, -17)])]  # basilar
SYLVIAN = [(52, 34, 14), (50, 22, 44), (46, 2, 60), (52, -22, 52), (54, -46, 36), (52, -56, 8), (56, -30, -8)]


def arteries(lesion: Lesion) -> list[tuple[float, Path3]]:
    """Radius and course of every artery of one patient."""
    rng = np.random.default_rng([int(1e6 * phase) for phase in lesion.phase[3:6]])
    tree = list(MIDLINE)
    for sign in (-1.0, 1.0):
        for radius, course in SIDE:
            tree.append((radius, _wander(np.array(course) * [sign, 1, 1], rng, 1.0)))
        for end in SYLVIAN:
            start = np.array([40.0, 2.0, -16.0])
            bend = start + 0.35 * (np.array(end) - start) + rng.normal(0, 3, 3)
            course = _wander(np.stack([start, bend, np.array(end)]) * [sign, 1, 1], rng, 2.5)
            tree.append((1.4, course))
            for _ in range(2):
                root = course[rng.integers(len(course) // 2, len(course) - 1)]
                tip = np.array(root) + rng.normal(0, 14, 3) * [0.4, 1, 1]
                tree.append((0.9, _wander(np.stack([np.array(root), tip]), rng, 2.0)))
    return tree


def _wander(course: np.ndarray, rng: np.random.Generator, amount: float) -> Path3:
    """The course with points between its points, moved a little."""
    steps = np.linspace(0, len(course) - 1, 5 * (len(course) - 1) + 1)
    fine = np.stack([np.interp(steps, np.arange(len(course)), course[:, axis]) for axis in range(3)], axis=1)
    sway = rng.normal(0, amount, fine.shape)
    sway[0] = sway[-1] = 0
    smooth = (sway + np.roll(sway, 1, axis=0) + np.roll(sway, -1, axis=0)) / 3
    smooth[0] = smooth[-1] = 0
    return [tuple(point) for point in (fine + smooth).tolist()]


def _nidus(lesion: Lesion) -> list[tuple[float, Path3]]:
    """A knot of loops, and a wide vein that drains it upwards."""
    rng = np.random.default_rng([int(1e6 * phase) for phase in lesion.phase[6:9]])
    centre = np.array(lesion.centre)
    knots = centre + rng.normal(0, lesion.radius * 0.45, (14, 3, 3))
    loops = [(1.5, _wander(knot, rng, 3.0)) for knot in knots]
    vein = np.stack([centre, centre + np.array([0, -8, 22]), np.array([3.0, centre[1] - 14, 66.0])])
    return [*loops, (2.8, _wander(vein, rng, 3.0))]


def angiogram(
    lesion: Lesion, modality: Modality, plane: Plane, extent: tuple[float, float], rng: np.random.Generator
) -> Array:
    """A projection (H, W) in [0, 1] of about 1 mm pixels: vessels white on dark for MRA, dark on grey for DSA."""
    scale = 3
    canvas = Image.new("L", (round(extent[1]) * scale, round(extent[0]) * scale))
    pen = ImageDraw.Draw(canvas)
    tree = arteries(lesion) + (_nidus(lesion) if lesion.kind == "avm" else [])
    if modality == "DSA" and lesion.side in ("left", "right"):  # contrast is given into one artery
        sign = 1 if lesion.side == "right" else -1
        tree = [(radius, course) for radius, course in tree if np.mean([p[0] for p in course]) * sign > 1]
    for radius, course in sorted(tree, key=lambda item: item[0]):
        points = [_project(point, plane, extent, scale) for point in course]
        pen.line(
            points,
            fill=round(min(255, 110 + 60 * radius)),
            width=max(1, round(2 * radius * scale * 0.8)),
            joint="curve",
        )
    if lesion.kind == "aneurysm":
        _draw_sac(pen, lesion, plane, extent, scale)
    vessels = canvas.filter(ImageFilter.GaussianBlur(1.2)).reduce(scale)
    flow = np.asarray(vessels, dtype=np.float32) / 255
    return _as_film(flow.astype(np.float32), modality, plane, extent, rng)


def _project(
    point: tuple[float, float, float], plane: Plane, extent: tuple[float, float], scale: int
) -> tuple[float, float]:
    down, along = {"axial": (1, 0), "coronal": (2, 0), "sagittal": (2, 1)}[plane]
    middle = {"axial": (-18, 0), "coronal": (-8, 0), "sagittal": (-8, -18)}[plane]
    column = (0.5 - (point[along] - middle[1]) / extent[1]) * extent[1] * scale
    return column, (0.5 - (point[down] - middle[0]) / extent[0]) * extent[0] * scale


def _draw_sac(pen: ImageDraw.ImageDraw, lesion: Lesion, plane: Plane, extent: tuple[float, float], scale: int) -> None:
    pen.ellipse(_sac(lesion, plane, extent, scale), fill=255)


def _sac(lesion: Lesion, plane: Plane, extent: tuple[float, float], scale: int) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of an aneurysm's sac, which hangs outwards from its artery."""
    outward = np.array([0.8 * np.sign(lesion.centre[0]), 0.35, 0.5])
    column, row = _project(
        tuple((np.array(lesion.centre) + 0.7 * lesion.radius * outward).tolist()), plane, extent, scale
    )
    reach = lesion.radius * scale
    return column - reach, row - 0.9 * reach, column + reach, row + 0.9 * reach


def shown_of(lesion: Lesion, plane: Plane, extent: tuple[float, float]) -> list[Box]:
    """Where an angiogram of this plane and extent shows the lesion, pixels of about 1 mm; of vessels alone."""
    if lesion.kind == "aneurysm":
        edges = _sac(lesion, plane, extent, 1)
    elif lesion.kind == "avm":
        column, row = _project(lesion.centre, plane, extent, 1)
        edges = column - lesion.radius, row - lesion.radius, column + lesion.radius, row + lesion.radius
    else:
        return []
    left, top, right, bottom = (round(edge) for edge in edges)
    return [(left, top, right, bottom)]


def _as_film(
    flow: Array, modality: Modality, plane: Plane, extent: tuple[float, float], rng: np.random.Generator
) -> Array:
    height, width = flow.shape
    y, x = np.mgrid[0:height, 0:width]
    radii = {"axial": (92, 74), "coronal": (84, 76), "sagittal": (84, 98)}[plane]
    lift = 0 if plane == "axial" else -12
    ring = np.sqrt(((y - height / 2 - lift) / radii[0]) ** 2 + ((x - width / 2) / radii[1]) ** 2) - 1
    head = np.clip(-ring * 8, 0, 1)
    noise = rng.normal(0, 0.03, flow.shape)
    if modality == "MRA":
        return np.clip(0.03 + 0.13 * head + flow * 0.95 + noise * (0.4 + flow), 0, 1).astype(np.float32)
    skull = 0.10 * np.exp(-((ring / 0.035) ** 2))
    return np.clip(0.74 - 0.10 * head - skull - 0.68 * flow + noise * 0.7, 0, 1).astype(np.float32)


def tangle(lesion: Lesion, where: Array) -> Array:
    """Share (H, W) of a slice through a nidus that is vessel: dots and short curves, and none beyond its radius."""
    away = where - np.array(lesion.centre, dtype=np.float32)[:, None, None]
    x, y, z = away
    a, b, c = lesion.phase[:3]
    bend = 2.4 * np.sin(0.21 * y + a) + 1.7 * np.sin(0.26 * z + b)
    folds = np.sin(0.75 * x + bend) + np.sin(0.62 * y + 1.3 * np.sin(0.31 * x + c) + bend) + np.sin(0.55 * z - bend)
    inside = np.clip((lesion.radius - np.sqrt((away**2).sum(axis=0))) / 2, 0, 1)
    return (np.clip((folds - 0.2) * 2.5, 0, 1) * inside).astype(np.float32)
