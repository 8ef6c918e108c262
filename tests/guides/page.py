"""A page of the documentation as its test reads it: the commands in it, and the output that it shows for them.

A block of `bash` below the comment `<!-- run -->` is run. A block of `text` right below it is what it has to print.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDES = ROOT / "docs" / "guides"
BLOCK = re.compile(r"(<!-- run -->\n+)?```(\w*)\n(.*?)```\n", re.DOTALL)
INDENTED = re.compile(r"^ {4,}((?:\.venv/bin/)?figray .*)$", re.MULTILINE)
DECIMAL = re.compile(r"[-–]?\b\d+\.\d+\b|[-–]?\b\d+e-\d+\b")  # what another machine may compute a little differently
SPEED = re.compile(r"[\d,]+ pairs a second")


@dataclass
class Commands:
    """A block of commands; is_run: whether the test runs them; shown: the lines that they have to print."""

    lines: list[str]
    is_run: bool
    shown: list[str]


def commands_of(page: str) -> list[Commands]:
    """The blocks of commands of a page, in order. A line that ends with a backslash goes on in the next."""
    found: list[Commands] = []
    end = -1
    for block in BLOCK.finditer(page):
        mark, language, body = block.groups()
        if language == "bash":
            joined = re.sub(r"\\\n\s*", "", body)
            found.append(Commands([line for line in map(uncommented, joined.splitlines()) if line], bool(mark), []))
        elif language == "text" and found and not page[end : block.start()].strip():
            found[-1].shown = [line for line in body.splitlines() if line.strip()]
        end = block.end()
    return found


def uncommented(line: str) -> str:
    """A command without what stands behind a `#`."""
    return re.sub(r"(^|\s)#\s.*$", "", line).strip()


def typed_in(page: str) -> Iterator[str]:
    """Every command line of figray on a page, in whatever block."""
    for block in commands_of(page):
        for line in block.lines:
            if found := re.match(r"(?:\.venv/bin/|sbatch .*/)?figray(?:\.sbatch)? (.*)", line):
                yield f"figray {found.group(1)}"
    for line in INDENTED.findall(re.sub(r"\\\n\s*", "", page)):
        yield uncommented(line)


def missing(shown: list[str], said: str) -> list[str]:
    """The lines of an output that a page shows and that were not said, in this order.

    Whole numbers have to be equal; decimals and speeds are left open. "..." stands for lines or the rest of a line.
    """
    rest, lost = [leveled(line) for line in said.splitlines()], []
    for line in (leveled(each) for each in shown if each.strip() not in ("...", "…")):
        cut = line.removesuffix("...")
        at = next((n for n, each in enumerate(rest) if each == line or (cut != line and each.startswith(cut))), None)
        if at is None:
            lost.append(line)
        else:
            del rest[: at + 1]
    return lost


def leveled(line: str) -> str:
    """A line without what differs from machine to machine."""
    return " ".join(DECIMAL.sub("#", SPEED.sub("# pairs a second", line)).split())
