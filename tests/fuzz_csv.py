"""Damaged copies of real tables, read one by one: rows or a CsvError may come out, and no text may be lost.

    python -m tests.fuzz_csv ../shared/cases/csv ../shared/chest_xrays --minutes 30 --seed 0 --found FOUND

Each copy goes through the common reader and through the reader of `figray dataset csv`. What else they raise, and what
is read without a part of its letters, is written to the folder FOUND and told at the end.
"""

import argparse
import gzip
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from core.csv_rows import EMPTY, GZIP, MARKS, SEPARATOR, CsvError, open_csv
from trainers.datasets import csv_folder
from trainers.datasets.work import DatasetError

PIECES = (
    b'"', b'""', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\n\n", b",,,\n", b" ", b"\0", b"\xff", b"\xe9", b"=",
    b"\xc3\xa9", b"\xef\xbb\xbf", b"\xff\xfe", b"nan", b"NA", b"None", b"1.0", b"1.23E+12", b"image", b"sep=;\n", b"'",
    b"patient_id", b"label_Mass", b"\x0b", b"\x0c", b"\x1c", b"\x85", "\u2028".encode(), "\u00a0".encode(), b"\\",
)  # fmt: skip
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-le", "cp1252", "latin-1")
OF_EMPTY = frozenset("".join(EMPTY) + "".join(EMPTY).upper())
LARGEST = 20_000  # bytes of a table that is damaged
MADE = 'image,patient_id,text,label_Mass,split\nx1.png,p1,"Heart, lungs.\nClear.",1,train\nx2.png,2.0,"a ""b"" c",NA,\n'


def tables(folders: list[Path]) -> list[bytes]:
    """The CSV files of folders as they are, their first lines where they are long, and one that is made up."""
    found = [file.read_bytes() for folder in folders for file in sorted(folder.rglob("*.csv"))]
    return [MADE.encode(), *(data[:LARGEST].rpartition(b"\n")[0] if len(data) > LARGEST else data for data in found)]


def damaged(data: bytes, rng: np.random.Generator) -> bytes:
    """A copy with pieces put in, cut out, doubled or moved, and sometimes in another encoding."""
    copy = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        at, length = int(rng.integers(0, len(copy) + 1)), int(rng.integers(1, 40))
        kind = int(rng.integers(0, 7))
        if kind <= 2:
            copy[at:at] = PIECES[int(rng.integers(0, len(PIECES)))]
        elif kind == 3:
            del copy[at : at + length]
        elif kind == 4:
            copy[at:at] = copy[at : at + length]
        elif kind == 5:
            old, new = (PIECES[int(each)] for each in rng.integers(0, len(PIECES), 2))
            copy = copy.replace(old, new, int(rng.integers(1, 4)))
        else:
            del copy[at:]
    return encoded(bytes(copy), rng)


def encoded(data: bytes, rng: np.random.Generator) -> bytes:
    """The bytes as they are, or as another program would save them."""
    if rng.random() < 0.2:
        encoding = ENCODINGS[int(rng.integers(0, len(ENCODINGS)))]
        data = data.decode("utf-8", "replace").encode(encoding, "replace")
    if rng.random() < 0.05:
        data = gzip.compress(data)
        data = data[: int(rng.integers(1, len(data) + 1))] if rng.random() < 0.5 else data
    return data


def text_of(data: bytes) -> str:
    """What stands in a file that was read."""
    plain = gzip.decompress(data) if data.startswith(GZIP) else data
    text = plain.decode(next((name for mark, name in MARKS if plain.startswith(mark)), "utf-8"))
    lines = text.lstrip("\r\n\t ,;|")
    separator = SEPARATOR.fullmatch(re.split(r"[\r\n]", lines, maxsplit=1)[0])
    return lines[separator.end() :] if separator else text


def lost(data: bytes, file: Path) -> str:
    """The letters and digits of a file that is read which come out nowhere, but those of words for nothing."""
    table = open_csv(file, ())
    given = Counter(filter(str.isalnum, "".join(table.names)))
    for row in table.rows():
        given.update(filter(str.isalnum, "".join(row.values())))
    missing = Counter(filter(str.isalnum, text_of(data))) - given
    return "".join(sorted(letter for letter in missing if letter not in OF_EMPTY))


def rows_lost(file: Path) -> str:
    """How many rows `figray dataset csv` passes over though something stands in them."""
    works = csv_folder.works(file, columns={}, mask_target="mask", seed=0)
    csv_folder.notes(file, {})
    listed = sum(any(row.values()) for row in open_csv(file, ("image",), csv_folder.COLUMNS).rows())
    return f"{listed - len(works)} rows" if listed > len(works) else ""


def said(read: Callable[[], str]) -> str:
    """What a reader says of a file: "read", "refused", or what is wrong."""
    try:
        missing = read()
    except (CsvError, DatasetError) as error:
        return "refused" if "\n" not in str(error) else "FOUND an error of several lines"
    except Exception as error:  # noqa: BLE001  this is what is looked for
        return f"FOUND {type(error).__name__}: {error}"[:120]
    return f"FOUND lost {missing}"[:60] if missing else "read"


def turns(whole: list[bytes], seed: int, until: float, found: Path) -> Iterator[str]:
    """What both readers say of copy after copy; what is wrong is kept."""
    rng, file, number = np.random.default_rng(seed), found / "now.csv", 0
    while time.monotonic() < until:
        data = damaged(whole[int(rng.integers(0, len(whole)))], rng)
        file.write_bytes(data)
        for name, read in (("rows", lambda data=data: lost(data, file)), ("dataset", lambda: rows_lost(file))):
            told = said(read)
            if told.startswith("FOUND"):
                (found / f"found-{seed}-{number}.csv").write_bytes(data)
            yield f"{name}: {told}"
        number += 1


def main() -> None:
    """Read until the time is over, and tell what was said."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folders", type=Path, nargs="*")
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--found", type=Path, required=True)
    asked = parser.parse_args()
    asked.found.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * asked.minutes
    counts = Counter(turns(tables(asked.folders), asked.seed, until, asked.found))
    for told, count in counts.most_common():
        print(f"{count:8} {told}")  # noqa: T201


if __name__ == "__main__":
    main()
