"""Copies of one image in several articles: same pixels, or the same picture resized, recompressed, greyed or trimmed.

A perceptual hash (the signs of 63 low frequencies of the DCT about their median, as pHash of phash.org) proposes, a
second one of the 64 frequencies above them agrees or not, and the correlation of the two thumbnails laid on each other
(ECC, Evangelidis and Psarakis 2008) decides.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dct
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

SIDE = 32  # pixels of a thumbnail
FLAT = 4.0  # standard deviation of the grey values; below it an image shows nothing that could be recognised
TRIMS = (0.0, 0.025, 0.05)  # of a side, at either end: a copy's edges lie within 1.3 % of one of these
VARIANTS = len(TRIMS) ** 4  # of one thumbnail: as it is, then trimmed
AT_ONCE = 256  # thumbnails that are hashed and compared at once
BANDS = 4  # of 16 bits; two hashes are compared where one band agrees
MAX_BITS = 6  # of 63 that may differ: every trimmed copy of 300 X-rays, and 96 of 44,850 pairs of different ones
# Of the 64 bits of the finer hash: in 1,408 drawn copies of X-rays and panels at most 8 differ, in the likest films of
# one patient 14, and in 84 of 100 pairs of different X-rays with near hashes more.
MAX_FINE = 14
COARSE_WAVES, WAVES = 8, 12  # of an axis, of which the two hashes are made
# By how much two thumbnails may correlate less when one is only trimmed as its hash says than when it is laid on the
# other, which takes milliseconds: of 907 drawn copies of 300 X-rays and 184 figures none lost more than 0.06.
ROUGHLY = 0.15
WAYS = 10  # of trimming one that are tried
TURN = 0.03  # shear or rotation that laying one thumbnail on another may show; a copy shows none
SCALE = (0.87, 1.15)  # what trimming 5 % at either end makes of a side, or its inverse, and some slack
FINE, COARSE = 0.8, 3.0  # thumbnail pixels: what is compared lies between these two blurs
SAME, ALIKE = "the same pixels", "the same picture"  # why two are copies
STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 80, 1e-5)

Grey = NDArray[np.float32]


@dataclass(frozen=True)
class Seen:
    """An image of an article, as others are compared with it."""

    item_id: str
    article_id: str
    pixels_md5: str
    thumbnail: bytes  # SIDE * SIDE grey values


@dataclass(frozen=True)
class Copy:
    """Two images of different articles that are one."""

    first: str  # item ids, in their order
    second: str
    similarity: float
    reason: str


def pixels_md5(image: Image.Image) -> str:
    """The MD5 of an RGB image's size and pixels: equal however the file was packed."""
    return hashlib.md5(f"{image.width} {image.height} ".encode() + image.tobytes(), usedforsecurity=False).hexdigest()


def thumbnail(image: Image.Image) -> bytes:
    """SIDE * SIDE grey values of the whole image, its proportions given up."""
    return image.convert("L").resize((SIDE, SIDE), Image.Resampling.BICUBIC).tobytes()


def find_copies(images: Sequence[Seen], *, min_similarity: float) -> list[Copy]:
    """Every two images of different articles that are one, in the order of their ids; flat images have no copies."""
    images = sorted(images, key=lambda seen: seen.item_id)
    grey = np.array([np.frombuffer(seen.thumbnail, np.uint8) for seen in images], np.float32).reshape(-1, SIDE, SIDE)
    shown = np.flatnonzero(grey.std(axis=(1, 2)) >= FLAT)
    grey = grey[shown]
    hashes = np.concatenate([np.zeros((0, VARIANTS, 2), np.uint64), *(hashes_of(part) for part in _parts(grey))])
    copies = []
    for one, other in _candidates(hashes):
        first, second = images[shown[one]], images[shown[other]]
        if first.article_id == second.article_id:
            continue
        same = first.pixels_md5 == second.pixels_md5
        likeness = 1.0 if same else likeness_of(grey[[one, other]], hashes[[one, other]], least=min_similarity)
        if likeness >= min_similarity:
            copies.append(Copy(first.item_id, second.item_id, round(likeness, 4), SAME if same else ALIKE))
    return copies


def likeness_of(grey: Grey, hashes: NDArray[np.uint64], *, least: float) -> float:
    """The similarity of two thumbnails (2, SIDE, SIDE), of `hashes_of`; -1 where it is surely below least."""
    if max(_rough(grey[a], hashes[a, :, 0], grey[1 - a], hashes[1 - a, 0, 0]) for a in (0, 1)) < least - ROUGHLY:
        return -1.0
    return similarity(*grey)


