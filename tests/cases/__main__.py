"""Run the cases of a folder as a user would, and print a table; exit 1 if one that must be right is not.

python -m tests.cases ../shared/cases [NAME ...]
"""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.cases import articles, files
from tests.cases.runner import Case, Row

REQUIRED: dict[str, Case] = {
    "settings": files.settings,
    "csv": files.table,
    "json": files.captions,
    "dicom": files.films,
    "reports": files.reports,
    "folder-from-a-mac": files.mac,
    "unusual-labels": files.unusual,
    "file-names": articles.names,
    "rsna-mapping": files.mapping,
    "captions-in-two-languages": articles.languages,
    "named-entities": articles.entities,
    "powers": articles.powers,
    "white-is-zero": articles.whites,
}
SHOWN: dict[str, Case] = {"figures": articles.figures, "captions": articles.labels, "words-lost": articles.words}


def run(root: Path, names: Sequence[str] = ()) -> Iterator[Row]:
    """The rows of the cases of a folder, of all of them or of those that are named."""
    for name, case in (REQUIRED | SHOWN).items():
        if names and name not in names:
            continue
        if not (root / name).is_dir():
            yield Row(name, "no such folder", right=name not in names)
            continue
        with tempfile.TemporaryDirectory() as work:
            rows = list(case((root / name).resolve(), Path(work)))
        yield from rows or [Row(name, "nothing came out", right=False)]


def line(row: Row) -> str:
    """A row of the table."""
    told = " ".join(row.happened.split()).replace("|", "\\|")
    mark = {True: "right", False: "WRONG", None: "shown"}[row.right]
    return f"| {row.case} | {told[:200]} | {mark} |"


def main(root: Path, names: Sequence[str]) -> int:
    """Print the table; 1 if a case that must be right is not."""
    say = partial(print, flush=True)
    say("| case | what happened | |\n|---|---|---|")
    rows = []
    for row in run(root, names):
        rows.append(row)
        say(line(row))
    counts = [sum(row.right is each for row in rows) for each in (True, False, None)]
    say("\n{} right, {} wrong, {} shown".format(*counts))
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
