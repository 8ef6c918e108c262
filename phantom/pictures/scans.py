"""Scans as panels show them, all grey: slices of heads and bodies, radiographs, angiograms and scintigrams."""

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
    Field,
    Point,
    Shape,
    blob,
    cloud,
    curve,
    fill,
    grain,
    grey,
    outline,
    soften,
    stroke,
)  # fmt: skip
from phantom.pictures.template import load_head


def draw_ct(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A slice on black: head, chest, belly or pelvis, with bright bone."""
    draw = (_chest_slice, _belly_slice, _belly_slice, _head_ct, _pelvis_slice, _coronal_trunk)[int(rng.integers(6))]
    return _as_slice(draw(rng), rng, shape, noise=rng.uniform(2, 11))


def draw_mri(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A slice on black: head in three planes, spine, joint or belly, without bright bone."""
    draw = (_head_mri, _head_mri, _spine_mri, _joint_mri, _belly_slice, _coronal_trunk)[int(rng.integers(6))]
    slice_ = draw(rng)
    if rng.random() < 0.3:  # another sequence turns the order of tissues over; air stays black
        slice_ = np.where(slice_ > 12, 255 - slice_ // 2 * 2, 0).astype(np.uint8)
    shade = 0.7 + 0.6 * cloud(rng, slice_.shape[:2], cells=1.5)
    return _as_slice((slice_ * shade).clip(0, 255).astype(np.uint8), rng, shape, noise=rng.uniform(1, 7))


def _as_slice(slice_: Canvas, rng: np.random.Generator, shape: Shape, *, noise: float) -> Canvas:
    """A slice put into a panel: whole with margins or cropped, off centre, turned a little, with its noise."""
    height, width = shape
    fits = min(height / slice_.shape[0], width / slice_.shape[1])
    covers = max(height / slice_.shape[0], width / slice_.shape[1])
    zoom = (fits * rng.uniform(0.75, 1.0), covers * rng.uniform(1.0, 1.15), covers * rng.uniform(1.3, 2.6))
    scale = zoom[int(rng.choice(3, p=[0.4, 0.4, 0.2]))]
    middle = (slice_.shape[1] / 2, slice_.shape[0] / 2)
    turn = np.asarray(cv2.getRotationMatrix2D(middle, rng.normal(0, 3), scale), dtype=np.float64)
    slack = np.abs(np.array([width, height]) - scale * np.array(slice_.shape[1::-1])) / 2
    turn[:, 2] += np.array([width, height]) / 2 - np.array(slice_.shape[1::-1]) / 2 + rng.uniform(-0.8, 0.8, 2) * slack
    how = cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    placed = cv2.warpAffine(slice_, turn, (width, height), flags=how)
    return grain(np.asarray(placed, dtype=np.uint8), rng, noise)


def _textured(canvas: Canvas, rng: np.random.Generator, amount: float) -> Canvas:
    field = cloud(rng, canvas.shape[:2], cells=rng.uniform(14, 40), octaves=2) - 0.5
    return (canvas + amount * field * (canvas > 8)).clip(0, 255).astype(np.uint8)


def _table(canvas: Canvas, rng: np.random.Generator) -> None:
    if rng.random() < 0.5:
        line = np.array([(0.08, 0.97), (0.3, 0.985), (0.7, 0.985), (0.92, 0.97)])
        stroke(
            canvas,
            line + np.array([0, rng.uniform(-0.03, 0.01)]),
            grey(rng.uniform(70, 170)),
            width=int(rng.integers(1, 4)),
        )


def _trunk(rng: np.random.Generator) -> Canvas:
    """Skin, fat and wall of a trunk across, spine and table included."""
    canvas = np.zeros((240, int(rng.uniform(250, 360))), dtype=np.uint8)
    fat, muscle = rng.uniform(50, 100), rng.uniform(120, 160)
    thick = rng.uniform(0.02, 0.07)
    blob(canvas, rng, at=(0.5, 0.5), radii=(0.48, 0.46), colour=grey(fat), rough=0.05)
    blob(canvas, rng, at=(0.5, 0.5), radii=(0.48 - thick, 0.46 - thick), colour=grey(muscle), rough=0.05)
    _table(canvas, rng)
    return canvas


def _spine_across(canvas: Canvas, rng: np.random.Generator, bone: float) -> None:
    for side in (-1, 1):
        stroke(canvas, curve(rng, (0.5, 0.78), (0.5 + side * 0.09, 0.8), bend=0.1), grey(bone), width=6)
    stroke(canvas, curve(rng, (0.5, 0.78), (0.5, 0.9), bend=0.05), grey(bone), width=6)
    blob(canvas, rng, at=(0.5, 0.71), radii=(0.07, 0.07), colour=grey(bone), rough=0.1)
    blob(canvas, rng, at=(0.5, 0.71), radii=(0.055, 0.055), colour=grey(bone * 0.8), rough=0.1)
    blob(canvas, rng, at=(0.5, 0.79), radii=(0.025, 0.025), colour=grey(110), rough=0.1)


def _ribs_across(canvas: Canvas, rng: np.random.Generator, bone: float) -> None:
    ring = outline(rng, at=(0.5, 0.5), radii=(0.43, 0.4), rough=0.03)
    for start in rng.choice(48, int(rng.integers(6, 12)), replace=False):
        part = np.take(ring, np.arange(start, start + rng.integers(2, 5)), axis=0, mode="wrap")
        stroke(canvas, part, grey(bone), width=int(rng.integers(3, 7)))


def _chest_slice(rng: np.random.Generator) -> Canvas:
    canvas = _trunk(rng)
    bone, air = rng.uniform(210, 255), rng.uniform(0, 40)
    for side in (-1, 1):
        at = (0.5 + side * rng.uniform(0.19, 0.22), 0.48)
        blob(canvas, rng, at=at, radii=(0.17, rng.uniform(0.27, 0.34)), colour=grey(air), rough=0.12)
    for x, y in rng.uniform([0.15, 0.25], [0.85, 0.7], (int(rng.integers(15, 60)), 2)):
        blob(canvas, rng, at=(x, y), radii=(0.006, 0.008), colour=grey(rng.uniform(60, 170)), rough=0.3)
    heart = rng.uniform(130, 220)
    blob(canvas, rng, at=(0.53, 0.42), radii=(0.13, rng.uniform(0.1, 0.2)), colour=grey(heart), rough=0.15)
    blob(canvas, rng, at=(0.58, 0.66), radii=(0.03, 0.035), colour=grey(heart), rough=0.05)
    if rng.random() < 0.5:  # a mass, or an effusion behind a lung
        at = (rng.choice([0.25, 0.75]), rng.uniform(0.3, 0.75))
        blob(canvas, rng, at=at, radii=tuple(rng.uniform(0.02, 0.12, 2)), colour=grey(rng.uniform(100, 170)), rough=0.3)
    _spine_across(canvas, rng, bone)
    _ribs_across(canvas, rng, bone)
    return _textured(canvas, rng, 25)


def _belly_slice(rng: np.random.Generator) -> Canvas:
    canvas = _trunk(rng)
    fat, organ, bone = rng.uniform(40, 90), rng.uniform(120, 180), rng.uniform(200, 255)
    blob(canvas, rng, at=(0.5, 0.47), radii=(0.39, 0.37), colour=grey(fat), rough=0.06)
    blob(canvas, rng, at=(0.29, 0.4), radii=(0.19, rng.uniform(0.2, 0.3)), colour=grey(organ), rough=0.2)
    blob(canvas, rng, at=(0.79, 0.5), radii=(0.07, 0.13), colour=grey(organ + 15), rough=0.15)
    for side in (-1, 1):
        at = (0.5 + side * rng.uniform(0.17, 0.22), 0.66)
        blob(canvas, rng, at=at, radii=(0.06, 0.09), colour=grey(organ + rng.uniform(0, 60)), rough=0.15)
        blob(canvas, rng, at=at, radii=(0.02, 0.035), colour=grey(fat), rough=0.3)
    for x, y in rng.uniform([0.4, 0.2], [0.8, 0.55], (int(rng.integers(4, 16)), 2)):
        size = rng.uniform(0.02, 0.07)
        blob(canvas, rng, at=(x, y), radii=(size, size), colour=grey(organ - 20), rough=0.25)
        blob(
            canvas,
            rng,
            at=(x, y),
            radii=(size * 0.6, size * 0.6),
            colour=grey(rng.choice([0, 60, 120, 250])),
            rough=0.25,
        )
    if rng.random() < 0.6:
        extent, place = rng.uniform(0.02, 0.14, 2), rng.uniform(0.25, 0.7, 2)
        blob(canvas, rng, at=place, radii=extent, colour=grey(rng.uniform(60, 220)), rough=0.25)
    _spine_across(canvas, rng, bone)
    blob(canvas, rng, at=(0.48, 0.61), radii=(0.03, 0.035), colour=grey(rng.uniform(130, 240)), rough=0.05)
    _ribs_across(canvas, rng, bone)
    return _textured(canvas, rng, 22)


def _pelvis_slice(rng: np.random.Generator) -> Canvas:
    canvas = _trunk(rng)
    bone = rng.uniform(190, 255)
    blob(canvas, rng, at=(0.5, 0.42), radii=(0.2, 0.2), colour=grey(rng.uniform(60, 130)), rough=0.2)
    blob(canvas, rng, at=(0.5, 0.45), radii=(0.12, 0.12), colour=grey(rng.uniform(90, 180)), rough=0.15)
    for side in (-1, 1):
        at = (0.5 + side * 0.3, 0.5)
        blob(canvas, rng, at=at, radii=(0.07, 0.09), colour=grey(bone), rough=0.1)
        blob(canvas, rng, at=at, radii=(0.055, 0.07), colour=grey(bone * 0.75), rough=0.1)
        stroke(canvas, curve(rng, (0.5 + side * 0.2, 0.4), (0.5 + side * 0.15, 0.75), bend=0.3), grey(bone), width=7)
    blob(canvas, rng, at=(0.5, 0.8), radii=(0.1, 0.05), colour=grey(bone), rough=0.2)
    return _textured(canvas, rng, 22)


def _coronal_trunk(rng: np.random.Generator) -> Canvas:
    """A long body from neck to pelvis, seen from the front."""
    canvas = np.zeros((340, int(rng.uniform(170, 260))), dtype=np.uint8)
    soft, organ, bone = rng.uniform(70, 120), rng.uniform(120, 180), rng.uniform(170, 255)
    blob(canvas, rng, at=(0.5, 0.55), radii=(0.42, 0.6), colour=grey(soft), rough=0.08)
    for side in (-1, 1):
        lung = rng.uniform(0, 30)
        blob(canvas, rng, at=(0.5 + side * 0.2, 0.24), radii=(0.15, 0.18), colour=grey(lung), rough=0.12)
        blob(canvas, rng, at=(0.5 + side * 0.2, 0.6), radii=(0.06, 0.09), colour=grey(organ + 20), rough=0.1)
        stroke(canvas, curve(rng, (0.5 + side * 0.12, 0.8), (0.5 + side * 0.35, 0.75), bend=0.3), grey(bone), width=9)
    blob(canvas, rng, at=(0.3, 0.48), radii=(0.2, 0.11), colour=grey(organ), rough=0.2)
    blob(canvas, rng, at=(0.54, 0.3), radii=(0.11, 0.1), colour=grey(organ), rough=0.12)
    for y in np.arange(0.05, 0.85, 0.055):
        blob(canvas, rng, at=(0.5, float(y)), radii=(0.045, 0.02), colour=grey(bone), rough=0.08)
    for x, y in rng.uniform([0.25, 0.6], [0.75, 0.9], (int(rng.integers(5, 15)), 2)):
        blob(canvas, rng, at=(x, y), radii=(0.05, 0.03), colour=grey(rng.uniform(20, 200)), rough=0.3)
    return _textured(canvas, rng, 22)


def _head_planes(rng: np.random.Generator) -> tuple[Field, Field, Field]:
    """Grey matter, white matter (0 to 255) and depth under the brain's hull in mm, on one plane of the template."""
    head = load_head()
    axis = int(rng.integers(3))
    share = rng.uniform(*((0.3, 0.7), (0.3, 0.75), (0.35, 0.75))[axis])
    parts = [np.take(volume, int(share * volume.shape[axis]), axis=axis) for volume in (head.gm, head.wm, head.depth)]
    gm, wm, depth = (np.ascontiguousarray(np.rot90(part), dtype=np.float32) for part in parts)
    return gm, wm, np.asarray(cv2.resize(depth, gm.shape[1::-1]), dtype=np.float32)


def _head_mri(rng: np.random.Generator) -> Canvas:
    gm, wm, depth = _head_planes(rng)
    inside = (depth > -2.5).astype(np.float32)
    fluid, fat, marrow = rng.uniform(0.05, 0.9), rng.uniform(0.3, 0.9), rng.uniform(0.1, 0.4)
    tissue = rng.uniform(0.3, 0.5) * gm + rng.uniform(0.4, 0.7) * wm + fluid * (255 - gm - wm).clip(0) * inside
    shell = 255 * (fat * ((depth < -8.5) & (depth > -14)) + marrow * ((depth < -4) & (depth > -7)))
    canvas = (tissue * inside + shell).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        at = tuple(rng.uniform(0.3, 0.7, 2))
        blob(canvas, rng, at=at, radii=tuple(rng.uniform(0.03, 0.12, 2)), colour=grey(rng.uniform(20, 255)), rough=0.3)
    return canvas


def _head_ct(rng: np.random.Generator) -> Canvas:
    gm, wm, depth = _head_planes(rng)
    brain = 0.42 * gm + 0.36 * wm + 25 * (depth > -2.5)
    skull = 255 * ((depth < -2.5) & (depth > -8.5)) + 70 * ((depth <= -8.5) & (depth > -14))
    canvas = (cv2.GaussianBlur(brain, (0, 0), 1.2) + skull).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.5:
        at = tuple(rng.uniform(0.3, 0.7, 2))
        blob(canvas, rng, at=at, radii=tuple(rng.uniform(0.03, 0.12, 2)), colour=grey(rng.choice([50, 190])), rough=0.3)
    return canvas


def _spine_mri(rng: np.random.Generator) -> Canvas:
    """A spine from the side: a column of vertebrae and discs, the cord behind it."""
    canvas = np.full((320, int(rng.uniform(130, 220))), int(rng.uniform(25, 70)), dtype=np.uint8)
    blob(canvas, rng, at=(0.95, 0.5), radii=(0.25, 0.6), colour=grey(rng.uniform(90, 220)), rough=0.05)
    back = curve(rng, (rng.uniform(0.35, 0.45), -0.02), (rng.uniform(0.4, 0.55), 1.02), bend=0.12)
    stroke(canvas, back + np.array([0.19, 0]), grey(rng.uniform(120, 240)), width=16)
    stroke(canvas, back + np.array([0.19, 0]), grey(rng.uniform(70, 130)), width=7)
    bone, disc = rng.uniform(80, 150), rng.uniform(30, 220)
    for y in np.arange(0.0, 1.05, rng.uniform(0.075, 0.12)).tolist():
        x = float(np.interp(y, back[:, 1], back[:, 0]))
        blob(canvas, rng, at=(x, y - 0.045), radii=(0.1, 0.012), colour=grey(disc), rough=0.1)
        square = np.array([(-0.11, -0.033), (0.11, -0.03), (0.1, 0.03), (-0.1, 0.033)]) + np.array([x, y])
        fill(canvas, square + rng.normal(0, 0.004, (4, 2)), grey(bone))
        blob(canvas, rng, at=(x + 0.33, y + 0.02), radii=(0.07, 0.018), colour=grey(bone), rough=0.2)
    return soften(_textured(canvas, rng, 30), 1.0)


def _joint_mri(rng: np.random.Generator) -> Canvas:
    """Two bones that meet, from the side or the front."""
    canvas = np.zeros((280, int(rng.uniform(200, 280))), dtype=np.uint8)
    soft, bone, edge = rng.uniform(50, 110), rng.uniform(120, 220), rng.uniform(10, 40)
    blob(canvas, rng, at=(0.5, 0.5), radii=(rng.uniform(0.36, 0.46), 0.75), colour=grey(soft + 60), rough=0.06)
    blob(canvas, rng, at=(0.5, 0.5), radii=(0.34, 0.7), colour=grey(soft), rough=0.06)
    for sign in (-1, 1):
        for grow, level in ((0.02, edge), (0.0, bone)):
            shaft = [(0.4, 0.5 + sign * 0.6), (0.6, 0.5 + sign * 0.6), (0.6, 0.5 + sign * 0.2), (0.4, 0.5 + sign * 0.2)]
            fill(canvas, np.array(shaft) + grow * np.array([(-1, 0), (1, 0), (1, 0), (-1, 0)]), grey(level))
            radii = (0.24 + grow, 0.16 + grow)
            blob(canvas, rng, at=(0.5, 0.5 + sign * 0.18), radii=radii, colour=grey(level), rough=0.06)
    blob(canvas, rng, at=(0.5, 0.5), radii=(0.2, 0.02), colour=grey(rng.uniform(150, 250)), rough=0.2)
    return soften(_textured(canvas, rng, 40), 0.8)


def draw_angiogram(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Vessels that branch: dark on a grey, uneven ground, or white on black."""
    ground = cloud(rng, shape, cells=rng.uniform(2, 5), octaves=2) * rng.uniform(20, 90) + rng.uniform(90, 150)
    flow = np.zeros(shape, dtype=np.uint8)
    for _ in range(int(rng.integers(1, 4))):
        root, heading = rng.uniform([0.2, 0.7], [0.8, 1.05]), rng.normal(-np.pi / 2, 0.5)
        branch(flow, rng, (float(root[0]), float(root[1])), float(heading), rng.uniform(3, 8) * min(shape) / 200)
    vessels = cv2.GaussianBlur(flow, (0, 0), 0.7) / np.float32(255)
    if rng.random() < 0.25:
        return grain((20 + 220 * vessels).astype(np.uint8), rng, 6)
    picture = ground * (1 - vessels * rng.uniform(0.5, 0.9))
    if rng.random() < 0.35:  # a round or cut-off image intensifier
        field = np.zeros(shape, dtype=np.uint8)
        blob(field, rng, at=(0.5, 0.5), radii=(0.52, 0.52), colour=grey(1), rough=0.0)
        picture = picture * field
    return grain(picture.clip(0, 255).astype(np.uint8), rng, rng.uniform(2, 8))


def branch(canvas: Canvas, rng: np.random.Generator, start: Point, heading: float, width: float) -> None:
    """A vessel and its branches, drawn until they are thinner than half a pixel."""
    open_ends = [(start, heading, width)]
    for _ in range(60):
        if not open_ends:
            return
        at, angle, thick = open_ends.pop(0)
        reach = rng.uniform(0.08, 0.25)
        tip = (at[0] + reach * np.cos(angle), at[1] + reach * np.sin(angle))
        stroke(canvas, curve(rng, at, tip, bend=0.25), grey(130 + 25 * thick), width=thick)
        children = 2 if rng.random() < 0.7 else 1
        turns = rng.normal(0, 0.25) + np.array([-0.45, 0.45])[:children]
        open_ends += [(tip, angle + float(turn), thick * rng.uniform(0.6, 0.9)) for turn in turns if thick > 0.8]
