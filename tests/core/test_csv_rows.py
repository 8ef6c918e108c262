"""CSV as people and spreadsheets leave it: read whole, or refused by the line."""

import csv
import gzip
import io
import re
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.csv_rows import EMPTY, CsvError, as_id, is_empty, open_csv, plain

CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc")) | st.sampled_from(",;\t\"'\n\r|= "), max_size=8)
TABLE = st.lists(st.tuples(CELL, CELL, CELL), max_size=5)
NAMES = ("image", "patient_id", "text")


def read(tmp_path: Path, text: str | bytes, *needed: str, optional: tuple[str, ...] = ()) -> list[dict[str, str]]:
    file = tmp_path / "a.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return list(open_csv(file, needed, optional).rows())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("zipped", [False, True])
def test_what_spreadsheets_save_is_read(encoding: str, end: str, delimiter: str, zipped: bool, tmp_path: Path) -> None:
    lines = [delimiter.join(("image", "text")), delimiter.join(("ä.png", f'"Heart{delimiter} lungs."')), ""]
    data = end.join(lines).encode(encoding)
    found = read(tmp_path, gzip.compress(data, mtime=0) if zipped else data, "image", "text")
    assert found == [{"image": "ä.png", "text": f"Heart{delimiter} lungs."}]


def test_the_line_that_excel_writes_for_itself_names_the_delimiter(tmp_path: Path) -> None:
    assert read(tmp_path, 'sep=;\r\nimage;"a, b"\r\nx;y\r\n', "image") == [{"image": "x", "a, b": "y"}]
    assert read(tmp_path, "sep=,\n\nimage\nx\n", "image") == [{"image": "x"}]


@pytest.mark.parametrize("header", ["PatientID", "patient_id", "Patient Id", "PATIENT-ID", " patient id "])
def test_a_column_is_found_however_it_is_spelt(header: str, tmp_path: Path) -> None:
    assert read(tmp_path, f"image,{header}\na,7\n", "image", "patient_id") == [{"image": "a", "patient_id": "7"}]
    assert read(tmp_path, f"image,{header}\na,7\n", "image", optional=("patient_id", "view"))[0]["patient_id"] == "7"


def test_the_very_name_comes_before_one_that_is_only_alike(tmp_path: Path) -> None:
    assert read(tmp_path, "text,Text\na,b\n", "text") == [{"text": "a", "Text": "b"}]
    with pytest.raises(CsvError, match="columns TEXT and Text may each be text; rename one"):
        read(tmp_path, "TEXT,Text\na,b\n", "text")
    assert plain("Größe (mm)") == "grössemm"


@pytest.mark.parametrize("word", sorted(EMPTY))
def test_words_for_nothing_are_nothing(word: str, tmp_path: Path) -> None:
    assert is_empty(word) and is_empty(f" {word.upper()} ")
    assert read(tmp_path, f"a,b\n1,{word.upper()}\n", "a", "b") == [{"a": "1", "b": ""}]


def test_empty_rows_are_passed_over_and_empty_cells_at_the_end_are_none(tmp_path: Path) -> None:
    assert read(tmp_path, "\n\na,b\n\n1,2,,\n,,\n  \n3,\n,,,,\n", "a", "b") == [
        {"a": "1", "b": "2"},
        {"a": "3", "b": ""},
    ]
    assert read(tmp_path, "a,b,,\n1,2\n", "a") == [{"a": "1", "b": "2"}]  # as NIH's header ends


