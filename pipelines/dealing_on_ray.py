"""A table of any size dealt out to parts by shuffles of Ray Data: the driver holds a digest of each part, and no row.

A task reads a piece as a stream. A first shuffle brings rows of one id together, a second one the rows of a part, which
are written as a file of the run. It is removed when the block ends that they were dealt for.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import ray.data

from core.cluster import nodes
from core.places import Place
from core.runs import digest
from core.settings import Config
from core.stations import told_plainly
from pipelines.dealing import SCRATCH, Dealt, PartsFor, Row, Slice, Source, dealt_here, settled
from pipelines.stream import MOST_BLOCKS

STATION = "deal"
READ = 1_000  # rows that a task hands over at once
GROUPED = 20_000  # rows of a partition of a shuffle, some 20 MB of captions
ORDER = [("piece", "ascending"), ("number", "ascending")]
TEXT = pa.large_string()  # the texts of a block may be more than 2 GB
ROW = pa.schema([
    ("piece", pa.int64()), ("number", pa.int64()), ("key", TEXT), ("id", TEXT), ("value", TEXT),
])  # fmt: skip


@contextmanager
def dealt(source: Source, parts_for: PartsFor, config: Config, run: Place) -> Iterator[Dealt]:
    """A table in parts, for as long as the block lasts: few rows are dealt by this process, any other number by Ray.

    Raises UserError where a row is wrong, naming its file.
    """
    if source.few is not None:
        yield dealt_here(source.few, source, parts_for)
        return
    scratch = run / SCRATCH
    scratch.delete()  # of a command that was killed
    try:
        with told_plainly(STATION, "nothing was written"):
            found = _shuffled(source, parts_for, config, scratch)
        yield found
    finally:
        scratch.delete()


def _shuffled(source: Source, parts_for: PartsFor, config: Config, scratch: Place) -> Dealt:
    asked: dict[str, Any] = {"num_cpus": config.tables.task_cpus, "resources": nodes("pipelines") or None}
    how = {"batch_format": "pyarrow", **asked}
    pieces = [{"piece": number} for number in range(len(source.pieces))]
    blocks = ray.data.from_items(pieces, override_num_blocks=min(len(pieces), MOST_BLOCKS))
    # Kept in the object store, or on the disk beside it: how many rows there are says how many partitions they need.
    read = blocks.map_batches(partial(_read, source=source), batch_size=1, **how).materialize()
    rows = read.count()
    partitions = max(1, -(-rows // GROUPED))
    met = read.map_batches(partial(_by_bucket, column=source.meet, buckets=partitions), **how)
    met = met.groupby("bucket", num_partitions=partitions).map_groups(partial(_settled, source=source), **how)
    met = met.materialize()
    parts = parts_for(rows, _sum(met, "keys"))
    dealt = met.map_batches(partial(_by_part, source=source, parts=parts), **how)
    dealt = dealt.groupby("part", num_partitions=partitions)
    written = dealt.map_groups(partial(_written, source=source, scratch=scratch), **how)
    slices, counts = {}, Counter[str]()
    for row in written.iter_rows():
        slices[row["part"]] = Slice(row["part"], row["inputs"], file=row["file"])
        counts.update(json.loads(row["counts"]))
    empty = source.inputs([])
    return Dealt([slices.get(number) or Slice(number, empty) for number in range(parts)], rows, counts)


def _read(batch: pa.Table, source: Source) -> Iterator[pa.Table]:
    (piece,) = batch["piece"].to_pylist()
    rows = source.read(piece)
    while some := list(islice(rows, READ)):
        yield _table(some)


def _table(rows: Sequence[Row]) -> pa.Table:
    told = [row._replace(value=json.dumps(row.value)) for row in rows]
    columns = zip(*told, strict=True) if told else [()] * len(ROW)
    return pa.table([pa.array(column, field.type) for column, field in zip(columns, ROW, strict=True)], schema=ROW)


def _rows(table: pa.Table) -> Iterator[Row]:
    """Rows in the order in which they were read."""
    for row in table.select(ROW.names).sort_by(ORDER).to_pylist():
        yield Row(**{**row, "value": json.loads(row["value"])})


def _by_bucket(batch: pa.Table, column: str, buckets: int) -> pa.Table:
    numbers = [int(digest([each]), 16) % buckets for each in batch[column].to_pylist()]
    return batch.append_column("bucket", pa.array(numbers, pa.int64()))


def _settled(group: pa.Table, source: Source) -> pa.Table:
    """The rows of a bucket, as settled() leaves them; the first of them says how many keys they have."""
    rows = list(settled(_rows(group), source))
    keys = [len({row.key for row in rows}), *[0] * (len(rows) - 1)]
    return _table(rows).append_column("keys", pa.array(keys, pa.int64()))


def _by_part(batch: pa.Table, source: Source, parts: int) -> pa.Table:
    numbers = [source.part_of(each, parts) for each in batch["key"].to_pylist()]
    return batch.append_column("part", pa.array(numbers, pa.int64()))


def _written(group: pa.Table, source: Source, scratch: Place) -> pa.Table:
    """The rows of a part into a file, and what is told of them."""
    part = group["part"][0].as_py()
    values = group.sort_by(ORDER)["value"].to_pylist()
    file = scratch / f"part-{part:05d}.jsonl"
    file.write_pieces(f"{value}\n".encode() for value in values)
    own = [json.loads(value) for value in values]
    counts = Counter(name for value in own for name in source.counts(value))
    told = {"part": part, "inputs": source.inputs(own), "file": file.uri, "counts": json.dumps(counts)}
    return pa.table({name: [value] for name, value in told.items()})


def _sum(rows: ray.data.Dataset, column: str) -> int:
    batches = rows.select_columns([column]).iter_batches(batch_format="pyarrow", batch_size=None)
    return sum(pc.sum(each[column]).as_py() or 0 for each in batches)
