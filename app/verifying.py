"""figray verify: what is damaged in a run, and whether all that came in is kept, left out or failed."""

from collections.abc import Iterator

from core.places import Place
from core.records import Figure, Pair, Radiograph, SeparatedFigure
from core.runs import RunConflict, Table
from core.split import pmcid_of
from core.tables import TableError
from core.verify import Damage, verify
from pipelines.sources import articles

RECORDS: dict[str, tuple[type, str]] = {
    "figures": (Figure, "figray collect"),
    "separated": (SeparatedFigure, "figray pair"),
    "pairs": (Pair, "figray pair"),
    "whole": (Pair, "figray pair"),
    "radiographs": (Radiograph, "figray dataset"),
}


def verified(run: Place) -> tuple[list[Damage], list[str]]:
    """All that is damaged, and a line for each table that says what came in and what became of it."""
    found = list(verify(run, RECORDS))
    told = []
    for name, (record, _) in RECORDS.items():
        table = Table(run / name, record)
        if (run / name).exists() and not any(each.file.startswith(table.place.uri + "/") for each in found):
            told.append(counted_in_words(name, table))
    if not found and (run / "figures" / "articles.json").exists():
        found += unaccounted(Table(run / "figures", Figure))
    return found, told


def counted_in_words(name: str, table: Table) -> str:
    """In, kept, left out and failed."""
    parts = table.parts()
    kept, left_out = table.rows, sum(table.left_out.values())
    failed = sum(table.failed.values())
    taken = sum(part.taken if part.taken is not None else part.rows for part in parts)
    known = all(part.taken is not None for part in parts)
    came = f"{taken:,} in = " if known else ""
    return f"{name}: {came}{kept:,} kept + {left_out:,} left out + {failed:,} failed, in {len(parts)} parts"


def unaccounted(figures: Table) -> Iterator[Damage]:
    """Articles that the run lists, and that a committed part neither keeps nor leaves out."""
    listed = articles.folder_list(figures.place / "articles.json")
    slices = articles.added(figures.place)
    base = {part.part for part in figures.parts()}
    try:
        told = {pmcid_of(each) for each in figures.read(columns=["article_id"])["article_id"].to_pylist()}
        told |= {pmcid_of(each) for each in figures.rejects()["article_id"].to_pylist()}
    except (TableError, RunConflict, OSError) as error:
        yield Damage(figures.place.uri, str(error), "see the file that it names")
        return
    lost = [pmcid for pmcid in (*listed, *(each for part in slices for each in part)) if pmcid not in told]
    if lost:
        cure = "`figray collect` goes on with them"
        what = f"{len(lost):,} listed articles are in none of {len(base)} parts, {lost[0]} among them"
        yield Damage(figures.place.uri, what, cure)
