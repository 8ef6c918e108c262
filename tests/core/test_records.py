"""Records and their Arrow schemas."""

import io
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.records import (
    Figure,
    Pair,
    SeparatedFigure,
    Span,
    SplitCaption,
    Subcaption,
    Subfigure,
    arrow_schema,
    from_table,
    to_table,
)

FIGURE: dict[str, Any] = {
    "figure_id": "PMC1.1/g1", "article_id": "PMC1.1", "title": "t", "article_type": "case-report", "doi": None,
    "year": 2016, "licence": "CC BY", "attribution": "A B", "media_url": "s3://x/g1.jpg",
    "md5": "0" * 32, "image": b"\0\1",
    "image_format": "JPEG", "width": 2, "height": 3, "n_frames": 1, "label": "Figure 1", "caption": "(A) one. (B) two.",
    "emphasis": [Span(start=1, end=2, kind="bold")], "mentions": [], "notes": [],
}  # fmt: skip


def separated() -> SeparatedFigure:
    return SeparatedFigure(
        **FIGURE,
        subfigures=[
            Subfigure(box=(0, 0, 1, 3), score=1.0, label="A", label_box=(0, 0, 1, 1), label_score=0.9),
            Subfigure(box=(1, 0, 2, 3), score=0.5),
        ],
        split_caption=SplitCaption(
            preamble="", subcaptions=[Subcaption(labels=["A"], text="one.")], tail="", confidence=1.0, reason="letters"
        ),
    )


def test_records_survive_parquet_exactly() -> None:
    buffer = io.BytesIO()
    pq.write_table(to_table([separated(), separated()], SeparatedFigure), buffer)
    table = pq.read_table(buffer)
    assert table.schema.equals(arrow_schema(SeparatedFigure))
    assert from_table(table, SeparatedFigure) == [separated(), separated()]


def test_a_table_of_no_rows_has_the_schema() -> None:
    assert to_table([], Pair).schema == arrow_schema(Pair)


def test_a_field_is_nullable_exactly_if_none_is_allowed() -> None:
    schema = arrow_schema(Figure)
    assert schema.field("doi").nullable and schema.field("part_label").nullable
    assert not schema.field("caption").nullable and not schema.field("md5").nullable


def test_a_row_that_does_not_fit_is_refused() -> None:
    row = to_table([separated()], SeparatedFigure).to_pylist()[0] | {"matched_by": "luck"}
    with pytest.raises(ValueError, match="matched_by"):
        from_table(pa.Table.from_pylist([row]), Pair)


def test_what_a_file_of_an_earlier_version_lacks_takes_its_default() -> None:
    table = to_table([separated()], SeparatedFigure)
    table = table.set_column(
        table.schema.names.index("pictures"), "pictures", pa.nulls(1, table.schema.field("pictures").type)
    )
    assert from_table(table, SeparatedFigure) == [separated()]