def groups(links: Sequence[tuple[str, str]]) -> dict[str, str]:
    """The first name of the group that each linked name belongs to."""
    one, other = (pa.array([link[end] for link in links], pa.string()) for end in (0, 1))
    names, firsts = groups_of(one, other)
    return dict(zip(names.to_pylist(), firsts.to_pylist(), strict=True))


def groups_of(one: pa.Array | pa.ChunkedArray, other: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """The names that links (one[k], other[k]) join, in their order, and of each the first name of its group."""
    ends = [each.combine_chunks() if isinstance(each, pa.ChunkedArray) else each for each in (one, other)]
    names = pc.unique(pa.concat_arrays(ends))
    names = names.take(pc.sort_indices(names))
    if not len(names):
        return names, names
    rows, columns = (pc.index_in(end, names).to_numpy(zero_copy_only=False) for end in ends)
    graph = coo_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(names), len(names)))
    _, members = connected_components(graph, directed=False)
    _, first, group = np.unique(members, return_index=True, return_inverse=True)
    return names, names.take(pa.array(first[group]))


def similarity(one: Grey, other: Grey) -> float:
    """How alike two thumbnails (SIDE, SIDE) are where they overlap best, -1 to 1; turned ones do not count."""
    # ECC wants the trimmed one to lie inside the other, and which is which is not known.
    return max(_similarity(a, b, warp) for a, b in ((one, other), (other, one)) for warp in _maps(a, b))


def _rough(one: Grey, hashes: NDArray[np.uint64], other: Grey, hashed: np.uint64) -> float:
    """The best correlation of a thumbnail, trimmed in the ways whose hashes are nearest, with another, (SIDE, SIDE)."""
    nearest = np.argsort(np.bitwise_count(hashes ^ hashed), kind="stable")[:WAYS]
    rows, columns = np.divmod(nearest, len(_trims()))
    # Trimming and blurring are products of an axis each: together they are one.
    (trimmed, there), (coarse, behind) = (
        ((blur @ _trims())[rows] @ one @ (blur @ _trims())[columns].transpose(0, 2, 1), blur @ other @ blur.T)
        for blur in _blurs()
    )
    seen: Grey = np.asarray(there - behind, np.float32)
    return float(_correlations((trimmed - coarse).reshape(len(trimmed), -1), seen.ravel()).max())


@lru_cache
def _blurs() -> tuple[Grey, Grey]:
    """What blurs an axis finely and coarsely, without its ends, (SIDE - 2, SIDE) each."""
    fine, coarse = (gaussian_filter1d(np.eye(SIDE), blur, axis=0)[1:-1] for blur in (FINE, COARSE))
    return np.asarray(fine, np.float32), np.asarray(coarse, np.float32)


def _detail(grey: Grey) -> Grey:
    """What is compared of thumbnails (..., SIDE, SIDE)."""
    fine, coarse = (gaussian_filter(grey, blur, axes=(-2, -1)) for blur in (FINE, COARSE))
    return np.asarray(fine - coarse, np.float32)


def _correlations(ones: Grey, other: Grey) -> Grey:
    """How each of some pictures (n, P) goes with another one (P,), (n,) from -1 to 1."""
    a, b = ones - ones.mean(axis=1, keepdims=True), other - other.mean()
    lengths = np.sqrt(np.einsum("np,np->n", a, a) * (b @ b))
    return np.asarray(a @ b / np.maximum(lengths, 1e-6), np.float32)


