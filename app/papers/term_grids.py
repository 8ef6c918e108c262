"""Examples of a term from held-out pairs, and the maps of several models side by side (MedVL, Figures 4 and 5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.papers.heatmap_grid import HeatRow, heatmap_grid
from trainers.checkpoint import load_blip
from trainers.evaluation.heatmaps import examples_with, row_maps

EXAMPLES = 6  # of a term


@dataclass(frozen=True)
class TermGrid:
    """The picture of one term."""

    png: bytes
    meaning: str
    numbers: Sequence[Mapping[str, Any]]  # a row for each example and model


def term_grids(
    folders: Mapping[str, str], rows: Sequence[Mapping[str, Any]], terms: Sequence[str]
) -> dict[str, TermGrid]:
    """A grid for each term that stands in a text which all models read; folders: of the models, by column."""
    models = {name: load_blip(folder) for name, folder in folders.items()}
    grids = {}
    for term in terms:
        shown = examples_with(term, rows, n=EXAMPLES, models=list(models.values()))
        if not shown:
            continue
        maps = {name: row_maps(*model, shown, term) for name, model in models.items()}
        heat_rows = [
            HeatRow(
                image=row["image"],
                heats={name: each[number].map.numpy() for name, each in maps.items()},
                caption=row["text"],
                found=next(iter(maps.values()))[number].found,
                source=f"{row['pair_id']}, {row['licence']}. {row['attribution']}",
            )
            for number, row in enumerate(shown)
        ]
        pieces = {name: " ".join(each[0].pieces) for name, each in maps.items()}
        grids[term] = TermGrid(
            png=heatmap_grid(heat_rows, list(models), title=f"“{term}”"),
            meaning=f"Where the models look for “{term}”. "
            + ". ".join(f"The {name} model reads it as {read}" for name, read in pieces.items())
            + ".",
            numbers=[
                {"term": term, "model": name, "pair_id": row["pair_id"], "pieces": " ".join(each[number].pieces)}
                for name, each in maps.items()
                for number, row in enumerate(shown)
            ],
        )
    return grids
