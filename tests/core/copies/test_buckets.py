"""Pairs that are near, found in buckets as by comparing each with each."""

import numpy as np
import pytest
from numpy.typing import NDArray

from core.copies import buckets
from core.copies.buckets import PAIR, PIXELS, Rows, bands_of, near, nearest, pixels_of, same_pixels
from core.copies.dedupe import BANDS, MAX_BITS, MAX_FINE, SIDE, Seen
from core.copies.signatures import Signed, owner_in, signatures


def drawn(parts: int, each: int, *, families: int) -> list[Signed]:
    """Parts of noise; pictures of a family differ little, two of a part have one owner."""
    rng = np.random.default_rng(0)
    centres = rng.integers(0, 256, (families, SIDE, SIDE))
    found = []
    for part in range(parts):
        grey = centres[rng.integers(0, families, each)] + rng.normal(0, 40, (each, SIDE, SIDE))
        pictures = grey.clip(0, 255).astype(np.uint8)
        found.append(
            Signed(part, signatures([
                Seen(f"{part}/{n}", f"{part}/{n // 2}", f"{part * each + n:032x}", picture.tobytes())
                for n, picture in enumerate(pictures)
            ]))
        )  # fmt: skip
    return found


def all_near(parts: list[Signed]) -> set[tuple[int, int]]:
    """By comparing each variant with each picture."""
    hashes, ids = (np.concatenate([getattr(each, of) for each in parts]) for of in ("hashes", "ids"))
    found = set()
    for one, variants in zip(ids.tolist(), hashes, strict=True):
        apart, fine = np.moveaxis(variants[:, None] ^ hashes[None, :, 0], -1, 0)
        band = np.any([(apart >> np.uint64(16 * band)) & np.uint64(0xFFFF) == 0 for band in range(BANDS)], axis=0)
        near = (np.bitwise_count(apart) <= MAX_BITS) & (np.bitwise_count(fine) <= MAX_FINE)
        for other in ids[(near & band).any(axis=0)].tolist():
            if owner_in(one) != owner_in(other):
                found.add((min(one, other), max(one, other)))
    return found


def in_buckets(parts: list[Signed], *, per_band: int, most: int) -> tuple[set[tuple[int, int]], int]:
    rows: dict[int, list[Rows]] = {}
    for each in parts:
        for bucket, entries in bands_of(each, np.zeros(0, np.int64), per_band):
            rows.setdefault(bucket, []).append(entries)
    found, left = set(), 0
    for bucket, landed in rows.items():
        pairs, more = near(np.concatenate(landed), bucket // per_band, most)
        found |= set(zip(pairs["first"].tolist(), pairs["second"].tolist(), strict=True))
        left += more
    return found, left


@pytest.mark.parametrize(("full", "at_once"), [(256, 2**21), (40, 64), (12, 2**21)])
def test_buckets_whole_or_split_give_what_comparing_each_with_each_gives(
    full: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, "FULL", full)
    monkeypatch.setattr(buckets, "AT_ONCE", at_once)
    monkeypatch.setattr(buckets, "COMPARED", at_once)
    parts = drawn(3, 60, families=4)
    expected = all_near(parts)
    assert len(expected) > 50
    assert in_buckets(parts, per_band=3, most=10**4) == (expected, 0)


def test_what_a_bucket_is_too_full_for_is_counted_and_all_meet_the_same_first_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(buckets, "FULL", 4)
    parts = drawn(3, 20, families=1)
    same = [Signed(each.part, each.rows.set_column(4, "hashes", [[parts[0].rows["hashes"][0]] * 20])) for each in parts]
    found, left = in_buckets(same, per_band=1, most=10**4)
    assert left > 0 and found < all_near(same)
    joined = {one for pair in found for one in pair}
    assert joined == {one for each in same for one in each.ids.tolist()}


def test_each_picture_keeps_its_nearest_and_of_equals_the_first() -> None:
    rows = [(1, 9, 4), (2, 9, 2), (3, 9, 2), (2, 9, 6), (4, 9, 2), (1, 8, 6)]
    kept, more = nearest(np.array(rows, PAIR), 2)
    assert kept.tolist() == [(1, 8, 6), (2, 9, 2), (3, 9, 2)] and more == 2
    assert nearest(np.zeros(0, PAIR), 2)[1] == 0
    same = np.array([(n, 9, 0) for n in range(5)], PAIR)
    assert nearest(same, 2)[1] == 0  # the links of a star are few, and none may be lost


def pixels(*rows: tuple[int, int]) -> NDArray[np.void]:
    """Rows of (MD5, owner), each a picture."""
    return np.array([(md5, 0, owner << 22 | number) for number, (md5, owner) in enumerate(rows)], PIXELS)


def test_few_of_the_same_pixels_are_linked_each_with_each_and_many_with_the_first() -> None:
    links, spoken_for = same_pixels(pixels((7, 1), (8, 2), (7, 2), (7, 1), (7, 3), (8, 2)))
    assert len(links) == 5 and not len(spoken_for)  # of four, less the two of one owner; 8 has one owner
    many = pixels(*((7, owner) for owner in (1, 1, *range(2, 200))))
    links, spoken_for = same_pixels(many)
    ids = set(many["id"].tolist())
    assert len(links) == 199 and {end for each in links.tolist() for end in each[:2]} == ids
    assert ids - set(spoken_for.tolist()) == {many["id"][0], many["id"][2]}  # of two owners


def test_a_flat_picture_has_no_pixels_to_share() -> None:
    flat = Seen("a", "A", 32 * "0", bytes(SIDE * SIDE))
    assert len(pixels_of(Signed(0, signatures([flat])))) == 0
