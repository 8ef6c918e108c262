"""Marks over a picture."""

import numpy as np

from phantom.pictures.annotations import annotate


def marked(seed: int, *, scanner: bool) -> np.ndarray:
    """Which pixels (H, W) of a plain picture one seed's marks change."""
    picture = np.full((150, 190, 3), 90, dtype=np.uint8)
    annotate(picture, np.random.default_rng(seed), scanner=scanner)
    return (picture != 90).any(axis=2)


def test_some_pictures_stay_as_they_are_and_no_mark_hides_the_picture() -> None:
    shares = [marked(seed, scanner=False).mean() for seed in range(60)]
    assert 15 < sum(share == 0 for share in shares) < 45
    assert max(shares) < 0.5


def test_scanners_print_into_corners() -> None:
    def corners(scanner: bool) -> float:
        marks = np.mean([marked(seed, scanner=scanner) for seed in range(60)], axis=0)
        return float(marks[:10, :20].mean() + marks[:10, -20:].mean())

    assert corners(True) > 1.2 * corners(False)


def test_marks_fit_the_smallest_panel() -> None:
    for seed in range(80):
        picture = np.full((44, 44, 3), 90, dtype=np.uint8)
        annotate(picture, np.random.default_rng(seed), scanner=True)
        assert picture.shape == (44, 44, 3)
