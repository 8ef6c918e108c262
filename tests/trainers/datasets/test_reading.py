"""An image with its boxes and masks, resized together."""

import io
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from core.records import Radiograph, Reject, Target
from core.rejection import RejectionError
from trainers.datasets.reading import bounds, decode_runs, read, scaled
from trainers.datasets.work import Outline, Work

Mask = NDArray[np.bool_]
WORK = Work(
    image="a.png", image_id="a", patient_id="p", study_id="s", dataset="D", split="val",
    targets=[Target(name="Mass", present=True)],
)  # fmt: skip


def png(pixels: NDArray[np.generic]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def encoded(mask: Mask) -> str:
    """Relative run lengths, counted pixel by pixel down the columns."""
    runs, gap, length = [], 0, 0
    for pixel in [*mask.T.ravel().tolist(), False]:
        if pixel:
            length += 1
            continue
        if length:
            runs += [gap, length]
            gap, length = 0, 0
        gap += 1
    return " ".join(str(number) for number in runs)


def slowly_decoded(runs: str, size: tuple[int, int]) -> Mask:
    """Each pixel set one by one."""
    width, height = size
    mask, position = np.zeros((height, width), dtype=bool), 0
    numbers = [int(number) for number in runs.split()]
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        position += gap
        for _ in range(length):
            mask[position % height, position // height] = True
            position += 1
    return mask


@pytest.mark.parametrize("seed", range(5))
def test_run_lengths_decode_as_pixel_by_pixel_and_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((23, 17)) < rng.uniform(0, 1)
    runs = encoded(mask)
    assert (decode_runs([runs], (17, 23)) == mask).all()
    assert (decode_runs([runs], (17, 23)) == slowly_decoded(runs, (17, 23))).all()


def test_run_lengths_of_several_areas_are_united() -> None:
    one, other = np.zeros((2, 6, 5), dtype=bool)
    one[1:3, 1], other[2:5, 1:3] = True, True
    assert (decode_runs([encoded(one), encoded(other)], (5, 6)) == (one | other)).all()


@pytest.mark.parametrize("runs", ["1", "1 2 3", "0 31", "-3 5", "a b"])
def test_run_lengths_that_do_not_fit_have_a_reason(runs: str) -> None:
    with pytest.raises(RejectionError) as caught:
        decode_runs([runs], (5, 6))
    assert caught.value.code == "bad_runs"


def test_boxes_go_with_the_image_and_stay_inside_it() -> None:
    assert scaled((10, 20, 30, 40), (100, 200), (50, 100)) == (5, 10, 20, 30)
    assert scaled((90, -10, 30, 40), (100, 200), (50, 100)) == (45, 0, 50, 15)
    assert scaled((100, 0, 30, 40), (100, 200), (50, 100)) is None


@pytest.mark.parametrize("white", [1, 255])
def test_masks_are_resized_to_the_image(
    root: Path, write: Callable[..., Path], film: NDArray[np.uint8], white: int
) -> None:
    write("a.png", png(film))
    write("mask.png", png((film > 0).astype(np.uint8) * white))
    (made,) = read(replace(WORK, outlines=[Outline(target="Mass", mask="mask.png")]), root=root, side=24)
    assert isinstance(made, Radiograph)
    assert (made.width, made.height) == (24, 32)
    (region,) = made.regions
    assert region.box == (6, 4, 18, 28)
    assert region.mask is not None
    mask = np.asarray(Image.open(io.BytesIO(region.mask)))
    shown = np.asarray(Image.open(io.BytesIO(made.image)))
    assert mask.dtype == bool
    assert mask.shape == shown.shape == (32, 24)
    assert bounds(mask) == region.box
    assert shown[mask].min() > 150 > shown[~mask].max()


def test_a_radiograph_says_what_was_done_to_it(root: Path, write: Callable[..., Path], film: NDArray[np.uint8]) -> None:
    write("a.png", png(film))
    (made,) = read(replace(WORK, outlines=[Outline(target="Mass", box=(90, 0, 5, 5))]), root=root, side=24)
    assert isinstance(made, Radiograph)
    assert made.notes == ["48 x 64 made 24 x 32", "no pixel of Mass"]
    assert made.regions == [] and made.small is None
    (kept,) = read(replace(WORK, outlines=[]), root=root, side=24, train_side=16)
    assert isinstance(kept, Radiograph) and kept.small is not None and kept.image == made.image
    assert Image.open(io.BytesIO(kept.small)).size == (12, 16)


@pytest.mark.parametrize(
    ("work", "views", "code"),
    [
        (replace(WORK, image="gone.png"), (), "missing_image"),
        (replace(WORK, image="text.png"), (), "not_image"),
        (replace(WORK, targets=[]), (), "nothing_known"),
        (replace(WORK, view="LATERAL"), ("PA", "AP"), "view"),
        (WORK, ("PA", "AP"), "view"),
        (replace(WORK, outlines=[Outline(target="Mass", mask="gone.png")]), (), "missing_image"),
    ],
)
def test_what_cannot_be_used_is_left_out_with_a_reason(
    root: Path, write: Callable[..., Path], film: NDArray[np.uint8], work: Work, views: tuple[str, ...], code: str
) -> None:
    write("a.png", png(film))
    write("text.png", "no image")
    (left_out,) = read(work, root=root, side=24, views=views)
    assert isinstance(left_out, Reject)
    assert (left_out.code, left_out.item_id, left_out.article_id) == (code, "a", "p")


@pytest.mark.parametrize(("there", "asked"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_an_image_and_its_mask_are_found_by_either_form_of_their_names(there: str, asked: str, tmp_path: Path) -> None:
    def form(kind: str, name: str) -> str:
        return unicodedata.normalize(kind, name)  # type: ignore[arg-type]

    for name in ("é1.png", "été.png"):
        (tmp_path / form(there, name)).write_bytes(png(np.full((20, 20), 200, np.uint8)))
    outline = Outline(target="Mass", mask=form(asked, "été.png"))
    (found,) = read(replace(WORK, image=form(asked, "é1.png"), outlines=[outline]), root=tmp_path, side=16)
    assert isinstance(found, Radiograph) and len(found.regions) == 1


def test_a_name_that_no_file_can_have_costs_its_image(tmp_path: Path) -> None:
    (found,) = read(replace(WORK, image="a\0.png"), root=tmp_path, side=16)
    assert isinstance(found, Reject) and found.code == "missing_image"
