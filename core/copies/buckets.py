"""Which pictures are worth comparing, found in buckets that a shuffle can carry: equal pixels, then near hashes.

Two pictures are near where at most MAX_BITS of their coarse hashes differ and one of BANDS agrees, and of the finer
ones at most MAX_FINE, as in dedupe.py. A bucket holds what agrees in a band. One with too many is split by SPLIT
stretches of its other bits: where at most MAX_BITS differ, one of more stretches than that agrees, so that splitting
loses nothing. What is too full even then, and what a picture has beyond its nearest, is left uncompared and counted.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.copies.dedupe import BANDS, MAX_BITS, MAX_FINE
from core.copies.signatures import Ids, Signed, owner_in

# plain: of the picture as it is, which is what others meet.
ENTRY = np.dtype([("hash", "<u8"), ("fine", "<u8"), ("id", "<i8"), ("plain", "?")])
PIXELS = np.dtype([("high", "<u8"), ("low", "<u8"), ("id", "<i8")])  # the two halves of an MD5
# first < second; bits of both hashes that differ, and one more; 0: the same pixels.
PAIR = np.dtype([("first", "<i8"), ("second", "<i8"), ("bits", "u1")])

SPLIT = MAX_BITS + 1
# Pictures of a bucket beyond which it is split: to look in SPLIT smaller ones takes as long as to compare with so many.
FULL = 256
DEEPEST = 2  # splits of one bucket
AT_ONCE = 2**21  # pairs that wait
COMPARED = 2**16  # hashes compared at once, so that what is worked on stays near the processor
ALL_PAIRS = 8  # pictures of the same pixels beyond which each is linked with the first, not with every other one

Rows = NDArray[np.void]
Words = NDArray[np.uint64]


def pixels_of(signed: Signed) -> Rows:
    """What shows something of a part, by the MD5 of its pixels: PIXELS."""
    md5 = [bytes.fromhex(each)[:16].ljust(16, b"\0") for each in signed.rows["pixels_md5"].to_pylist()]
    halves = np.frombuffer(b"".join(md5), "<u8").reshape(-1, 2)
    rows = np.empty(len(signed), PIXELS)
    rows["high"], rows["low"], rows["id"] = halves[:, 0], halves[:, 1], signed.ids
    return rows[signed.shown]


def same_pixels(rows: Rows) -> tuple[Rows, Ids]:
    """Links (PAIR) between pictures of the same pixels, and those pictures that two others stand for from here on.

    Of many each is linked with the first one, or with the first one of another owner: their group is the same, and its
    links are as many as its pictures. What is like one of them is like those two.
    """
    rows = np.sort(rows, order=["high", "low", "id"])
    new = np.flatnonzero((np.diff(rows["high"]) != 0) | (np.diff(rows["low"]) != 0)) + 1
    links, spoken_for = [_no_pairs()], [np.zeros(0, np.int64)]
    for ids in np.split(rows["id"], new):
        others = ids[owner_in(ids) != owner_in(ids[:1])]
        if not len(others):
            continue
        if len(ids) <= ALL_PAIRS:
            one, other = (ids[index] for index in np.triu_indices(len(ids), 1))
            apart = owner_in(one) != owner_in(other)
            links.append(_pairs(one[apart], other[apart], 0))
            continue
        own = ids[(owner_in(ids) == owner_in(ids[:1])) & (ids != ids[0])]
        links += [_pairs(np.full_like(others, ids[0]), others, 0), _pairs(np.full_like(own, others[0]), own, 0)]
        spoken_for.append(np.setdiff1d(ids, [ids[0], others[0]]))
    return np.concatenate(links), np.concatenate(spoken_for)


def bands_of(signed: Signed, without: Ids, per_band: int) -> Iterator[tuple[int, Rows]]:
    """The hashes of a part's pictures, as ENTRY, by the partition in which their buckets are: per_band for each band.

    without: pictures for whom others stand.
    """
    chosen = signed.shown & ~np.isin(signed.ids, without)
    entries = _entries(signed.hashes[chosen], signed.ids[chosen])
    for band in range(BANDS):
        keys = (entries["hash"] >> np.uint64(16 * band)) & np.uint64(0xFFFF)
        # Keys are not spread evenly: a multiple of an odd number spreads them over the partitions.
        partitions = ((keys * np.uint64(40503)) & np.uint64(0xFFFF)) * np.uint64(per_band) >> np.uint64(16)
        order = np.argsort(partitions, kind="stable")
        found, starts = np.unique(partitions[order], return_index=True)
        for partition, rows in zip(found.tolist(), np.split(entries[order], starts[1:]), strict=False):
            yield band * per_band + partition, rows


def near(entries: Rows, band: int, most: int) -> tuple[Rows, int]:
    """Pairs of pictures of different owners that are near in a band's buckets, the `most` nearest of each; and how
    many comparisons of two pictures were left out."""
    mask = np.uint64(0xFFFF << 16 * band)
    queries, plain = entries[~entries["plain"]], entries[entries["plain"]]
    gathered = _Gathered(most)
    _meet(queries, np.sort(plain, order="id"), mask, 0, gathered)
    return gathered.result()


def nearest(pairs: Rows, most: int) -> tuple[Rows, int]:
    """Each pair once, and of each second picture the `most` with the fewest bits, then the first ones; how many more.

    Where many are alike all keep the same first ones, and so are still one group. Those of the same pixels all stay.
    """
    pairs = np.sort(pairs, order=["second", "first", "bits"])
    if len(pairs):
        again = (pairs["second"][1:] == pairs["second"][:-1]) & (pairs["first"][1:] == pairs["first"][:-1])
        pairs = pairs[np.concatenate([[True], ~again])]
    pairs = np.sort(pairs, order=["second", "bits", "first"])
    starts = np.searchsorted(pairs["second"], pairs["second"], "left")
    kept = pairs[(np.arange(len(pairs)) - starts < most) | (pairs["bits"] == 0)]
    return kept, len(pairs) - len(kept)


class _Gathered:
    """Pairs as they are found, the nearest of each picture alone, so that memory is bounded."""

    def __init__(self, most: int) -> None:
        self.most, self.uncompared = most, 0
        self.pairs, self.waiting, self.held = _no_pairs(), list[Rows](), 0

    def add(self, pairs: Rows) -> None:
        self.waiting.append(pairs)
        self.held += len(pairs)
        if self.held > AT_ONCE:
            self._settle()

    def _settle(self) -> None:
        self.pairs, more = nearest(np.concatenate([self.pairs, *self.waiting]), self.most)
        self.waiting, self.held = [], 0
        self.uncompared += more

    def result(self) -> tuple[Rows, int]:
        self._settle()
        return self.pairs, self.uncompared


def _meet(queries: Rows, plain: Rows, key: np.uint64, depth: int, gathered: _Gathered) -> None:
    """Compare what agrees in the bits of `key`; the plain ones of a bucket are in the order of their ids."""
    order = np.argsort(plain["hash"] & key, kind="stable")
    plain, keys = plain[order], (plain["hash"] & key)[order]
    wanted = queries["hash"] & key
    left, right = np.searchsorted(keys, wanted, "left"), np.searchsorted(keys, wanted, "right")
    counts = right - left
    if depth == DEEPEST:
        gathered.uncompared += int((counts - FULL).clip(0).sum())
        counts = np.minimum(counts, FULL)  # the first ones: what is alike stays one group
    elif (over := counts > FULL).any():
        some, crowded = queries[over], plain[np.isin(keys, wanted[over])]
        for stretch in _stretches(~key):
            _meet(some, crowded, key | stretch, depth + 1, gathered)
        queries, left, counts = queries[~over], left[~over], counts[~over]
    _compare(queries, plain, left, counts, gathered)


def _compare(queries: Rows, plain: Rows, left: NDArray[np.int64], counts: NDArray[np.int64], found: _Gathered) -> None:
    """Compare each query with its `counts` plain ones from `left` on, some at a time."""
    asked, shown = np.ascontiguousarray(queries["hash"]), np.ascontiguousarray(plain["hash"])
    ends = counts.cumsum()
    cuts = np.searchsorted(ends, np.arange(COMPARED, counts.sum(), COMPARED)) + 1
    for start, end in pairwise([0, *cuts.tolist(), len(queries)]):
        some = counts[start:end]
        own = some.cumsum()  # of the comparisons, where those of each query end
        place = np.arange(some.sum()) + np.repeat(left[start:end] - own + some, some)
        bits = np.bitwise_count(np.repeat(asked[start:end], some) ^ shown[place])
        near = np.flatnonzero(bits <= MAX_BITS)
        one, other = queries[start + np.searchsorted(own, near, "right")], plain[place[near]]
        fine = np.bitwise_count(one["fine"] ^ other["fine"])
        close = (fine <= MAX_FINE) & (owner_in(one["id"]) != owner_in(other["id"]))
        one, other = one[close], other[close]
        found.add(_pairs(one["id"], other["id"], bits[near][close] + fine[close] + 1))


def _stretches(free: np.uint64) -> Iterator[np.uint64]:
    """SPLIT masks, as long as each other, that share out the bits of a mask."""
    bits = [bit for bit in range(63) if int(free) >> bit & 1]
    for stretch in np.array_split(bits, SPLIT):
        yield np.uint64(sum(1 << int(bit) for bit in stretch))


def _entries(hashes: Words, ids: Ids) -> Rows:
    """Both hashes of each picture, equal ones once, and those of the picture as it is once more as plain."""
    ordered = np.take_along_axis(hashes, np.lexsort((hashes[..., 1], hashes[..., 0]), axis=1)[..., None], axis=1)
    first = np.ones(ordered.shape[:2], bool)
    first[:, 1:] = (ordered[:, 1:] != ordered[:, :-1]).any(axis=-1)
    rows = np.empty(int(first.sum()) + len(hashes), ENTRY)
    rows["hash"], rows["fine"] = np.concatenate([ordered[first], hashes[:, 0]]).T
    rows["id"] = np.concatenate([np.repeat(ids, first.sum(axis=1)), ids])
    rows["plain"] = np.arange(len(rows)) >= first.sum()
    return rows


def _pairs(one: Ids, other: Ids, bits: object) -> Rows:
    rows = np.empty(len(one), PAIR)
    rows["first"], rows["second"], rows["bits"] = np.minimum(one, other), np.maximum(one, other), bits
    return rows


def _no_pairs() -> Rows:
    return np.zeros(0, PAIR)
