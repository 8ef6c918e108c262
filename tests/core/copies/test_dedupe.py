"""Copies of drawn scans are found, whatever happened to the file; other scans are not."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageOps

from core.copies.dedupe import SIDE, Seen, find_copies, groups, pixels_md5, similarity, thumbnail
from phantom.pictures.contents import draw_content

KINDS = ("ct", "mri", "xray", "ultrasound", "histology")
SIMILARITY = 0.98


@lru_cache
def pictures() -> list[Image.Image]:
    """Forty pictures, no two of one scan."""
    rng = np.random.default_rng(4)
    return [Image.fromarray(draw_content(KINDS[n % 5], rng, height=240, width=200 + 4 * n)) for n in range(40)]


def seen(image: Image.Image, item: str, article: str | None = None) -> Seen:
    return Seen(item, article or item, pixels_md5(image), thumbnail(image))


def as_jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def resized(image: Image.Image, by: float) -> Image.Image:
    return image.resize((round(image.width * by), round(image.height * by)), Image.Resampling.BICUBIC)


def trimmed(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    w, h = image.size
    return image.crop((round(left * w), round(top * h), round((1 - right) * w), round((1 - bottom) * h)))


def found(copies: list[Image.Image]) -> int:
    """Of how many of the pictures the copy is found; fails if anything else is."""
    originals = [seen(image, f"{n:02}a") for n, image in enumerate(pictures())]
    links = find_copies(originals + [seen(c, f"{n:02}b") for n, c in enumerate(copies)], min_similarity=SIMILARITY)
    assert all(link.first[:2] == link.second[:2] for link in links)
    return len(links)


def test_resized_recompressed_and_greyed_copies_are_all_found_and_nothing_else() -> None:
    assert found([as_jpeg(image, 30) for image in pictures()]) == 40
    assert found([resized(image, 0.5) for image in pictures()]) == 40
    assert found([as_jpeg(resized(image, 2.0), 60) for image in pictures()]) == 40
    assert found([image.convert("L").convert("RGB") for image in pictures()]) == 40


def test_most_copies_are_found_that_lost_an_edge() -> None:
    assert found([trimmed(image, 0.03, 0.0, 0.01, 0.04) for image in pictures()]) >= 36


def test_a_mirrored_picture_is_another() -> None:
    assert found([ImageOps.mirror(image) for image in pictures()]) == 0


def test_what_is_found_does_not_depend_on_the_order_and_agrees_with_comparing_each_with_each() -> None:
    images = [seen(image, f"{n:02}") for n, image in enumerate(pictures()[:12])]
    images += [seen(as_jpeg(image, 50), f"{n:02}x") for n, image in enumerate(pictures()[:12])]
    grey = {
        one.item_id: np.frombuffer(one.thumbnail, np.uint8).reshape(SIDE, SIDE).astype(np.float32) for one in images
    }
    ids = sorted(grey)
    slow = [(a, b) for a in ids for b in ids if a < b and similarity(grey[a], grey[b]) >= SIMILARITY]
    links = find_copies(images[::-1], min_similarity=SIMILARITY)
    assert [(link.first, link.second) for link in links] == slow
    assert links == find_copies(images, min_similarity=SIMILARITY)


def test_equal_pixels_are_said_to_be_equal_and_copies_within_an_article_are_its_own_affair() -> None:
    image = pictures()[0]
    (link,) = find_copies([seen(image, "a"), seen(image.copy(), "b")], min_similarity=SIMILARITY)
    assert (link.similarity, link.reason) == (1.0, "the same pixels")
    assert find_copies([seen(image, "a", "A"), seen(image, "b", "A")], min_similarity=SIMILARITY) == []


def test_images_that_show_nothing_are_nobodys_copies() -> None:
    blank = Image.new("RGB", (60, 50), "white")
    assert find_copies([seen(blank, "a"), seen(blank, "b")], min_similarity=SIMILARITY) == []
    assert find_copies([], min_similarity=SIMILARITY) == []


def test_a_group_is_named_by_its_first_member_and_reaches_as_far_as_links_do() -> None:
    assert groups([("b", "c"), ("d", "c"), ("x", "y")]) == {"b": "b", "c": "b", "d": "b", "x": "x", "y": "x"}
    assert groups([]) == {}
