"""CSV that a spreadsheet takes for text."""

from app.csv_text import as_csv, csv_pieces


def test_what_a_spreadsheet_would_compute_stays_text_and_columns_of_all_rows_are_there() -> None:
    assert as_csv([{"a": "=1+1", "b": "x"}, {"c": "-2", "a": -2}]).decode().splitlines() == [
        "a,b,c",
        "'=1+1,x,",
        "-2,,'-2",
    ]
    assert as_csv([]).decode().strip() == "item_id"


def test_pieces_are_the_lines_of_the_whole() -> None:
    rows = [{"a": "=1", "b": n} for n in range(5)]
    assert b"".join(csv_pieces([rows[:2], [], rows[2:]], ["a", "b"])) == as_csv(rows)
