"""Rows of a CSV as people and spreadsheets leave it (RFC 4180 and what departs from it): no cell is lost unsaid.

Commas, semicolons or tabs between the cells; UTF-8, or UTF-16 and UTF-32 with their mark; gzipped or not. A row that
has more or fewer cells than the header is refused by its line, as is a quote that is not closed: a text is cut there.
"""

import csv
import gzip
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from itertools import chain
from pathlib import Path, PurePosixPath

from core.config import UserError

DELIMITERS = (",", ";", "\t", "|")
EMPTY = frozenset(("", "nan", "na", "n/a", "#n/a", "<na>", "none", "null", "nat"))  # as spreadsheets and pandas write
MARKS = (  # of encodings, the longer ones first
    (b"\xff\xfe\0\0", "utf-32"), (b"\0\0\xfe\xff", "utf-32"), (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"),
)  # fmt: skip
NOT_CSV = ((b"PK\x03\x04", "XLSX"), (b"\xd0\xcf\x11\xe0", "XLS"), (b"PAR1", "Parquet"), (b"%PDF", "PDF"))
GZIP = b"\x1f\x8b"
SEPARATOR = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # the first line that Excel writes for itself
WHOLE = re.compile(r"([+-]?\d+)\.0+")
ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d+)?[eE]\+?\d+")


class CsvError(UserError):
    """A file is no CSV that can be read whole; the message names the file, and the line where there is one."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))  # the cells that it shows may be of several


@dataclass(frozen=True)
class CsvTable:
    """A CSV whose header has been read."""

    file: Path
    names: tuple[str, ...]  # of its columns, as it has them
    found: dict[str, str]  # what was asked for, and its column's name in the file
    delimiter: str

    def rows(self) -> Iterator[dict[str, str]]:
        """The rows, cells stripped and "" where nothing is known, by the name asked for, else by the file's own.

        Rows without any cell are passed over. Raises CsvError.
        """
        asked = {own: name for name, own in self.found.items()}
        names = [asked.get(name, name) for name in self.names]
        for line, cells in _records(self.file, self.delimiter, header=False):
            if any(cell.strip() for cell in cells):
                yield _row(self, names, line, cells)


def open_csv(file: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> CsvTable:
    """A CSV by its header; a column is found whatever its case, blanks and underscores. Raises CsvError.

    needed, optional: names of columns; a CSV without one of the needed is refused.
    """
    wanted = tuple(dict.fromkeys((*needed, *optional)))
    first = _first_line(file)
    separator = SEPARATOR.fullmatch(first)
    delimiter = separator[1] if separator else max(DELIMITERS, key=lambda each: _fit(first, each, wanted))
    line, header = next(_records(file, delimiter, header=True))
    # As NIH's header ends in a comma: what has no name at the end is no column, elsewhere it is told by its number.
    last = max(number for number, name in enumerate(header, 1) if name.strip())
    names = tuple(name.strip() or f"column {number}" for number, name in enumerate(header[:last], 1))
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise CsvError(f"{file}, line {line}: there are two columns {twice[0]}; which of them counts?")
    found = {name: own for name in wanted if (own := _column(file, name, names))}
    missing = [name for name in needed if name not in found]
    if missing:
        raise CsvError(f"{file} has no column {', '.join(missing)}; it has {', '.join(names)}")
    return CsvTable(file, names, found, delimiter)


def plain(name: str) -> str:
    """A column's name as people mean it: PatientID, patient_id and "Patient Id" are one."""
    return "".join(character for character in unicodedata.normalize("NFKC", name).casefold() if character.isalnum())


def is_empty(cell: str) -> bool:
    """Whether a cell says that nothing is known."""
    return cell.strip().casefold() in EMPTY


def as_id(cell: str) -> str:
    """An id as text: 103.0, which pandas makes of a column with gaps, is 103; accents in one form.

    Raises ValueError where a spreadsheet has rounded it, "1.23E+12": others may have become the same.
    """
    if ROUNDED.fullmatch(cell):
        raise ValueError(f"{cell!r} is an id that a spreadsheet has rounded; make that column text, and fill it again")
    whole = WHOLE.fullmatch(cell)
    return whole[1] if whole else unicodedata.normalize("NFC", cell)


def _row(table: CsvTable, names: Sequence[str], line: int, cells: Sequence[str]) -> dict[str, str]:
    where = f"{table.file}, line {line}"
    counts = f"{where}: {len(cells)} {'cells' if len(cells) > 1 else 'cell'}, and the header has {len(names)}"
    if any(cell.strip() for cell in cells[len(names) :]):
        raise CsvError(f'{counts}: a text with {_named(table.delimiter)} in it stands in quotes, "like this"')
    if len(cells) < len(names):
        raise CsvError(f'{counts}: a text of several lines stands in quotes, "like this"')
    if any(_swallowed(cell, cells[0], table.delimiter) for cell in cells):
        raise CsvError(f"{where}: a quote is opened and not closed; the rows after it were read as one cell")
    known = ((name, cell.strip()) for name, cell in zip(names, cells, strict=False))
    return {name: "" if is_empty(cell) else cell for name, cell in known}


