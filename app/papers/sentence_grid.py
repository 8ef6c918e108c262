"""Where models see a sentence in radiographs, the finding outlined, side by side (MLIP, Figure 3 b)."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Any, NamedTuple

import pyarrow.dataset
from torch import Tensor

from app.papers.heatmap_grid import HeatRow, heatmap_grid
from core.records import Radiograph
from core.tables import rows_of
from trainers.checkpoint import load_model
from trainers.evaluation.masks import Row, at_patches, extent
from trainers.evaluation.radiographs import films
from trainers.evaluation.sentence_maps import PromptsOf, hits, mlip_of, prompt_maps
from trainers.evaluation.text_maps import warmth
from trainers.texts import number

EXAMPLES = 4  # of a finding
LEGEND = "Cosine of each patch and the prompt's sentence: from 0, the median of the map, to 1, its maximum. "
LEGEND += "The black line is the finding as it was marked by hand or drawn."


@dataclass(frozen=True)
class SentenceGrid:
    """The picture of one finding."""

    png: bytes
    meaning: str
    numbers: Sequence[Mapping[str, Any]]  # a row for each example and model


class Pointed(NamedTuple):
    """The map of one finding in one radiograph, and whether it is warmest inside the finding."""

    heat: Tensor  # (h, w)
    hit: bool


def sentence_grids(
    folders: Mapping[str, str],
    files: Sequence[str],
    prompts: PromptsOf,
    *,
    examples: int = EXAMPLES,
    batch_size: int = 16,
    device: str = "cpu",
) -> dict[str, SentenceGrid]:
    """A grid for each finding that has a place in a radiograph of the files; folders: of the models, by column.

    prompts: finding -> sentences that say it is there. Raises UserError if a model has no map of sentences.
    """
    shown = {finding: chosen for finding in prompts if (chosen := examples_of(finding, files, n=examples))}
    rows = _read(files, {image_id for chosen in shown.values() for image_id in chosen})
    maps = {
        name: _maps(folder, files, prompts, shown, batch_size=batch_size, device=device)
        for name, folder in folders.items()
    }
    return {
        finding: _grid(finding, prompts[finding], [rows[each] for each in chosen], maps)
        for finding, chosen in shown.items()
    }


def examples_of(finding: str, files: Sequence[str], *, n: int) -> list[str]:
    """At most n radiographs, by id, with a place of the finding, of as many patients as possible; always the same."""
    by_patient: dict[str, list[str]] = defaultdict(list)
    table = rows_of(files, Radiograph)
    rows = table.to_table(columns=["image_id", "patient_id", "regions"]).to_pylist()
    for row in sorted(rows, key=lambda row: number(f"{finding}:{row['image_id']}")):
        if any(region["target"] == finding for region in row["regions"]):
            by_patient[row["patient_id"]].append(row["image_id"])
    turns = zip_longest(*by_patient.values())
    return [image_id for image_id in chain.from_iterable(turns) if image_id is not None][:n]


def _read(files: Sequence[str], image_ids: Collection[str]) -> dict[str, Row]:
    wanted = pyarrow.dataset.field("image_id").isin(list(image_ids))
    rows = rows_of(files, Radiograph).to_table(filter=wanted).to_pylist()
    return {row["image_id"]: row for row in rows}


def _maps(
    folder: str,
    files: Sequence[str],
    prompts: PromptsOf,
    shown: Mapping[str, Sequence[str]],
    *,
    batch_size: int,
    device: str,
) -> dict[tuple[str, str], Pointed]:
    """By finding and radiograph."""
    loaded, tokenizer = load_model(folder)
    model, maps = mlip_of(loaded).to(device), {}
    size, patch = model.settings.image_size, model.settings.patch
    for batch in films(files, size=size, batch_size=batch_size, device=device):
        for finding, chosen in shown.items():
            places = [place for place, row in enumerate(batch.rows) if row["image_id"] in chosen]
            if not places:
                continue
            found = prompt_maps(model, tokenizer, batch.images[places], prompts[finding]).cpu()
            for row, heat in zip((batch.rows[place] for place in places), found, strict=True):
                inside = at_patches(extent(row, finding), size, patch)
                maps[finding, row["image_id"]] = Pointed(heat, hits(heat, inside))
    return maps


def _grid(
    finding: str, prompts: Sequence[str], rows: Sequence[Row], maps: Mapping[str, Mapping[tuple[str, str], Pointed]]
) -> SentenceGrid:
    said = " / ".join(f"“{prompt}”" for prompt in prompts)
    heat_rows = [
        HeatRow(
            image=row["image"],
            heats={name: warmth(each[finding, row["image_id"]].heat).numpy() for name, each in maps.items()},
            caption=row["text"],
            found=(),
            source=f"{row['image_id']}, {row['dataset']}",
            outline=extent(row, finding),
        )
        for row in rows
    ]
    return SentenceGrid(
        png=heatmap_grid(heat_rows, list(maps), title=f"{finding}: {said}", legend=LEGEND),
        meaning=f"Where the models see {said}, beside where {finding} is.",
        numbers=[
            {"finding": finding, "model": name, "image_id": row["image_id"], "hit": each[finding, row["image_id"]].hit}
            for name, each in maps.items()
            for row in rows
        ],
    )
