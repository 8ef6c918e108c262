"""The picture of phi: one map a model, the strongest patches in the strongest colours, at their places."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.papers.phi_map import phi_map


def drawn(**grids: NDArray[np.floating]) -> NDArray[np.int64]:
    return np.asarray(Image.open(io.BytesIO(phi_map(grids))).convert("RGB"), np.int64)


def orange(page: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where high values of a map are, left of the colour bar."""
    left = page[:, : page.shape[1] * 3 // 4]
    return (left[..., 0] - left[..., 2] > 60) & (left[..., 0] > left[..., 1])


def test_a_high_patch_is_orange_at_its_place() -> None:
    grid = np.zeros((4, 4))
    grid[0, 3] = 3.0
    down, across = np.nonzero(orange(drawn(MLIP=grid)))
    page = drawn(MLIP=grid)
    assert down.mean() < page.shape[0] / 3 < across.mean()
    assert not orange(drawn(MLIP=-grid)).any()


def test_models_stand_side_by_side_on_one_scale() -> None:
    grid = np.eye(4) * 3
    one, two = drawn(a=grid), drawn(a=grid, b=grid / 10)
    assert two.shape[1] > one.shape[1] * 1.5
    across = np.nonzero(orange(two))[1]
    assert across.max() < two.shape[1] / 2  # the weak one stays pale


def test_the_same_phi_gives_the_same_bytes_and_none_at_all_is_drawn_too() -> None:
    grid = np.random.default_rng(0).normal(size=(14, 14))
    assert phi_map({"a": grid}) == phi_map({"a": grid})
    assert (drawn(untrained=np.zeros((14, 14))) < 255).any()
