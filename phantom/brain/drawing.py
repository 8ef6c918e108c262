"""One panel: a lesion painted into the tissue of a plane, scanned, with a pointer now and then; and where it lies."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy.ndimage import find_objects, label

from core.images import boxes_within
from core.records import Box
from phantom.brain.anatomy import Array, Build, Plane, Tissue, grid, into_template, rotation, tissue_at
from phantom.brain.lesions import (
    CENTRE,
    DISEASES,
    FLUID_LIKE,
    Lesion,
    Signal,
    Stage,
    displaced,
    distance,
    focal_points,
    inside_skull,
)  # fmt: skip
from phantom.brain.looks import Modality, paint, scan
from phantom.brain.vessels import angiogram, shown_of, tangle
from phantom.pictures.arrangement import load_font

AXIS: dict[Plane, int] = {"sagittal": 0, "coronal": 1, "axial": 2}
MIDDLE: dict[Plane, tuple[float, float]] = {"axial": (-18, 0), "coronal": (6, 0), "sagittal": (2, -18)}  # down, along
FEWEST = 4  # square millimetres of a slice that a focus covers where it has a box
EXTENT: dict[Plane, tuple[float, float]] = {"axial": (218, 178), "coronal": (186, 186), "sagittal": (196, 224)}


@dataclass(frozen=True)
class View:
    """What one panel shows of a patient."""

    modality: Modality
    plane: Plane
    stage: Stage
    offset: float  # of the plane from the lesion's centre, share of its radius
    zoom: float  # of the field of view; 1 is the whole head
    pointer: bool
    marker: bool = False  # "R" at the patient's right, as workstations print it


class DrawnPanel(NamedTuple):
    """A panel, and where in it the lesion lies."""

    grey: NDArray[np.uint8]  # (height, width)
    lesions: list[Box]  # pixels, of each focus that the plane meets; its oedema is no part of it


class Overlay(NamedTuple):
    """What is painted over healthy tissue."""

    weight: Array  # (H, W), 0 to 1
    value: float  # grey
    is_lesion: bool = True  # or else oedema around it


def draw_panel(lesion: Lesion, build: Build, view: View, size: tuple[int, int], rng: np.random.Generator) -> DrawnPanel:
    """A panel of a size, (width, height) in pixels."""
    lesion = at_stage(lesion, view.stage)
    if view.modality in ("MRA", "DSA"):
        extent = extent_for(view, size)
        small, found = angiogram(lesion, view.modality, view.plane, extent, rng), shown_of(lesion, view.plane, extent)
    else:
        small, found = _draw_slice(lesion, build, view, size, rng)
    image = Image.fromarray((small * 255).astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    if view.marker and view.plane != "sagittal":
        font = load_font("DejaVuSans.ttf", max(11, size[1] // 22))
        ImageDraw.Draw(image).text((4, size[1] // 2), "R", font=font, fill=215, anchor="lm")
    return DrawnPanel(np.asarray(image), _in_pixels(found, small.shape, size))


def _in_pixels(boxes: list[Box], shape: tuple[int, ...], size: tuple[int, int]) -> list[Box]:
    """Boxes of a slice (height, width) in the panel that it becomes, cut where that ends."""
    by = (size[0] / shape[1], size[1] / shape[0])
    return boxes_within(([round(box[i] * by[i % 2]) for i in range(4)] for box in boxes), size)


def at_stage(lesion: Lesion, stage: Stage) -> Lesion:
    """The lesion later: smaller after treatment or, where it does not heal, larger."""
    if stage == "follow-up" and DISEASES[lesion.kind].shape != "wedge":
        return replace(lesion, radius=lesion.radius * 0.75)
    return lesion


def extent_for(view: View, size: tuple[int, int]) -> tuple[float, float]:
    """Height and width in mm of a field of view with the panel's aspect that holds the head."""
    height, width = EXTENT[view.plane]
    aspect = size[0] / size[1]
    height = max(height, width / aspect) * view.zoom
    return height, height * aspect


