"""Drawn diseases of the brain: where they sit, what shape they have, and their signal in each modality."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from phantom.brain.anatomy import FLUID, VENTRICLE, Array, Tissue, push_away, widen_ventricles
from phantom.brain.looks import Modality
from phantom.pictures.template import COARSE, ORIGIN, load_head

Kind = Literal[
    "glioblastoma", "metastases", "meningioma", "abscess", "infarct", "haemorrhage", "subdural", "epidural",
    "cavernoma",
    "arachnoid cyst", "multiple sclerosis", "hydrocephalus", "schwannoma", "pituitary adenoma", "aneurysm", "avm",
]  # fmt: skip
Side = Literal["left", "right", "midline", "bilateral"]
Stage = Literal["initial", "follow-up", "postoperative"]
Point = tuple[float, float, float]

# Centres in template millimetres; |x|, the side gives its sign.
PLACES: dict[str, Point] = {
    "frontal lobe": (28, 38, 22),
    "parietal lobe": (30, -46, 42),
    "temporal lobe": (46, -16, -16),
    "occipital lobe": (22, -80, 10),
    "basal ganglia": (25, 2, 4),
    "thalamus": (14, -19, 8),
    "cerebellum": (24, -64, -34),
    "pons": (0, -26, -34),
    "convexity": (62, -14, 32),
    "cerebellopontine angle": (24, -36, -38),
    "sella": (0, 4, -23),
    "periventricular white matter": (20, -10, 26),
    "ventricles": (12, -5, 20),
    "middle cerebral artery": (40, 2, -16),
    "anterior communicating artery": (0, 16, -12),
    "basilar tip": (0, -21, -17),
}
LOBES = ("frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe")
CENTRE = np.array([0.0, -18.0, 8.0])  # of the brain
FLUID_LIKE = {"T1": 0.10, "T1C": 0.10, "T2": 0.98, "FLAIR": 0.05, "CT": 0.15, "DWI": 0.06}


@dataclass(frozen=True)
class Signal:
    """Grey values of a lesion's parts in one modality; None: it looks like the tissue it replaces."""

    body: float
    core: float | None = None
    rim: float | None = None
    oedema: float | None = None


@dataclass(frozen=True)
class Disease:
    """How one kind of lesion looks."""

    places: tuple[str, ...]
    radius: tuple[float, float]  # millimetres
    signals: dict[Modality, Signal]  # the modalities that show it
    shape: Literal["ball", "wedge", "shell", "plaques", "ventricles", "vessel", "tangle"] = "ball"
    irregular: float = 0.08  # of the outline, share of the radius
    core: float = 0.0  # radius of the centre, share of the radius
    rim: float = 0.0  # millimetres
    oedema: float = 0.0  # millimetres
    push: float = 0.35  # mass effect
    outside: bool = False  # grows on the brain's surface
    count: int = 1


