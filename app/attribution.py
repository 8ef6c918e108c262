"""ATTRIBUTION.csv: whom the licence of each pair asks to name; it goes with every copy of the pairs or of a model."""

from collections.abc import Iterator, Mapping
from typing import Any

from app.csv_text import as_csv
from core.places import Place
from core.records import Figure, Pair
from core.runs import Table

FILE = "ATTRIBUTION.csv"
OF_PAIRS = ["pair_id", "figure_id", "article_id", "licence", "attribution", "media_url"]


def write_attribution(run: Place, out: Place, name: str = "pairs") -> int:
    """Write the file for a run's pairs into a folder; how many rows it has."""
    rows = list(attribution(run, name))
    (out / FILE).write_bytes(as_csv(rows))
    return len(rows)


def attribution(run: Place, name: str = "pairs") -> Iterator[dict[str, str]]:
    """A row for each pair: authors, title, DOI, licence and version of its article, and where its image came from."""
    pairs, figures = Table(run / name, Pair), Table(run / "figures", Figure)
    named = {
        row["figure_id"]: row
        for row in figures.read(columns=["figure_id", "title", "doi", "permission"]).to_pylist()
        if figures.parts()
    }
    folders = sorted({file.name.rpartition("/")[0] for part in pairs.parts() for file in part.files})
    for folder in folders:
        for row in pairs.read(folder, columns=OF_PAIRS).to_pylist():
            yield row_of(row, named.get(row["figure_id"], {}))


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
