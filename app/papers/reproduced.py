"""The page of a reproduced table, curve or grid of maps: what was found, the paper's numbers, what reappears."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from markupsafe import Markup

from app.report.curves import LegendEntry
from app.report.templates import templates


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One number, and what stands small beneath it."""

    value: str
    beneath: Sequence[str] = ()
    is_best: bool = False


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a table; quiet rows are the paper's."""

    head: str
    meaning: str = ""
    cells: Sequence[Cell]
    is_quiet: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under grouped columns."""

    title: str
    caption: str
    groups: Mapping[str, Sequence[str]]  # columns by group
    rows: Sequence[Row]
    foot: Row | None = None

    @property
    def first_columns(self) -> list[int]:
        """Where each group begins."""
        return [0, *accumulate(len(columns) for columns in self.groups.values())][:-1]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A PNG."""

    title: str
    png: bytes
    meaning: str

    @property
    def uri(self) -> str:
        return f"data:image/png;base64,{b64encode(self.png).decode()}"


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A drawing with its legend."""

    svg: Markup
    legend: Sequence[LegendEntry]
    caption: str


@dataclass(frozen=True, kw_only=True)
class Reproduced:
    """All that the page shows."""

    title: str
    about: str
    made: str
    sentences: Sequence[str]
    notes: Sequence[str] = ()
    tables: Sequence[Table] = ()
    plot: Plot | None = None
    pictures: Sequence[Picture] = ()
    settings: Mapping[str, object] = field(default_factory=dict)


def render(page: Reproduced) -> str:
    """One self-contained HTML page."""
    return templates("app.papers").get_template("reproduced.html").render(title=page.title, page=page)