DISEASES: dict[Kind, Disease] = {
    "glioblastoma": Disease(
        (*LOBES, "basal ganglia"), (17, 24), {
            "T1": Signal(0.30, 0.14, None, 0.36), "T1C": Signal(1.0, 0.10, None, 0.30),
            "T2": Signal(0.62, 1.0, None, 0.85), "FLAIR": Signal(0.68, 0.40, None, 0.92),
            "CT": Signal(0.58, 0.20, None, 0.20),
        }, irregular=0.30, core=0.62, oedema=16,
    ),
    "metastases": Disease(
        (*LOBES, "cerebellum"), (8, 11), {
            "T1": Signal(0.18, None, None, 0.36), "T1C": Signal(1.0, None, None, 0.30),
            "T2": Signal(0.60, None, None, 0.88), "FLAIR": Signal(0.62, None, None, 0.95),
            "CT": Signal(0.66, None, None, 0.18),
        }, oedema=13, count=3, push=0.2,
    ),
    "meningioma": Disease(
        LOBES, (17, 24), {
            "T1": Signal(0.36, None, 0.12), "T1C": Signal(0.98, None, None, 0.32), "T2": Signal(0.66, None, 0.95, 0.80),
            "FLAIR": Signal(0.72, None, 0.10, 0.88), "CT": Signal(0.70, None, None, 0.20),
        }, irregular=0.05, rim=1.5, oedema=5, outside=True,
    ),
    "abscess": Disease(
        (*LOBES, "cerebellum", "thalamus"), (13, 19), {
            "T1": Signal(0.14, None, 0.62, 0.36), "T1C": Signal(0.10, None, 1.0, 0.30),
            "T2": Signal(0.98, None, 0.08, 0.82), "FLAIR": Signal(0.66, None, 0.12, 0.92),
            "DWI": Signal(1.0, None, 0.5, 0.36), "CT": Signal(0.20, None, 0.66, 0.20),
        }, irregular=0.04, rim=3.2, oedema=14,
    ),
    "infarct": Disease(
        LOBES, (0.55, 0.8), {
            "DWI": Signal(1.0), "FLAIR": Signal(0.92), "T2": Signal(0.86), "CT": Signal(0.18), "T1": Signal(0.24),
        }, shape="wedge", irregular=0.12, push=0.0,
    ),
    "haemorrhage": Disease(
        (*LOBES, "basal ganglia", "thalamus", "cerebellum", "pons"), (12, 19), {
            "CT": Signal(0.86, None, None, 0.18), "T1": Signal(0.96, None, 0.20, 0.38),
            "T2": Signal(0.12, None, 0.02, 0.85), "FLAIR": Signal(0.16, None, 0.05, 0.90),
        }, irregular=0.16, rim=1.5, oedema=6,
    ),
    "subdural": Disease(
        ("convexity",), (13, 19), {
            "CT": Signal(0.80), "T1": Signal(0.86), "FLAIR": Signal(0.95), "T2": Signal(0.88),
        }, shape="shell", irregular=1.25, push=0.5,
    ),
    "epidural": Disease(
        ("frontal lobe", "parietal lobe", "temporal lobe"), (22, 28), {
            "CT": Signal(0.84), "T1": Signal(0.70), "T2": Signal(0.30),
        }, shape="shell", irregular=0.60, push=0.4,
    ),
    "cavernoma": Disease(
        (*LOBES, "pons", "cerebellum"), (11, 16), {
            "T1": Signal(0.75, 0.95, 0.10), "T2": Signal(0.55, 1.0, 0.0), "FLAIR": Signal(0.55, 0.85, 0.0),
            "CT": Signal(0.64, 0.88),
        }, irregular=0.10, core=0.8, rim=3.6, push=0.1,
    ),
    "arachnoid cyst": Disease(
        ("temporal lobe", "frontal lobe", "cerebellum", "parietal lobe"), (21, 29),
        {modality: Signal(grey) for modality, grey in FLUID_LIKE.items()},  # type: ignore[misc]
        irregular=0.05, outside=True,
    ),
    "multiple sclerosis": Disease(
        ("periventricular white matter",), (7, 9), {
            "FLAIR": Signal(1.0), "T2": Signal(0.95), "T1": Signal(0.18), "T1C": Signal(1.0, 0.25),
        }, shape="plaques", push=0.0, count=14,
    ),
    "hydrocephalus": Disease(
        ("ventricles",), (0.85, 1.0), {
            "CT": Signal(0.15), "T2": Signal(0.98), "FLAIR": Signal(0.80), "T1": Signal(0.10),
        }, shape="ventricles", push=0.0,
    ),
    "schwannoma": Disease(
        ("cerebellopontine angle",), (13, 18), {
            "T1": Signal(0.18), "T1C": Signal(1.0, 0.55), "T2": Signal(0.80, 0.98), "FLAIR": Signal(0.80),
        }, irregular=0.06, core=0.35,
    ),
    "pituitary adenoma": Disease(
        ("sella",), (15, 19), {
            "T1": Signal(0.58), "T1C": Signal(0.98, 0.62), "T2": Signal(0.62, 0.85), "CT": Signal(0.70),
        }, irregular=0.10, core=0.4,
    ),
    "aneurysm": Disease(
        ("middle cerebral artery", "anterior communicating artery", "basilar tip"), (9, 11), {
            "MRA": Signal(1.0), "DSA": Signal(1.0), "T2": Signal(0.0), "CT": Signal(0.86),
        }, irregular=0.06, shape="vessel", push=0.2,
    ),
    "avm": Disease(
        LOBES, (15, 20), {"MRA": Signal(1.0), "DSA": Signal(1.0), "T2": Signal(0.0), "T1C": Signal(1.0)},
        shape="tangle", push=0.0,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Lesion:
    """One patient's lesion, in template millimetres."""

    kind: Kind
    place: str
    side: Side
    centre: Point
    radius: float
    phase: tuple[float, ...]  # of the outline, nine numbers


def draw_lesion(kind: Kind, rng: np.random.Generator) -> Lesion:
    """A lesion of this kind, at random."""
    disease = DISEASES[kind]
    place = disease.places[rng.integers(len(disease.places))]
    side: Side = "left" if rng.random() < 0.5 else "right"
    if PLACES[place][0] == 0:
        side = "midline"
    if disease.shape in ("plaques", "ventricles"):
        side = "bilateral"
    radius = float(rng.uniform(*disease.radius))
    centre = np.array(PLACES[place]) + rng.uniform(-4, 4, 3) * (disease.shape not in ("vessel",) and side != "midline")
    centre[0] *= -1 if side == "left" else 1
    if disease.outside:
        centre = _on_surface(centre, 0.3 * radius)
    return Lesion(kind, place, side, tuple(centre.tolist()), radius, tuple(rng.uniform(0, 2 * np.pi, 9).tolist()))


def _on_surface(point: np.ndarray, inward: float) -> np.ndarray:
    """The point where the ray from the brain's centre through `point` leaves the brain, moved `inward` mm back."""
    ray = (point - CENTRE) / np.linalg.norm(point - CENTRE)
    steps = CENTRE + np.arange(20, 110)[:, None] * ray
    index = np.clip(((steps + ORIGIN) / COARSE).astype(int), 0, np.array(load_head().depth.shape) - 1)
    inside = load_head().depth[tuple(index.T)] > 0
    return steps[np.flatnonzero(inside)[-1]] - inward * ray


def displaced(lesion: Lesion, where: Array, atrophy: float) -> Array:
    """Where to read the template so that the brain gives way to the lesion; atrophy in [0, 1] widens the ventricles."""
    disease = DISEASES[lesion.kind]
    read = widen_ventricles(where, lesion.radius if disease.shape == "ventricles" else 0.35 * atrophy)
    if disease.shape == "shell":
        sign = 1.0 if lesion.side == "right" else -1.0
        shift = disease.push * lesion.radius * np.exp(-(((sign * where[0] - 45) / 55) ** 2))
        return np.stack([read[0] + sign * shift, read[1], read[2]]).astype(np.float32)
    if disease.push and disease.count == 1:
        return push_away(read, lesion.centre, lesion.radius, disease.push)
    return read


def distance(lesion: Lesion, where: Array, centre: Point, radius: float) -> Array:
    """Millimetres to the outline of a lumpy ball at template points (3, H, W), negative inside."""
    away = where - np.array(centre, dtype=np.float32)[:, None, None]
    length = np.sqrt((away**2).sum(axis=0)) + 1e-3
    if length.min() > 2 * radius + 20:  # not on this plane, and its outline neither
        return length - radius
    unit = away / length
    phase = np.array(lesion.phase, dtype=np.float32).reshape(3, 3)
    lumps = sum(
        np.sin((2.2 + 1.3 * k) * unit[k] + phase[k, 0]) * np.cos((3.1 + k) * unit[k - 1] + phase[k, 1])
        for k in range(3)
    )
    return (length - radius * (1 + DISEASES[lesion.kind].irregular * lumps / 1.5)).astype(np.float32)


def focal_points(lesion: Lesion) -> list[tuple[Point, float]]:
    """Centre and radius of each focus; the first is the lesion's own."""
    disease = DISEASES[lesion.kind]
    rng = np.random.default_rng([int(1e6 * phase) for phase in lesion.phase[:2]])
    if disease.shape == "plaques":
        return _plaques(lesion, disease.count, rng)
    found = [(lesion.centre, lesion.radius)]
    outward = np.sign(lesion.centre[0])
    for _ in range(disease.count - 1):
        step = rng.uniform([2, -26, -7], [16, 26, 7]) * [outward * np.sign(30 - abs(lesion.centre[0])), 1, 1]
        found.append((tuple((np.array(lesion.centre) + step).tolist()), lesion.radius * float(rng.uniform(0.5, 0.8))))
    return found


def _plaques(lesion: Lesion, count: int, rng: np.random.Generator) -> list[tuple[Point, float]]:
    along = rng.uniform(-38, 32, count)
    found = []
    for k, y in enumerate(along):
        x, z = (float(np.interp(y, VENTRICLE[::-1, 1], VENTRICLE[::-1, axis])) for axis in (0, 2))
        sign = 1 if k % 2 else -1
        place = (sign * (x + rng.uniform(5, 15)), float(y), z + rng.uniform(-3, 7))
        found.append((place, lesion.radius * float(rng.uniform(0.6, 1.1))))
    return found


def inside_skull(tissue: Tissue) -> Array:
    return np.clip(tissue.depth + FLUID, 0, 1)