def _similarity(one: Grey, other: Grey, warp: Grey) -> float:
    moved, inside = (
        cv2.warpAffine(grey, warp, (SIDE, SIDE), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        for grey in (other, np.ones_like(other))
    )
    overlap = inside > 0.99
    overlap[[0, -1]] = overlap[:, [0, -1]] = False
    return float(_correlations(_detail(one)[overlap][None], _detail(np.asarray(moved, np.float32))[overlap])[0])


def _maps(one: Grey, other: Grey) -> Iterator[Grey]:
    """Affine maps (2, 3) that may lay the other thumbnail on the one, as far as trimming and resizing explain them."""
    everywhere = np.ones((SIDE, SIDE), np.uint8)
    yield np.eye(2, 3, dtype=np.float32)
    for blur in (3, 7):  # pixels; the finer misses what lies far off
        try:
            found = cv2.findTransformECC(
                one, other, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, STEPS, everywhere, blur
            )
        except cv2.error:  # it does not converge: they are not alike
            continue
        warp = np.asarray(found[1], np.float32)
        turned, scales = max(abs(warp[0, 1]), abs(warp[1, 0])), (warp[0, 0], warp[1, 1])
        if turned <= TURN and min(scales) >= SCALE[0] and max(scales) <= SCALE[1]:
            yield warp


def _candidates(hashes: NDArray[np.uint64]) -> list[tuple[int, int]]:
    """Pairs of thumbnails whose hashes (N, VARIANTS, 2) are near, one of them trimmed or not; each once, in order."""
    plain = hashes[:, 0]
    found = set()
    for band in range(BANDS):
        shift = np.uint64(16 * band)
        order = np.argsort((plain[:, 0] >> shift).astype(np.uint16), kind="stable")
        keys = (plain[order, 0] >> shift).astype(np.uint16)
        for start in range(0, len(hashes), AT_ONCE):
            trimmed = hashes[start : start + AT_ONCE]
            for one, other in _near(trimmed, (trimmed[..., 0] >> shift).astype(np.uint16), plain, order, keys):
                if start + one != other:
                    found.add((min(start + one, other), max(start + one, other)))
    return sorted(found)


def _near(
    asked: NDArray[np.uint64], wanted: NDArray[np.uint16], plain: NDArray[np.uint64], order: NDArray[np.int64],
    keys: NDArray[np.uint16],
) -> Iterator[tuple[int, int]]:  # fmt: skip
    """Rows of `asked` (n, VARIANTS, 2) and of `plain` (N, 2) whose band agrees and that differ in few bits."""
    flat = wanted.ravel()
    left, right = np.searchsorted(keys, flat, "left"), np.searchsorted(keys, flat, "right")
    counts = right - left
    query = np.repeat(np.arange(flat.size), counts)
    place = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts, counts) + np.repeat(left, counts)
    other = order[place]
    near = are_near(asked.reshape(-1, 2)[query], plain[other])
    pairs = np.unique(np.stack([query[near] // asked.shape[1], other[near]]), axis=1)
    yield from zip(*pairs.tolist(), strict=True)


def are_near(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Whether hashes (n, 2) differ in few bits, (n,)."""
    bits = np.bitwise_count(one ^ other)
    return np.asarray((bits[:, 0] <= MAX_BITS) & (bits[:, 1] <= MAX_FINE))


def _parts(grey: Grey) -> Iterator[Grey]:
    """The thumbnails in pieces, so that memory is bounded."""
    for start in range(0, len(grey), AT_ONCE):
        yield grey[start : start + AT_ONCE]


def hashes_of(grey: Grey) -> NDArray[np.uint64]:
    """The two hashes of n thumbnails, each trimmed in every way of TRIMS, the first untrimmed: (n, VARIANTS, 2)."""
    bases = _bases()  # (trims of one axis, WAVES, SIDE)
    waves = np.einsum("aky,nyx,blx->nabkl", bases, grey, bases, optimize=True)
    waves = waves.reshape(len(grey), VARIANTS, WAVES**2)
    return np.stack([_signs(waves[..., of]) for of in _chosen()], axis=-1)


def _signs(waves: Grey) -> NDArray[np.uint64]:
    """Bits of which waves (..., at most 64) are above their median."""
    bits = waves > np.median(waves, axis=-1, keepdims=True)
    return (bits * (np.uint64(1) << np.arange(waves.shape[-1], dtype=np.uint64))).sum(axis=-1, dtype=np.uint64)


@lru_cache
def _chosen() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which of WAVES x WAVES are in the coarse hash, without the mean, and in the finer: the 64 lowest of the rest."""
    down, along = np.divmod(np.arange(WAVES**2), WAVES)
    coarse = (down < COARSE_WAVES) & (along < COARSE_WAVES)
    rest = np.flatnonzero(~coarse)
    lowest = np.lexsort((down[rest], down[rest] ** 2 + along[rest] ** 2))[:64]
    return np.flatnonzero(coarse)[1:], rest[lowest]


@lru_cache
def _bases() -> Grey:
    """The lowest waves of the DCT on an axis trimmed in every way, (trims, WAVES, SIDE)."""
    waves = dct(np.eye(SIDE), axis=0, norm="ortho")[:WAVES]
    return np.asarray(waves @ _trims(), np.float32)


@lru_cache
def _trims() -> Grey:
    """What trims an axis in every way and stretches it to its length again, (trims, SIDE, SIDE)."""
    places = np.arange(SIDE)
    trims = []
    for before, after in product(TRIMS, TRIMS):
        read = before * SIDE + (places + 0.5) * (1 - before - after) - 0.5  # where the trimmed axis is read
        read = read.clip(0, SIDE - 1)
        trims.append(np.maximum(0, 1 - np.abs(read[:, None] - places)))  # linear interpolation
    return np.array(trims, np.float32)
