"""A planned study as a film: findings laid into the chest, the patient's position, exposure, marker and edges."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from phantom.chest.anatomy import Chest, blurred, draw_chest
from phantom.chest.findings import Layer, draw_finding, heart_share
from phantom.chest.study import Device, Kind, Study
from phantom.pictures.brushes import Canvas, Field, curve, fill, grey, outline, pick_font, stroke, write

FLUID = np.float32(0.66)  # absorption of water as thick as the chest
FINE = 224  # pixels along the longer side, at which one pixel is a fine line
AROUND = 8 / 7  # side of the square that is drawn by the side of the film cut from it


@dataclass(frozen=True)
class Film:
    """A film and where its findings are."""

    pixels: Canvas  # (H, W) grey
    foci: list[tuple[Kind, Canvas]]  # masks (H, W) of 0 and 255


def draw_film(study: Study, size: int) -> Film:
    """A study's film, its longer side `size` pixels. Small ones are drawn large, so that lines keep their width."""
    times = max(1, round(FINE / size))
    film = _drawn(study, size * times)
    if times == 1:
        return film
    shape = (film.pixels.shape[1] // times, film.pixels.shape[0] // times)
    foci = [(kind, cv2.resize(mask, shape, interpolation=cv2.INTER_AREA) > 127) for kind, mask in film.foci]
    pixels = np.asarray(cv2.resize(film.pixels, shape, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return Film(pixels, [(kind, np.where(mask, 255, 0).astype(np.uint8)) for kind, mask in foci if mask.any()])


def _drawn(study: Study, size: int) -> Film:
    rng = np.random.default_rng([study.seed, 1])
    shape, position = _position(rng, size)
    chest = draw_chest(study.build, heart=heart_share(study.found("Cardiomegaly"), study.build.heart), side=_side(size))
    absorbed, masks = _absorption(study, chest)
    _add_devices(absorbed, study.devices, chest, np.random.default_rng([study.seed, 2]))
    turned = _placed(absorbed, position, shape)
    window = _window(rng, shape)
    foci = [(kind, _placed(mask, position, shape)) for kind, mask in masks]
    inside = [(kind, np.where((mask > 0.5) & window, 255, 0).astype(np.uint8)) for kind, mask in foci]
    return Film(_exposed(turned, window, study, rng), [(kind, mask) for kind, mask in inside if mask.any()])


def _side(size: int) -> int:
    return round(size * AROUND)


def _absorption(study: Study, chest: Chest) -> tuple[Field, list[tuple[Kind, Layer]]]:
    """What the chest with its findings holds back (S, S), about 0 to 1.2, and each focus' mask (S, S)."""
    marks = [(finding.kind, draw_finding(finding, chest)) for finding in study.findings]
    lungs = chest.lungs[-1] + chest.lungs[1]
    vessels: Layer = chest.vessels
    for _, mark in marks:
        vessels = vessels if mark.airless is None else vessels * (1 - mark.airless)
    tissue = (0.52 + 0.10 * study.build.flesh) * chest.body
    field: Layer = tissue * (1 - study.build.air * lungs) + study.build.markings * vessels
    field += 0.92 * chest.heart * np.maximum(0.60 - field, 0.05)
    field += chest.middle * np.maximum(0.72 - field, 0.06) * 0.8
    dry = np.ones_like(field)  # what lies in fluid does not show
    for _, mark in marks:
        if mark.cover is not None:
            field += mark.cover * np.maximum(FLUID - field, 0.02)
            dry -= mark.cover
    for _, mark in marks:
        if mark.light is not None:
            field += mark.light * dry
    field += study.build.bone * 2 * chest.bones
    return field.astype(np.float32), [(kind, mask) for kind, mark in marks for mask in mark.masks]


def _position(rng: np.random.Generator, size: int) -> tuple[tuple[int, int], np.ndarray]:
    """Height and width of the film, and how the square is turned, enlarged and shifted onto it, (2, 3)."""
    height = width = size
    if rng.random() < 0.3:
        shorter = round(size * rng.uniform(0.84, 0.96))
        height, width = (shorter, size) if rng.random() < 0.5 else (size, shorter)
    side = _side(size)
    turn, zoom = rng.normal(0, 2), rng.uniform(0.96, 1.04)
    matrix = np.asarray(cv2.getRotationMatrix2D((side / 2, side / 2), turn, zoom), dtype=np.float64)
    matrix[:, 2] += np.array([width, height]) / 2 - side / 2 + rng.normal(0, 0.012, 2) * size
    return (height, width), matrix


def _placed(layer: Layer, position: np.ndarray, shape: tuple[int, int]) -> Field:
    moved = cv2.warpAffine(layer, position, shape[::-1], flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, dtype=np.float32)


def _window(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """The pixels (H, W) that the collimator left open."""
    window = np.ones(shape, dtype=bool)
    if rng.random() < 0.35:
        top, bottom, left, right = (round(edge) for edge in rng.uniform(0, 0.05, 4) * np.repeat(shape, 2))
        window[:top] = window[shape[0] - bottom :] = False
        window[:, :left] = window[:, shape[1] - right :] = False
    return window


def _exposed(absorbed: Field, window: np.ndarray, study: Study, rng: np.random.Generator) -> Canvas:
    """Grey values: the tube's settings, scatter, noise, the marker, and black beyond the collimator."""
    coarse = cv2.GaussianBlur(cv2.resize(absorbed, (32, 32), interpolation=cv2.INTER_AREA), (0, 0), 3.5)
    scatter = cv2.resize(coarse, absorbed.shape[::-1], interpolation=cv2.INTER_CUBIC)
    share = rng.uniform(0.0, 0.25) + (0.1 if study.view == "AP" else 0)
    film = absorbed - np.float32(share) * scatter
    low, high = np.percentile(film[::4, ::4], (1, 99))
    film = np.clip((film - low) / (high - low + 1e-6) * rng.uniform(0.85, 1.0) + rng.uniform(0, 0.06), 0, 1)
    film = cv2.pow(film, float(np.exp(rng.normal(0, 0.12)))) * np.float32(255)
    speckle = rng.standard_normal(film.shape, dtype=np.float32) * np.float32(rng.uniform(1, 3))
    film = cv2.GaussianBlur(film, (0, 0), rng.uniform(0.3, 0.8)) + speckle
    grey_film = film.clip(0, 255).astype(np.uint8)
    _mark_side(grey_film, study, rng)
    return np.where(window, grey_film, np.uint8(0))


def _mark_side(film: Canvas, study: Study, rng: np.random.Generator) -> None:
    """The technician's letter: R on the image's left or L on its right, at times with the view."""
    if rng.random() < 0.25:
        return
    letter, left = ("R", 0.05) if rng.random() < 0.5 else ("L", 0.88)
    text = f"{letter}\n{study.view}".split("\n")[: 1 + int(rng.random() < 0.3)]
    for line, word in enumerate(text):
        at = (left, 0.05 + 0.07 * line)
        write(film, word, at=at, size=film.shape[0] * 0.06, colour=grey(245), font=pick_font(rng))


def _add_devices(field: Field, devices: tuple[Device, ...], chest: Chest, rng: np.random.Generator) -> None:
    """Metal and plastic over the chest, in place."""
    if not devices:
        return
    canvas = np.zeros(field.shape, dtype=np.uint8)
    for device in devices:
        {
            "pacemaker": _pacemaker, "central line": _central_line, "tube": _tube,
            "electrodes": _electrodes, "wires": _wires,
        }[device](canvas, chest, rng)  # fmt: skip
    field += np.float32(0.45) * blurred(canvas, 0.5)


def _pacemaker(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    at = (0.5 + 0.72 * chest.build.width, chest.build.apex + rng.uniform(0.04, 0.09))
    fill(canvas, outline(rng, at=at, radii=(0.042, 0.036), rough=0.05), grey(255))
    way = [at, (0.53, chest.build.apex + 0.08), (0.48, chest.build.apex + 0.25), (0.54, chest.build.base - 0.06)]
    for start, end in pairwise(way):
        stroke(canvas, curve(rng, start, end, bend=0.08), grey(235), width=1)


def _central_line(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    sign = -1 if rng.random() < 0.6 else 1
    corner = (0.5 - 0.05, chest.build.apex + 0.09)
    stroke(canvas, curve(rng, (0.5 + sign * 0.14, -0.02), corner, bend=0.1), grey(150), width=1)
    stroke(canvas, curve(rng, corner, (0.46, chest.build.apex + 0.28), bend=0.04), grey(150), width=1)


def _tube(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    end = (0.5, chest.build.apex + rng.uniform(0.10, 0.17))
    stroke(canvas, curve(rng, (0.5, -0.02), end, bend=0.03), grey(120), width=2 * canvas.shape[0] / 256)


def _electrodes(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    for sign, down in ((-1, 0.1), (1, 0.1), (1, 0.85)):
        at = np.array(chest.at(sign, down + rng.uniform(-0.05, 0.05), rng.uniform(0.85, 1.1)))
        stroke(canvas, outline(rng, at=at, radii=(0.014, 0.014), rough=0.0), grey(200), width=1, closed=True)
        stroke(canvas, curve(rng, at, (0.5 + sign * rng.uniform(0.2, 0.5), 1.02), bend=0.15), grey(110), width=1)


def _wires(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    for y in np.linspace(chest.build.apex + 0.12, chest.build.base - 0.02, 5):
        ring = outline(rng, at=(0.5 + rng.normal(0, 0.004), float(y)), radii=(0.014, 0.008), rough=0.2)
        stroke(canvas, ring, grey(230), width=1, closed=True)
