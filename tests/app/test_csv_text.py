"""CSV that a spreadsheet takes for text."""

from app.csv_text import as_csv


def test_what_a_spreadsheet_would_compute_stays_text_and_columns_of_all_rows_are_there() -> None:
    assert as_csv([{"a": "=1+1", "b": "x"}, {"c": "-2", "a": -2}]).decode().splitlines() == [
        "a,b,c",
        "'=1+1,x,",
        "-2,,'-2",
    ]
    assert as_csv([]).decode().strip() == "item_id"
