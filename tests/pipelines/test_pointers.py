"""Pairs as pointers, and back."""

import io
import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from PIL import Image

from core.copies.dedupe import pixels_md5
from core.images import open_image
from core.records import Pair, Sentence
from core.rejection import RejectionError
from pipelines.matching.match import make_pairs
from pipelines.pointers import Pointer, pieces_of, pointer_of, read_pointer, rebuilt, spoken, text_of
from tests.app.exports.conftest import a_figure


def noise(side: int) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(side).integers(0, 256, (40, side, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


FIGURE = replace(a_figure("PMC1.1"), image=noise(100))


def made() -> tuple[list[Pair], list[Pointer]]:
    image = open_image(FIGURE.image).image
    pairs = [
        replace(pair, sentences=[Sentence(start=0, end=2)])
        for pair in make_pairs(FIGURE, rule="joint", split="val", train_side=32)
    ]
    caption = spoken(FIGURE.caption, FIGURE.part_caption)
    return pairs, [pointer_of(asdict(pair), caption=caption, pixels=pixels_md5(image.crop(pair.box))) for pair in pairs]


def test_a_pointer_makes_the_same_pair_again() -> None:
    pairs, pointers = made()
    image = open_image(FIGURE.image).image
    read = [read_pointer(json.dumps(asdict(pointer))) for pointer in pointers]
    assert read == pointers
    assert [rebuilt(pointer, FIGURE, image, train_side=32) for pointer in read] == pairs
    assert len(pairs) == 2 and pairs[0].small is not None


def test_a_pointer_holds_no_words_of_the_caption() -> None:
    _, pointers = made()
    told = json.dumps([asdict(pointer) for pointer in pointers])
    assert "before" not in told and "MRI, " not in told


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The left one.", [(10, 23)]),
        ("Scans. The right one.", [(0, 7), (24, 38)]),
        ("Scans. Ödem here", [(0, 7), "Ödem here"]),
        ("", []),
        ("A", [(7, 8)]),
    ],
)
def test_texts_are_stretches_of_the_caption(text: str, pieces: list[object]) -> None:
    caption = "Scans. A: The left one. The right one."
    found = pieces_of(text, caption)
    assert found == pieces
    pointer = replace(made()[1][0], pieces=tuple(found))
    assert text_of(pointer, caption) == text


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        ("file_changed", {"md5": "other"}),
        ("caption_changed", {"caption": "(A) CT, later. (B) =MRI, «after»."}),
        ("caption_changed", {"part_caption": "CT."}),
    ],
)
def test_what_is_no_longer_the_same_is_refused(code: str, changed: dict[str, str]) -> None:
    pointer, figure = made()[1][0], replace(FIGURE, **changed)  # type: ignore[arg-type]
    with pytest.raises(RejectionError) as raised:
        rebuilt(pointer, figure, open_image(figure.image).image, train_side=None)
    assert raised.value.code == code


def test_other_pixels_and_other_words_are_refused() -> None:
    pointer, image = made()[1][0], open_image(FIGURE.image).image
    for code, wrong in (
        ("pixels_changed", replace(pointer, box=(1, 0, 48, 40))),
        ("text_changed", replace(pointer, pieces=((0, 5),))),
    ):
        with pytest.raises(RejectionError) as raised:
            rebuilt(wrong, FIGURE, image, train_side=None)
        assert raised.value.code == code


@pytest.mark.parametrize(
    ("line", "said"),
    [("{", "it is no JSON"), ("[]", "it is no pointer"), ('{"pair_id": 1}', "it is no pointer")],
)
def test_a_line_that_is_no_pointer_is_named(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_pointer(line)


def test_a_box_outside_the_figure_is_refused() -> None:
    told = asdict(made()[1][0]) | {"box": [5, 5, 5, 9]}
    with pytest.raises(ValueError, match="is empty"):
        read_pointer(json.dumps(told))
