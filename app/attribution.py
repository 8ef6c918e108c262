"""ATTRIBUTION.csv: whom the licence of each pair asks to name; it goes with every copy of the pairs or of a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from app.csv_text import csv_pieces
from core.places import Place
from core.records import Figure, Pair
from core.runs import Part, Table

FILE = "ATTRIBUTION.csv"
COLUMNS = (
    *("pair_id", "authors", "title", "doi", "licence", "version"),
    *("attribution", "permission", "media_url"),
)
OF_PAIRS = ["pair_id", "figure_id", "article_id", "licence", "attribution", "media_url"]


Row = Mapping[str, Any]
Keep = Callable[[int, Sequence[Row]], Sequence[Row]]  # of a part, and rows of it: those that are told of


def all_of(part: int, rows: Sequence[Row]) -> Sequence[Row]:
    """Every row of a part."""
    return rows


def write_attribution(
    run: Place, out: Place, name: str = "pairs", *, columns: Sequence[str] = (), keep: Keep = all_of
) -> int:
    """Write the file for a run's pairs into a folder; how many pairs the table has. columns, keep: see attribution."""
    pieces = attribution(run, name, columns=columns, keep=keep)
    (out / FILE).write_pieces(csv_pieces(pieces, COLUMNS))
    return sum(part.rows for part in Table(run / name, Pair).parts())


def attribution(
    run: Place, name: str = "pairs", *, columns: Sequence[str] = (), keep: Keep = all_of
) -> Iterator[list[dict[str, str]]]:
    """A row for each pair: authors, title, DOI, licence and version of its article, and where its image came from.

    Part by part, split by split: the pairs of a part are of its figures. keep: which pairs, told by these columns too.
    """
    pairs, figures = Table(run / name, Pair), Table(run / "figures", Figure)
    parts, told = pairs.parts(), {part.part: part for part in figures.parts()}
    for folder in sorted({file.name.rpartition("/")[0] for part in parts for file in part.files}):
        for part in parts:
            files = [file for file in part.files if file.name.rpartition("/")[0] == folder]
            own = part.model_copy(update={"files": files})
            rows = keep(part.part, pairs.read_of(own, list({*OF_PAIRS, *columns})).to_pylist())
            named = _named(figures, told[part.part]) if rows and part.part in told else {}
            yield [row_of(row, named.get(row["figure_id"], {})) for row in rows]


def _named(figures: Table, part: Part) -> dict[str, dict[str, Any]]:
    """What is known of a part's figures, by their ids."""
    rows = figures.read_of(part, ["figure_id", "title", "doi", "permission"]).to_pylist()
    return {row["figure_id"]: row for row in rows}


def row_of(pair: Mapping[str, Any], figure: Mapping[str, Any]) -> dict[str, str]:
    """Whom one pair names. What its figure's row does not say is read in the pair's own attribution."""
    title, told = str(figure.get("title") or ""), str(pair["attribution"])
    authors = told.partition(f". {title.rstrip('.')}.")[0] if title and title.rstrip(".") in told else ""
    return {
        "pair_id": str(pair["pair_id"]),
        "authors": authors,
        "title": title,
        "doi": str(figure.get("doi") or ""),
        "licence": str(pair["licence"]),
        "version": str(pair["article_id"]),
        "attribution": told,
        "permission": str(figure.get("permission") or ""),
        "media_url": str(pair["media_url"]),
    }