def _draw_slice(
    lesion: Lesion, build: Build, view: View, size: tuple[int, int], rng: np.random.Generator
) -> tuple[Array, list[Box]]:
    extent = extent_for(view, size)
    shape = (max(8, round(extent[0])), max(8, round(extent[1])))
    middle = rotation(build.tilt).T @ (np.array(focal_points(lesion)[0][0]) * build.scale)
    middle[AXIS[view.plane]] += view.offset * min(lesion.radius, 20)
    down, along = MIDDLE[view.plane]
    focus = middle.copy()
    middle[2 if view.plane != "axial" else 1] = down
    middle[0 if view.plane != "sagittal" else 1] = along
    pull = (1 - view.zoom) * 0.8  # a smaller field of view moves towards the lesion
    centre = middle + pull * (focus - middle)
    where = into_template(grid(view.plane, tuple(centre.tolist()), extent, shape), build)
    tissue = tissue_at(where, displaced(lesion, where, build.atrophy))
    grey, covered = paint(tissue, view.modality), np.zeros(shape, dtype=bool)
    for weight, value, is_lesion in overlays(lesion, tissue, view.modality, view.stage):
        grey = grey * (1 - weight) + value * weight
        if is_lesion:
            covered |= weight > 0.5
    picture = scan(grey, view.modality, rng)
    return (_point_at(picture, where, lesion) if view.pointer else picture), boxes_of(covered)


def boxes_of(covered: NDArray[np.bool_]) -> list[Box]:
    """The box of each part of a mask (H, W) that hangs together, corners included."""
    parts, _ = label(covered, structure=np.ones((3, 3)))
    sizes = np.bincount(parts.ravel())[1:]
    return [
        (column.start, row.start, column.stop, row.stop)
        for (row, column), count in zip(find_objects(parts), sizes)
        if count >= FEWEST
    ]


def overlays(lesion: Lesion, tissue: Tissue, modality: Modality, stage: Stage) -> list[Overlay]:
    """What to paint over healthy tissue, in order."""
    disease = DISEASES[lesion.kind]
    signal = disease.signals[modality]
    if stage == "postoperative":
        signal = Signal(FLUID_LIKE[modality], None, None, None)
    if disease.shape == "wedge":
        return [Overlay(_wedge(lesion, tissue), signal.body)]
    if disease.shape == "shell":
        return [Overlay(_shell(lesion, tissue), signal.body)]
    if disease.shape == "ventricles":
        return _caps(tissue, signal) if modality == "FLAIR" else []
    if disease.shape == "tangle":
        return [Overlay(tangle(lesion, tissue.where), signal.body)]
    return _balls(lesion, tissue, signal)


def _balls(lesion: Lesion, tissue: Tissue, signal: Signal) -> list[Overlay]:
    disease = DISEASES[lesion.kind]
    far = [distance(lesion, tissue.where, centre, radius) for centre, radius in focal_points(lesion)]
    nearest = np.min(far, axis=0)
    inside = inside_skull(tissue)
    # Oedema follows white matter and stops at the cortex, in fingers.
    swelling = np.clip((disease.oedema - nearest) / 5, 0, 1) * np.clip(1.6 * tissue.wm - 0.2, 0, 1)
    body = _fill(nearest) * inside
    core = _fill(nearest + (1 - disease.core) * lesion.radius) * inside
    if lesion.kind == "cavernoma":  # many small caverns, "popcorn"
        x, y, z = tissue.where + lesion.phase[0]
        core = core * (np.sin(1.1 * x) * np.sin(1.0 * y + 1) + np.sin(0.9 * z + 0.5 * x) > 0.15)
    rim = body * _fill(-(nearest + disease.rim))
    parts = [
        (swelling, signal.oedema, False),
        (body, signal.body, True),
        (core, signal.core if disease.core else None, True),
        (rim, signal.rim, True),
    ]
    return [Overlay(weight.astype(np.float32), value, own) for weight, value, own in parts if value is not None]


def _fill(distance_to_edge: Array) -> Array:
    return np.clip(0.5 - distance_to_edge / 1.5, 0, 1)


