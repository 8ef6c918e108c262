"""Radiographs as panels show them: chest, limb, skull and spine, collimated, inverted at times, with their markers."""

import cv2
import numpy as np

from phantom.pictures.brushes import (
    Canvas,
    Shape,
    blob,
    cloud,
    curve,
    fill,
    grain,
    grey,
    outline,
    pick_font,
    soften,
    stroke,
    write,
)


def draw_xray(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A radiograph that fills the panel or stands in a straight-edged frame of its own inside it."""
    draw = (_chest, _chest, _limb, _limb, _skull, _spine, _hand)[int(rng.integers(7))]
    film = draw(rng, shape)
    film = _collimate(film, rng) if rng.random() < 0.3 else film
    film = 255 - film if rng.random() < 0.08 else film
    if rng.random() < 0.5:
        at = (rng.choice([0.04, 0.88]), rng.uniform(0.03, 0.85))
        size = max(8, min(shape) * rng.uniform(0.05, 0.1))
        write(film, str(rng.choice(["R", "L", "PORT", "AP"])), at=at, size=size, colour=grey(240), font=pick_font(rng))
    return grain(film, rng, rng.uniform(1, 6))


def _collimate(film: Canvas, rng: np.random.Generator) -> Canvas:
    """The film inside straight edges; beyond them plain black, grey or white."""
    height, width = film.shape
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], dtype=np.float64)
    inward = np.array([(1, 1), (-1, 1), (-1, -1), (1, -1)]) * rng.uniform(0, 0.14, (4, 2)) * [width, height]
    straight = rng.random() < 0.6
    edges = rng.uniform(0, 0.14, 4) * [width, height, width, height]
    box = np.array([(edges[0], edges[1]), (width - edges[2], edges[1])] * 2)
    box[2:] = [(width - edges[2], height - edges[3]), (edges[0], height - edges[3])]
    window = np.zeros_like(film)
    cv2.fillPoly(window, [np.round(box if straight else corners + inward).astype(np.int32)], grey(255), cv2.LINE_AA)
    beyond = rng.choice([0, 0, 20, 60, 130, 255])
    return np.where(window > 127, film, beyond).astype(np.uint8)


def _ground(rng: np.random.Generator, shape: Shape, low: float, high: float) -> Canvas:
    return (low + (high - low) * cloud(rng, shape, cells=rng.uniform(1.5, 4), octaves=3)).astype(np.uint8)


def _chest(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Both lungs with ribs, the heart's shadow, spine, clavicles and diaphragm."""
    body = _ground(rng, shape, 130, rng.uniform(180, 240))
    if rng.random() < 0.6:
        for side in (-0.04, 1.04):
            blob(body, rng, at=(side, 0.6), radii=(rng.uniform(0.02, 0.12), 0.4), colour=grey(5), rough=0.1)
    blob(body, rng, at=(0.5, -0.05), radii=(0.9, 0.1), colour=grey(rng.uniform(10, 90)), rough=0.05)
    air = rng.uniform(20, 90)
    for side in (-1, 1):
        top = outline(rng, at=(0.5 + side * 0.22, 0.45), radii=(0.16, rng.uniform(0.3, 0.38)), rough=0.06)
        floor = rng.uniform(0.68, 0.85)
        fill(body, np.minimum(top, [2, floor]), grey(air))
        if rng.random() < 0.3:  # an opacity
            at = (0.5 + side * rng.uniform(0.12, 0.3), rng.uniform(0.25, 0.75))
            blob(
                body, rng, at=at, radii=tuple(rng.uniform(0.03, 0.13, 2)), colour=grey(rng.uniform(100, 200)), rough=0.3
            )
    heart = (rng.uniform(0.1, 0.2), rng.uniform(0.13, 0.2))
    blob(body, rng, at=(0.56, 0.63), radii=heart, colour=grey(rng.uniform(180, 235)), rough=0.1)
    stroke(body, curve(rng, (0.5, -0.02), (0.5, 1.02), bend=0.02), grey(205), width=shape[1] * 0.09)
    soft = soften(body, shape[1] / 70)
    bones = soft.copy()
    for side in (-1, 1):
        stroke(bones, curve(rng, (0.52, 0.16), (0.5 + side * 0.36, 0.1), bend=0.1), grey(220), width=shape[1] * 0.025)
        for y in np.arange(0.15, 0.9, 0.075):
            rib = outline(rng, at=(0.5 + side * 0.17, float(y) + 0.06), radii=(0.22, 0.07), rough=0.0, turn=side * 0.35)
            stroke(bones, rib[24:] if side > 0 else rib[22:46], grey(220), width=shape[1] * 0.02)
    if rng.random() < 0.3:  # a tube or a wire
        stroke(bones, curve(rng, (rng.uniform(0.2, 0.8), -0.02), (0.5, 0.6), bend=0.3), grey(255), width=1)
    share = rng.uniform(0.2, 0.45)
    return np.asarray(cv2.addWeighted(soft, 1 - share, soften(bones, 0.8), share, 0), dtype=np.uint8)


def _bone(film: Canvas, rng: np.random.Generator, start: np.ndarray, end: np.ndarray, thick: float) -> None:
    """A long bone between two ends in shares: shaft with bright cortex and darker marrow, wider heads."""
    course = curve(rng, tuple(start.tolist()), tuple(end.tolist()), bend=0.03)
    bright = rng.uniform(170, 235)
    for grow, level in ((1.0, bright), (0.55, bright * rng.uniform(0.65, 0.9))):
        stroke(film, course, grey(level), width=thick * grow)
        for tip in (start, end):
            size = (thick * grow * 0.75 / film.shape[1], thick * grow * 0.6 / film.shape[0])
            blob(film, rng, at=tuple(tip.tolist()), radii=size, colour=grey(level), rough=0.1)


def _limb(rng: np.random.Generator, shape: Shape) -> Canvas:
    """One or two long bones and a joint in soft tissue on a dark ground, along the panel's longer side or aslant."""
    film = _ground(rng, shape, rng.uniform(0, 12), rng.uniform(12, 40))
    angle = (0 if shape[1] > 1.2 * shape[0] else np.pi / 2) + rng.normal(0, 0.2)
    axis = np.array([np.cos(angle), np.sin(angle)])
    flesh = rng.uniform(0.25, 0.75) * min(shape)
    stroke(film, np.stack([0.5 - axis, 0.5 + axis]), grey(rng.uniform(60, 120)), width=flesh)
    film = soften(film, min(shape) / 50)
    joint, side = 0.5 + axis * rng.uniform(-0.25, 0.25), np.array([-axis[1], axis[0]])
    thick = flesh * rng.uniform(0.22, 0.4)
    _bone(film, rng, joint - axis * 1.2, joint - axis * 0.08, thick)
    if rng.random() < 0.5:
        _bone(film, rng, joint + axis * 0.06, joint + axis * 1.2, thick)
    else:
        for sign in (-1, 1):
            _bone(
                film,
                rng,
                joint + axis * 0.07 + sign * side * 0.06,
                joint + axis * 1.2 + sign * side * 0.08,
                thick * 0.6,
            )
    if rng.random() < 0.25:  # a plate or nail of metal, with screws
        plate = np.stack([joint - axis * 0.35, joint + axis * 0.3]) + side * 0.04
        stroke(film, plate, grey(255), width=max(2, thick * 0.2))
        for share in np.linspace(0.1, 0.9, 5):
            at = plate[0] + share * (plate[1] - plate[0])
            stroke(film, np.stack([at, at - side * 0.12]), grey(255), width=2)
    texture = 0.8 + 0.3 * cloud(rng, shape, cells=30, octaves=2)
    return soften((film * texture).clip(0, 255).astype(np.uint8), 0.9)


def _hand(rng: np.random.Generator, shape: Shape) -> Canvas:
    """Five rays of small bones from a wrist."""
    film = _ground(rng, shape, 0, rng.uniform(10, 40))
    wrist = np.array([rng.uniform(0.4, 0.6), 0.85])
    thick = min(shape) * rng.uniform(0.05, 0.08)
    rays = [wrist + rng.uniform(0.65, 0.8) * np.array([np.sin(a), -np.cos(a)]) for a in np.linspace(-0.6, 0.5, 5)]
    flesh = film.copy()
    for ray in rays:
        stroke(flesh, np.stack([wrist, ray]), grey(90), width=2.4 * thick)
    film = soften(flesh, thick / 3)
    for ray in rays:
        for start, end in ((0.2, 0.5), (0.54, 0.74), (0.78, 0.9), (0.93, 1.0)):
            _bone(film, rng, wrist + start * (ray - wrist), wrist + end * (ray - wrist), thick * (1.2 - 0.6 * start))
    for x, y in rng.normal(0, 0.05, (8, 2)) + wrist:
        blob(film, rng, at=(x, y), radii=(0.035, 0.03), colour=grey(rng.uniform(150, 220)), rough=0.1)
    for side in (-0.06, 0.06):
        _bone(film, rng, wrist + np.array([side, 0.08]), wrist + np.array([side * 1.3, 0.4]), 1.6 * thick)
    return soften(film, 0.8)


def _skull(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A skull from the side or the front, with teeth."""
    film = _ground(rng, shape, 0, rng.uniform(10, 60))
    bone = rng.uniform(150, 220)
    blob(film, rng, at=(0.5, 0.8), radii=(0.25, 0.4), colour=grey(bone * 0.6), rough=0.1)
    blob(film, rng, at=(0.48, 0.42), radii=(0.4, 0.38), colour=grey(bone), rough=0.04)
    blob(film, rng, at=(0.48, 0.42), radii=(0.375, 0.355), colour=grey(bone * 0.65), rough=0.04)
    blob(film, rng, at=(0.55, 0.72), radii=(0.22, 0.18), colour=grey(bone * 0.85), rough=0.15)
    for x in (rng.uniform(0.35, 0.42), rng.uniform(0.58, 0.68)):
        blob(film, rng, at=(x, 0.56), radii=(0.08, 0.07), colour=grey(bone * 0.4), rough=0.1)
    film = soften(film, min(shape) / 60)
    for row in (0.76, 0.81):
        for x in np.arange(0.42, 0.68, 0.035).tolist():
            blob(film, rng, at=(x, row), radii=(0.014, 0.025), colour=grey(235), rough=0.1)
    return (film * (0.75 + 0.4 * cloud(rng, shape, cells=12, octaves=3))).clip(0, 255).astype(np.uint8)


def _spine(rng: np.random.Generator, shape: Shape) -> Canvas:
    """A column of vertebrae in soft tissue, with rods and screws at times."""
    film = _ground(rng, shape, 30, rng.uniform(90, 150))
    back = curve(rng, (rng.uniform(0.4, 0.6), -0.02), (rng.uniform(0.4, 0.6), 1.02), bend=0.1)
    half, step = rng.uniform(0.08, 0.16), rng.uniform(0.09, 0.17)
    for y in np.arange(0, 1.1, step).tolist():
        x = float(np.interp(y, back[:, 1], back[:, 0]))
        square = np.array([(-half, -0.4 * step), (half, -0.4 * step), (half, 0.4 * step), (-half, 0.4 * step)])
        fill(film, square + np.array([x, y]) + rng.normal(0, 0.006, (4, 2)), grey(rng.uniform(150, 190)))
        fill(film, 0.8 * square + np.array([x, y]), grey(rng.uniform(125, 160)))
        blob(film, rng, at=(x, y), radii=(0.02, 0.4 * step), colour=grey(190), rough=0.2)
    film = soften(film, min(shape) / 90)
    if rng.random() < 0.4:
        for side in (-0.7 * half, 0.7 * half):
            stroke(film, back[6:18] + np.array([side, 0]), grey(255), width=max(2, 0.02 * min(shape)))
            for x, y in back[6:18:3] + np.array([side, 0]):
                stroke(film, np.array([(x, y), (x - side, y + 0.01)]), grey(255), width=2)
    return (film * (0.8 + 0.3 * cloud(rng, shape, cells=20, octaves=2))).clip(0, 255).astype(np.uint8)
