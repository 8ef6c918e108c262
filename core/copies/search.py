"""The search for copies on Ray Data: its time grows as the pictures do, and the driver holds links alone.

A task takes a part's signatures. A shuffle brings equal pixels together, a second one equal bands of hashes
(buckets.py). Pairs that are near meet their thumbnails by two joins, each at the part that keeps them, and are compared
as dedupe.py does. Where there are few pictures it compares all of them in this process.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import ray.data

from core.cluster import nodes
from core.copies.buckets import ENTRY, PAIR, PIXELS, Rows, bands_of, near, nearest, pixels_of, same_pixels
from core.copies.dedupe import ALIKE, BANDS, SAME, Seen, find_copies, hashes_of, likeness_of
from core.copies.signatures import Asked, Ids, Pictures, Signed, part_in, place_of
from core.records import Signature
from core.runs import Part
from core.stations import told_plainly
from core.tables import parsed, written

BLOB = 32 * 2**20  # bytes of entries that one task compares
ENTRIES = 80  # of a picture in one band: its different hashes, and itself
MEMORY = 2**30  # bytes stated for a task that compares such a blob: an estimate, with room
SHUFFLES = 2048  # partitions at most where parts meet parts
STATION = "copies"
NOTHING = {"bucket": 0, "rows": b""}  # of each part: one without any row would leave Ray without its columns
BLOBS = pa.large_binary()
LINK = pa.schema([
    ("first", pa.string()), ("second", pa.string()), ("similarity", pa.float64()), ("reason", pa.string()),
    ("first_owner", pa.string()), ("second_owner", pa.string()), ("first_part", pa.int64()),
    ("second_part", pa.int64()),
])  # fmt: skip


class Slice(NamedTuple):
    """A part in a search: one of the parts of one of its tables."""

    table: int
    part: Part


@dataclass(frozen=True)
class Found:
    """The copies of a search."""

    links: pa.Table  # LINK, by the names of first and second; parts by their number in the search
    pictures: int
    uncompared: int  # pairs with near hashes, or in a bucket too full, that nobody compared


@dataclass(frozen=True)
class _Search:
    tables: Sequence[Pictures]
    slices: Sequence[Slice]
    asked: Asked

    def signed(self, number: int) -> Signed:
        table, part = self.slices[number]
        return self.tables[table].signed(part, number)

    def options(self, memory: int | None = None) -> dict[str, Any]:
        stated = {"memory": memory} if memory else {}
        return {"num_cpus": self.asked.cpus, "resources": nodes("pipelines") or None} | stated


def find_links(tables: Sequence[Pictures], asked: Asked) -> Found:
    """The copies of all pictures of tables; Ray has to be started where they are more than asked.exact_below."""
    slices = [Slice(number, part) for number, each in enumerate(tables) for part in each.table.parts()]
    search = _Search(tables, slices, asked)
    if sum(each.part.rows for each in slices) <= asked.exact_below:  # a row has one picture or more
        signed = [search.signed(number) for number in range(len(slices))]
        if sum(map(len, signed)) <= asked.exact_below or not signed:
            return _exactly(signed, asked)
    with told_plainly(STATION, "the same command seeks them again"):
        return _by_shuffles(search)


def _exactly(signed: Sequence[Signed], asked: Asked) -> Found:
    rows = [row | {"part": each.part} for each in signed for row in each.rows.to_pylist()]
    about = {row["item_id"]: row for row in rows}
    seen = [Seen(row["item_id"], row["owner"], row["pixels_md5"], row["thumbnail"]) for row in rows]
    copies = find_copies(seen, min_similarity=asked.min_similarity)
    links = [_link(about[each.first], about[each.second], each.similarity, each.reason) for each in copies]
    return Found(pa.Table.from_pylist(links, schema=LINK), len(rows), 0)


def _by_shuffles(search: _Search) -> Found:
    pictures, same, spoken_for = _equal(search)
    per_band = max(1, -(-pictures * ENTRIES * ENTRY.itemsize // BLOB))
    rows = [{"number": n, "without": _bytes(each)} for n, each in enumerate(_by_part(spoken_for, search))]
    entries = _parts(rows).flat_map(partial(_bands, search=search, per_band=per_band), **search.options())
    compare = partial(_near, search=search, per_band=per_band)
    met = _blocks(_grouped(entries, "bucket", BANDS * per_band, compare, search, MEMORY))
    equal = [{"part": n, "pairs": _bytes(each), "uncompared": 0} for n, each in enumerate(_by_second(same, search))]
    shuffles = min(len(search.slices), SHUFFLES)
    pairs = _parts(equal).union(*([ray.data.from_arrow_refs(met)] if met else []))
    seconds = _blocks(_grouped(pairs, "part", shuffles, partial(_with_seconds, search=search), search))
    links = [LINK.empty_table()]
    if seconds:
        joined = ray.data.from_arrow_refs(seconds)
        compared = _grouped(joined, "part", shuffles, partial(_with_firsts, search=search), search)
        links += [each for each in compared.iter_batches(batch_format="pyarrow", batch_size=None) if len(each)]
    found = pa.concat_tables(links).sort_by([("first", "ascending"), ("second", "ascending")])
    return Found(found, pictures, _uncompared(met) + _uncompared(seconds))


def _equal(search: _Search) -> tuple[int, Rows, Ids]:
    """How many pictures there are, links between those of the same pixels, and those that others stand for."""
    partitions = max(1, sum(each.part.rows for each in search.slices) * PIXELS.itemsize // BLOB)
    rows = _parts([{"number": number} for number in range(len(search.slices))])
    entries = rows.flat_map(partial(_pixels, search=search, partitions=partitions), **search.options())
    pictures, links, spoken_for = 0, [np.zeros(0, PAIR)], [np.zeros(0, np.int64)]
    for row in _grouped(entries, "bucket", partitions, _same, search).iter_rows():
        pictures += row["pictures"]
        links.append(np.frombuffer(row["pairs"], PAIR))
        spoken_for.append(np.frombuffer(row["spoken_for"], np.int64))
    return pictures, np.concatenate(links), np.concatenate(spoken_for)


def _pixels(row: Mapping[str, Any], search: _Search, partitions: int) -> Iterator[dict[str, Any]]:
    found = pixels_of(search.signed(row["number"]))
    bucket = found["high"] % np.uint64(partitions)
    yield NOTHING
    for each in np.unique(bucket).tolist():
        yield {"bucket": each, "rows": _bytes(found[bucket == each])}


def _same(group: pa.Table) -> pa.Table:
    rows = _joined(group, "rows", PIXELS)
    links, spoken_for = same_pixels(rows)
    return pa.table({"pictures": [len(rows)], "pairs": [_bytes(links)], "spoken_for": [_bytes(spoken_for)]})


def _bands(row: Mapping[str, Any], search: _Search, per_band: int) -> Iterator[dict[str, Any]]:
    without = np.frombuffer(row["without"], np.int64)
    yield NOTHING
    for bucket, entries in bands_of(search.signed(row["number"]), without, per_band):
        yield {"bucket": bucket, "rows": _bytes(entries)}


def _near(group: pa.Table, search: _Search, per_band: int) -> pa.Table:
    band = group["bucket"][0].as_py() // per_band
    pairs, left = near(_joined(group, "rows", ENTRY), band, search.asked.nearest)
    by_part = {number: each for number, each in enumerate(_by_second(pairs, search)) if len(each)} or {0: pairs}
    blobs = [_bytes(each) for each in by_part.values()]
    return pa.table({"part": list(by_part), "pairs": blobs, "uncompared": [left, *[0] * (len(blobs) - 1)]})


def _with_seconds(group: pa.Table, search: _Search) -> pa.Table:
    """The pairs whose second picture is of a part, with what is kept of it there; by the part of the first."""
    pairs, left = nearest(_joined(group, "pairs", PAIR), search.asked.nearest)
    number = group["part"][0].as_py()
    signed = search.signed(number)
    parts, pictures = part_in(pairs["first"]), []
    numbers = np.unique(parts)
    for each in numbers:
        ids = np.unique(pairs["second"][parts == each])
        chosen = signed.rows.take(pa.array(place_of(ids)))
        # Their hashes are twice as many bytes as they are, and quickly made again.
        bare = chosen.set_column(chosen.column_names.index("hashes"), "hashes", pa.array([b""] * len(ids), BLOBS))
        pictures.append(written(bare))
    return pa.table({
        "part": pa.array(numbers, pa.int64()),
        "second": pa.array([number] * len(numbers), pa.int64()),
        "pairs": pa.array([_bytes(pairs[parts == each]) for each in numbers], BLOBS),
        "pictures": pa.array(pictures, BLOBS),
        "uncompared": pa.array([left if each == numbers[0] else 0 for each in numbers], pa.int64()),
    })  # fmt: skip


def _with_firsts(group: pa.Table, search: _Search) -> pa.Table:
    """Copies among the pairs whose first picture is of a part: LINK."""
    number = group["part"][0].as_py()
    signed, links = search.signed(number), []
    firsts = signed.rows.to_pylist()
    for row in group.to_pylist():
        seconds = Signed(row["second"], parsed(row["pictures"], Signature, "a shuffle"))
        others, theirs = seconds.rows.to_pylist(), hashes_of(seconds.grey)
        pairs = np.frombuffer(row["pairs"], PAIR)
        places = np.unique(pairs["second"], return_inverse=True)[1].tolist()
        for a, b in zip(place_of(pairs["first"]).tolist(), places, strict=True):
            one, other = firsts[a] | {"part": number}, others[b] | {"part": row["second"]}
            if one["owner"] == other["owner"]:
                continue
            if one["pixels_md5"] == other["pixels_md5"]:
                links.append(_link(one, other, 1.0, SAME))
                continue
            grey, hashes = np.stack([signed.grey[a], seconds.grey[b]]), np.stack([signed.hashes[a], theirs[b]])
            likeness = likeness_of(grey, hashes, least=search.asked.min_similarity)
            if likeness >= search.asked.min_similarity:
                links.append(_link(one, other, round(likeness, 4), ALIKE))
    return pa.Table.from_pylist(links, schema=LINK)


def _link(one: Mapping[str, Any], other: Mapping[str, Any], likeness: float, reason: str) -> dict[str, Any]:
    """A row of LINK, the names in their order."""
    first, second = sorted((one, other), key=lambda each: str(each["item_id"]))
    return {
        "first": first["item_id"], "second": second["item_id"], "similarity": likeness, "reason": reason,
        "first_owner": first["owner"], "second_owner": second["owner"],
        "first_part": first["part"], "second_part": second["part"],
    }  # fmt: skip


def _by_part(ids: Ids, search: _Search) -> list[Ids]:
    """Numbers of pictures, for each part of the search."""
    ids = np.sort(ids)
    return np.split(ids, np.searchsorted(part_in(ids), np.arange(1, len(search.slices))))


def _by_second(pairs: Rows, search: _Search) -> list[Rows]:
    """Pairs, for each part of the search those whose second picture it has."""
    pairs = np.sort(pairs, order="second")
    return np.split(pairs, np.searchsorted(part_in(pairs["second"]), np.arange(1, len(search.slices))))


def _parts(rows: Sequence[dict[str, Any]]) -> ray.data.Dataset:
    return ray.data.from_items(list(rows), override_num_blocks=max(1, len(rows)))


def _grouped(
    rows: ray.data.Dataset, key: str, partitions: int, task: Callable[[pa.Table], pa.Table], search: _Search,
    memory: int | None = None,
) -> ray.data.Dataset:  # fmt: skip
    """A task for each group of a shuffle."""
    groups = rows.groupby(key, num_partitions=partitions)
    return groups.map_groups(task, batch_format="pyarrow", **search.options(memory))


def _joined(group: pa.Table, column: str, kind: np.dtype[Any]) -> Rows:
    return np.concatenate([np.frombuffer(each.as_buffer() or b"", kind) for each in group[column]])


def _bytes(rows: Any) -> bytes:
    return bytes(rows.tobytes())


def _blocks(rows: ray.data.Dataset) -> list[Any]:
    """What a shuffle made, in the object store; without blocks that are empty, whose columns Ray does not know."""
    bundles = rows.materialize().iter_internal_ref_bundles()
    return [each.ref for bundle in bundles for each in bundle.blocks if each.metadata.num_rows]


def _uncompared(blocks: Sequence[Any]) -> int:
    if not blocks:
        return 0
    told = ray.data.from_arrow_refs(list(blocks)).select_columns(["uncompared"])
    return sum(int(row["uncompared"]) for row in told.iter_rows())