def test_a_column_without_a_name_is_told_by_its_number_and_none_at_the_end_has_cells(tmp_path: Path) -> None:
    assert read(tmp_path, ",a\n0,x\n", "a") == [{"column 1": "0", "a": "x"}]  # as pandas numbers rows
    with pytest.raises(CsvError, match="line 2: 3 cells, and the header has 1"):
        read(tmp_path, "a,,\nx,,y\n", "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a,b\n1,2\n1,Heart, lungs.\n",
            "line 3: 3 cells, and the header has 2: a text with ',' in it stands in quotes",
        ),
        ("a;b\n1;2;3\n", "line 2: 3 cells, and the header has 2: a text with ';'"),
        ("a,b\n1,Heart\nlungs\n", "line 3: 1 cell, and the header has 2: a text of several lines stands in quotes"),
        ('a,b\n1,"Heart\n2,lungs\n', "line 2: a quote is opened and not closed"),
        ('a,b\n1,x\n2,"Heart\n3,"lungs"\n', "line 3: a quote stands inside a text"),
        ('a,b\n1,"Heart\n3,"\n', "line 2: a quote is opened and not closed"),
        ('a,b\n1.png,"Heart\n2.png,5"\n', "line 2: a quote is opened and not closed"),
        ('a,b\n1,"a "large" heart"\n', "line 2: a quote stands inside a text"),
        ('a,b\n1,"' + "x" * 200_000 + "\n", "line 2: a quote is opened and not closed"),
        ("a,b,a\n1,2,3\n", "line 1: there are two columns a; which of them counts?"),
        ("", "has no header"),
        ("\n,,\n", "has no header"),
        ("b\n1\n", "has no column a; it has b"),
        ("a,b\n1,ü\n".encode("latin-1"), "line 2: byte 0xfc is no UTF-8; save it as CSV, in UTF-8"),
        ("a,b\n1,2\n".encode("utf-16-le"), "is no text, or UTF-16 without its mark"),
        ("a,b\n1,2\n".encode("utf-16")[:-1], "is not in the encoding that its first bytes state"),
        (b"PK\x03\x04", "is no CSV but XLSX"),
        (gzip.compress(b"a\n1\n" * 100, mtime=0)[:-9], "cannot be read"),
    ],
)
def test_where_something_would_be_lost_the_line_is_said(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(CsvError, match=re.escape(said)) as refused:
        read(tmp_path, text, "a")
    assert "\n" not in str(refused.value) and str(tmp_path / "a.csv") in str(refused.value)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="cannot be read"):
        open_csv(tmp_path / "none.csv", ())


def test_a_text_of_several_lines_is_one_cell(tmp_path: Path) -> None:
    text = 'image,text\na.png,"FINDINGS:\n\nHeart, lungs, clear.\n"\nb.png,"x"\n'
    assert [row["text"] for row in read(tmp_path, text, "image")] == ["FINDINGS:\n\nHeart, lungs, clear.", "x"]


def test_ids_are_the_same_however_a_spreadsheet_left_them() -> None:
    assert as_id("103.0") == as_id("103") == "103"
    assert (as_id("00103"), as_id("1.2.840.10"), as_id("s-1.05")) == ("00103", "1.2.840.10", "s-1.05")
    assert as_id("Mu\u0308ller") == as_id("Müller")
    for rounded in ("1.23E+12", "1,2e15", "1e9"):
        with pytest.raises(ValueError, match="a spreadsheet has rounded"):
            as_id(rounded)


@settings(max_examples=300, deadline=None)
@given(
    rows=TABLE,
    delimiter=st.sampled_from(",;\t|"),
    end=st.sampled_from(["\n", "\r\n"]),
    quoted=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_a_writer_wrote_is_read_or_refused_and_never_cut(
    rows: list[tuple[str, str, str]],
    delimiter: str,
    end: str,
    quoted: Literal[0, 1],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoted)
    writer.writerows([NAMES, *rows])
    try:
        found = read(tmp_path_factory.mktemp("fuzz"), stream.getvalue(), *NAMES)
    except CsvError as error:
        # A text of several lines that looks like an open quote; and Python's writer puts no quotes around a bare CR.
        bare = quoted == csv.QUOTE_MINIMAL and any("\r" in cell for row in rows for cell in row)
        assert "a quote is opened and not closed" in str(error) or bare
        return
    if quoted == csv.QUOTE_MINIMAL and any("\r" in cell for row in rows for cell in row):
        return
    whole = [[known(cell) for cell in row] for row in rows if any(cell.strip() for cell in row)]
    assert [list(row.values()) for row in found] == whole


def known(cell: str) -> str:
    return "" if is_empty(cell) else cell.strip()


def test_an_error_is_one_line_whatever_the_header_holds(tmp_path: Path) -> None:
    with pytest.raises(CsvError) as refused:
        read(tmp_path, 'a.png,"Heart.\nLungs."\nb.png,x\n', "image")  # found by fuzzing
    assert "\n" not in str(refused.value)


def test_a_file_that_is_cut_and_no_text_is_one_line(tmp_path: Path) -> None:
    data = gzip.compress("image,text\n\xe9,b\n".encode("latin-1") * 2000)  # found by fuzzing
    for length in range(20, len(data), 7):
        with pytest.raises(CsvError, match=r"cannot be read|is no UTF-8|not in the encoding"):
            read(tmp_path, data[:length], "image")
