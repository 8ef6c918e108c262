"""Noise, outlines, lines and text in shares of a canvas."""

import numpy as np

from phantom.pictures.brushes import (
    blend,
    blob,
    cloud,
    colour_near,
    curve,
    dimmed,
    fill,
    grain,
    grey,
    in_rgb,
    letters,
    outline,
    paste,
    soften,
    stroke,
    tint,
    write,
)  # fmt: skip


def rng() -> np.random.Generator:
    return np.random.default_rng(1)


def test_a_cloud_reaches_from_0_to_1_and_is_smooth() -> None:
    field = cloud(rng(), (80, 120), cells=4)
    assert field.shape == (80, 120)
    assert np.allclose((field.min(), field.max()), (0, 1), atol=1e-6)
    assert np.abs(np.diff(field, axis=1)).max() < 0.2


def test_more_octaves_are_rougher() -> None:
    smooth, rough = (np.abs(np.diff(cloud(rng(), (90, 90), cells=3, octaves=octaves))).mean() for octaves in (1, 5))
    assert rough > 1.2 * smooth


def test_blend_runs_between_two_colours() -> None:
    ends = blend((0, 100, 200), (100, 100, 0), np.array([[0, 0.5, 1]], dtype=np.float32))
    assert ends.tolist() == [[[0, 100, 200], [50, 100, 100], [100, 100, 0]]]


def test_tint_follows_its_ramp() -> None:
    ramp = np.array([(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)], dtype=np.float32)
    ends = tint(np.array([[0.0, 1.0]]), ramp)
    assert ends.tolist() == [[[0, 0, 0], [255, 255, 255]]]


def test_colours_stay_colours() -> None:
    assert all(0 <= level <= 255 for _ in range(50) for level in colour_near(rng(), (3, 250, 128), spread=90))
    assert grey(300.0) == (255, 255, 255)
    assert grey(-4) == (0, 0, 0)
    assert dimmed((200, 100, 50), 0.5) == (100, 50, 25)
    assert dimmed((200, 100, 50), np.array([1.0, 0.5, 0.0])) == (200, 50, 0)


def test_a_smooth_outline_is_an_ellipse() -> None:
    x, y = outline(rng(), at=(0.4, 0.6), radii=(0.2, 0.1), rough=0.0).T
    assert np.allclose(((x - 0.4) / 0.2) ** 2 + ((y - 0.6) / 0.1) ** 2, 1)


def test_a_turned_outline_swaps_its_axes() -> None:
    ring = outline(rng(), at=(0.5, 0.5), radii=(0.2, 0.1), rough=0.0, turn=np.pi / 2)
    assert np.allclose(np.ptp(ring, axis=0), [0.2, 0.4])


def test_a_filled_square_covers_its_share_of_a_canvas() -> None:
    canvas = np.zeros((100, 200), dtype=np.uint8)
    fill(canvas, np.array([(0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)]), grey(200))
    assert canvas[50, 100] == 200
    assert abs(np.mean(canvas > 100) - 0.25) < 0.02


def test_a_blob_lies_where_it_was_put() -> None:
    canvas = np.zeros((100, 100, 3), dtype=np.uint8)
    blob(canvas, rng(), at=(0.7, 0.3), radii=(0.1, 0.1), colour=(10, 200, 30))
    rows, columns = np.nonzero(canvas[..., 1] > 100)
    assert abs(rows.mean() - 30) < 3
    assert abs(columns.mean() - 70) < 3


def test_a_wider_stroke_covers_more_and_each_about_its_width() -> None:
    covered = []
    for width in (1, 5, 12):
        canvas = np.zeros((100, 100), dtype=np.uint8)
        stroke(canvas, np.array([(0.5, -0.1), (0.5, 1.1)]), grey(255), width=width)
        covered.append(int((canvas[50] > 127).sum()))
    assert all(abs(found - width) <= 2 for found, width in zip(covered, (1, 5, 12), strict=True))
    assert covered == sorted(set(covered))


def test_a_curve_ends_where_it_should() -> None:
    way = curve(rng(), (0.1, 0.2), (0.9, 0.7), bend=0.5)
    assert np.allclose(way[[0, -1]], [(0.1, 0.2), (0.9, 0.7)])
    assert np.allclose(np.diff(curve(rng(), (0, 0), (1, 1), bend=0.0) @ [1, -1]), 0)


def test_grain_leaves_black_nearly_black_and_roughens_the_rest() -> None:
    noisy = grain(np.repeat(np.array([[0], [150]], dtype=np.uint8), 4000, axis=1), rng(), 10)
    assert noisy.shape == (2, 4000, 3)
    assert noisy[0].std() < 3 < noisy[1].std()


def test_soften_keeps_the_mean_and_in_rgb_the_levels() -> None:
    picture = rng().integers(0, 256, (60, 60)).astype(np.uint8)
    assert abs(float(soften(picture, 2.0).mean()) - float(picture.mean())) < 2
    assert np.array_equal(in_rgb(picture)[..., 1], picture)


def test_text_stands_at_its_corner_and_is_cut_at_the_edge() -> None:
    canvas = np.zeros((60, 100, 3), dtype=np.uint8)
    write(canvas, "LV", at=(0.5, 0.5), size=14, colour=(255, 255, 0))
    rows, columns = np.nonzero(canvas[..., 0] > 100)
    assert 29 <= rows.min() < 36
    assert 49 <= columns.min() < 54
    assert canvas[..., 2].max() == 0
    write(canvas, "a long word that leaves the canvas", at=(-0.2, 0.9), size=14, colour=(255, 255, 0))


def test_what_lies_wholly_outside_changes_nothing() -> None:
    canvas = np.zeros((40, 40), dtype=np.uint8)
    for corner in ((1.5, 0.2), (0.2, 1.5), (-3.0, 0.2), (0.2, -3.0)):
        paste(canvas, letters("word", 10, "DejaVuSans.ttf"), corner, grey(255))
    assert canvas.max() == 0