def _swallowed(cell: str, first: str, delimiter: str) -> bool:
    """Whether a cell of several lines is rather one whose quote is not closed, and that ends at a later row's quote."""
    lines = cell.splitlines()
    if len(lines) < 2:
        return False
    suffix = PurePosixPath(first.strip()).suffix
    begun = [line.partition(delimiter) for line in lines[1:]]
    rows = [start for start, cut, _ in begun if cut and suffix and start.endswith(suffix) and " " not in start]
    return bool(rows) or lines[-1].rstrip(" ").endswith(delimiter)


def _column(file: Path, name: str, names: Sequence[str]) -> str | None:
    """The file's name for a column, the very same before one that is only spelt alike."""
    if name in names:
        return name
    alike = [own for own in names if plain(own) == plain(name) != ""]
    if len(alike) > 1:
        raise CsvError(f"{file}: columns {' and '.join(alike)} may each be {name}; rename one")
    return alike[0] if alike else None


def _fit(line: str, delimiter: str, wanted: Sequence[str]) -> tuple[int, int]:
    """How well a header is cut by a delimiter: columns that are wanted, and columns."""
    names = {plain(name) for name in next(csv.reader([line], delimiter=delimiter), [])}
    return sum(plain(name) in names for name in wanted), len(names)


def _records(file: Path, delimiter: str, *, header: bool) -> Iterator[tuple[int, list[str]]]:
    """The header, or all rows after it, with the line in which each begins; raises CsvError."""
    with _opened(file) as lines:
        begun, first = _first(lines)
        again = () if SEPARATOR.fullmatch(first) else (first,)
        skipped = begun - len(again)
        reader = csv.reader(chain(again, lines), delimiter=delimiter, strict=True, skipinitialspace=True)
        line, named = 0, False
        try:
            for cells in reader:
                begins, line = line, reader.line_num
                if named or (header and any(cell.strip() for cell in cells)):
                    yield skipped + begins + 1, cells
                named = named or any(cell.strip() for cell in cells)
                if header and named:
                    return
        except csv.Error as error:
            raise CsvError(f"{file}, line {skipped + line + 1}: {_said(error)}") from error
    if header:
        raise CsvError(f"{file} has no header")


def _said(error: csv.Error) -> str:
    if "field larger" in str(error) or "end of data" in str(error):
        return "a quote is opened and not closed"
    return f"a quote stands inside a text; written twice it would be one ({error})"


def _first_line(file: Path) -> str:
    with _opened(file) as lines:
        return _first(lines)[1]


def _first(lines: Iterable[str]) -> tuple[int, str]:
    """The first line with anything in it, and its number."""
    return next(((number, line) for number, line in enumerate(lines, 1) if line.strip()), (0, ""))


@contextmanager
def _opened(file: Path) -> Iterator[Iterator[str]]:
    """The lines of a file; raises CsvError where it cannot be read as text."""
    try:
        with _bytes(file) as stream:
            head = stream.read(4096)
        kind = next((name for mark, name in NOT_CSV if head.startswith(mark)), "")
        if kind:
            raise CsvError(f"{file} is no CSV but {kind}; save it as CSV, in UTF-8")
        encoding = next((name for mark, name in MARKS if head.startswith(mark)), "utf-8")
        with _bytes(file) as stream, TextIOWrapper(stream, encoding=encoding, newline="") as text:
            yield _without_nul(file, text)
    except UnicodeDecodeError as error:
        try:
            said = _undecodable(file)
        except (OSError, EOFError, zlib.error):  # cut, and before it no text
            said = f"{file} cannot be read: {error}"
        raise CsvError(said) from error
    except (OSError, EOFError, zlib.error) as error:
        raise CsvError(f"{file} cannot be read: {error}") from error


def _bytes(file: Path) -> BufferedReader:
    with file.open("rb") as stream:
        zipped = stream.read(2) == GZIP
    return BufferedReader(gzip.GzipFile(file)) if zipped else file.open("rb")


def _without_nul(file: Path, lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        if "\0" in line:
            raise CsvError(f"{file} is no text, or UTF-16 without its mark; save it as CSV, in UTF-8")
        yield line


def _undecodable(file: Path) -> str:
    """What is said of a file that is in another encoding: which, cannot be known from its bytes."""
    with _bytes(file) as stream:
        lines = () if stream.peek(4).startswith(tuple(mark for mark, _ in MARKS)) else stream
        for number, line in enumerate(lines, 1):
            try:
                line.decode("utf-8")
            except UnicodeDecodeError as error:
                return f"{file}, line {number}: byte {line[error.start]:#x} is no UTF-8; save it as CSV, in UTF-8"
    return f"{file} is not in the encoding that its first bytes state; save it as CSV, in UTF-8"


def _named(delimiter: str) -> str:
    return {"\t": "a tab"}.get(delimiter, f"'{delimiter}'")
