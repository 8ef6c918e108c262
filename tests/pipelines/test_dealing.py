"""Rows dealt out to parts by one process; what a shuffle makes of them is in test_dealing_on_ray.py."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pipelines.dealing import Dealt, Piece, Row, Slice, Source, dealt_here, few_of, settled, values_of


@dataclass(frozen=True)
class Numbers:
    """Two pieces of three rows each; ids repeat after four, keys are odd and even."""

    pieces: Sequence[Piece] = (Piece("a"), Piece("b"))
    few: Sequence[Row] | None = None
    meet: Literal["id"] = "id"

    def read(self, piece: int) -> Iterator[Row]:
        for number in range(3):
            value = 3 * piece + number
            yield Row(piece, number, str(value % 2), str(value % 4), {"value": value})

    def again(self, row: Row) -> Row:
        return row._replace(value={"again": row.id})

    def part_of(self, key: str, parts: int) -> int:
        return int(key) % parts

    def inputs(self, values: Sequence[Any]) -> str:
        return str(len(values))

    def counts(self, value: Any) -> list[str]:
        return list(value)


def dealt(source: Source, parts: int) -> Dealt:
    rows = few_of(source)
    assert rows is not None
    return dealt_here(rows, source, lambda rows, keys: parts)


def test_rows_of_a_key_are_in_one_part_in_their_order() -> None:
    found = dealt(Numbers(), 3)
    assert [(each.part, values_of(each)) for each in found.slices] == [
        (0, [{"value": 0}, {"value": 2}, {"again": "0"}]),
        (1, [{"value": 1}, {"value": 3}, {"again": "1"}]),
        (2, []),
    ]
    assert [each.inputs for each in found.slices] == ["3", "3", "0"]
    assert (found.rows, found.counts) == (6, {"value": 4, "again": 2})


def test_parts_are_counted_by_rows_or_by_keys() -> None:
    rows = few_of(Numbers())
    assert rows is not None
    assert len(dealt_here(rows, Numbers(), lambda rows, keys: rows).slices) == 6
    assert len(dealt_here(rows, Numbers(), lambda rows, keys: keys).slices) == 2


def test_of_rows_with_one_id_the_first_stays() -> None:
    rows = [Row(0, number, "", name, name) for number, name in enumerate("aba")]
    assert [row.value for row in settled(rows, Numbers())] == ["a", "b", {"again": "a"}]


def test_a_table_is_few_rows_or_more() -> None:
    assert few_of(Numbers(), at_most=5) is None
    assert len(few_of(Numbers(), at_most=6) or ()) == 6


def test_the_rows_of_a_part_are_with_it_or_in_a_file(tmp_path: Path) -> None:
    text = '{"a": "\\u2028"}\n{"a": 2}\n'
    (tmp_path / "rows.jsonl").write_text(text)
    assert values_of(Slice(0, "", text)) == values_of(Slice(0, "", file=str(tmp_path / "rows.jsonl")))
    assert values_of(Slice(0, "", text)) == [{"a": "\u2028"}, {"a": 2}]
    assert values_of(Slice(0, "")) == []