def _wedge(lesion: Lesion, tissue: Tissue) -> Array:
    """An artery's territory: a cone from the depth to the cortex, in brain only."""
    apex = 0.35 * np.array(lesion.centre) + 0.65 * CENTRE
    apex[0] = 0.45 * lesion.centre[0]
    away = tissue.where - apex.astype(np.float32)[:, None, None]
    length = np.sqrt((away**2).sum(axis=0)) + 1e-3
    axis = (np.array(lesion.centre) - apex) / np.linalg.norm(np.array(lesion.centre) - apex)
    angle = np.arccos(np.clip(np.tensordot(axis, away, axes=1) / length, -1, 1))
    x, y, z = tissue.where
    frayed = lesion.radius * (1 + 0.15 * np.sin(x / 5 + lesion.phase[0]) * np.cos((y + z) / 6 + lesion.phase[1]))
    own_side = np.clip(x * np.sign(lesion.centre[0]) - 2, 0, 1)
    return (np.clip((frayed - angle) * 8, 0, 1) * np.clip((length - 6) / 4, 0, 1) * tissue.brain * own_side).astype(
        np.float32
    )


def _shell(lesion: Lesion, tissue: Tissue) -> Array:
    """Blood under the skull: a crescent where the half-angle `irregular` is wide, a lens where it is narrow."""
    half = DISEASES[lesion.kind].irregular
    away = tissue.where - CENTRE.astype(np.float32)[:, None, None]
    axis = np.array(lesion.centre) - CENTRE
    cosine = np.tensordot(axis / np.linalg.norm(axis), away, axes=1) / (np.sqrt((away**2).sum(axis=0)) + 1e-3)
    reach = np.arccos(np.clip(cosine, -1, 1)) / half
    thickness = lesion.radius * np.clip(1 - reach ** (4 if half > 1 else 2), 0, 1)
    own_side = np.clip(tissue.where[0] * np.sign(lesion.centre[0]) - 2, 0, 1)
    return (np.clip(thickness - tissue.depth, 0, 1) * (thickness > 0.5) * inside_skull(tissue) * own_side).astype(
        np.float32
    )


def _caps(tissue: Tissue, signal: Signal) -> list[Overlay]:
    """Fluid pressed into the white matter around wide ventricles."""
    x, y, z = tissue.where
    near = np.exp(-(((np.abs(x) - 24) / 9) ** 2)) * (np.exp(-(((y - 30) / 12) ** 2)) + np.exp(-(((y + 38) / 12) ** 2)))
    weight = np.clip(near * np.exp(-(((z - 16) / 16) ** 2)) * tissue.wm, 0, 1).astype(np.float32)
    return [Overlay(weight, signal.body)]


def _point_at(picture: Array, where: Array, lesion: Lesion) -> Array:
    """A white arrow with a dark edge whose tip touches the lesion's outline."""
    centre = np.array(focal_points(lesion)[0][0], dtype=np.float32)[:, None, None]
    row, column = np.unravel_index(((where - centre) ** 2).sum(axis=0).argmin(), picture.shape)
    height, width = picture.shape
    towards = np.array([column - width / 2, row - height / 2])
    towards = towards / (np.linalg.norm(towards) + 1e-6) if np.linalg.norm(towards) > 6 else np.array([0.6, 0.8])
    reach = lesion.radius if lesion.radius > 2 else 12
    tip = np.array([column, row]) - towards * min(reach, 12)
    image = Image.fromarray((picture * 255).astype(np.uint8))
    pen = ImageDraw.Draw(image)
    across = np.array([-towards[1], towards[0]])
    for grow, shade in ((1.2, 0), (0.0, 255)):
        pen.line([tuple(tip - towards * 22), tuple(tip - towards * 6)], fill=shade, width=round(3 + 2 * grow))
        head = [tip + towards * grow, tip - towards * 9 + across * (5 + grow), tip - towards * 9 - across * (5 + grow)]
        pen.polygon([tuple(point) for point in head], fill=shade)
    return (np.asarray(image) / 255).astype(np.float32)
