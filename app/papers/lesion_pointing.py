"""Whether maps of a term lie on the lesion: held-out pairs of a drawn corpus, whose truth has the lesions' boxes.

In: models, pairs, and the truth of their figures. Out: for each model and pair, whether the hottest patch lies in a
box, what chance would find, and the share of the heat inside.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.papers.reproduced import Cell, Row, Table
from core.images import boxes_within, open_image
from core.records import Box
from pipelines.scoring.scorecard import best
from pipelines.scoring.truth import FigureTruth
from trainers.checkpoint import load_blip
from trainers.evaluation.bootstrap import Interval, ratio
from trainers.evaluation.heatmaps import (
    TermMap,
    inside_of,
    occurrences,
    points_at,
    reads_term,
    row_maps,
    share_inside,
)

RESAMPLES = 1000  # of the pool's articles


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A held-out pair whose text names the lesion that its image shows."""

    row: Mapping[str, Any]  # of the pairs table
    term: str
    boxes: Sequence[Box]  # of the lesion's parts, pixels of the pair's image
    size: tuple[int, int]  # width and height of that image


@dataclass(frozen=True, kw_only=True)
class Pointed:
    """What the map of one model for one pair says."""

    pair_id: str
    article_id: str
    term: str
    hit: float  # 1 where the hottest patch lies in a box
    chance: float  # the share of the map's patches whose middle lies in a box
    heat: float  # share of all heat that lies in the boxes


def asked_of(rows: Sequence[Mapping[str, Any]], truth: Sequence[FigureTruth]) -> list[Asked]:
    """Of rows of the pairs table, in their order, those whose text names the lesion that their image shows."""
    figures, found = {figure.figure_id: figure for figure in truth}, []
    for row in rows:
        figure = figures.get(row["figure_id"])
        place = best(row["box"], [panel.box for panel in figure.panels]) if figure else None
        if figure is None or place is None:
            continue
        panel = figure.panels[place]
        if panel.lesion_boxes and occurrences(row["text"], panel.lesion):
            size = open_image(row["image"]).image.size
            if boxes := _within(panel.lesion_boxes, row["box"], size):
                found.append(Asked(row=row, term=panel.lesion, boxes=boxes, size=size))
    return found


def _within(boxes: Sequence[Box], panel: Box, size: tuple[int, int]) -> list[Box]:
    """Boxes of a figure in the panel that was cut out of it, cut at its edges."""
    return boxes_within(([box[i] - panel[i % 2] for i in range(4)] for box in boxes), size)


def pointed(folder: str, asked: Sequence[Asked], *, batch_size: int = 32) -> list[Pointed]:
    """What a model's maps say; pairs whose term it does not read are left out."""
    model, tokenizer = load_blip(folder)
    found = []
    for term in sorted({each.term for each in asked}):
        of_term = [each for each in asked if each.term == term and reads_term(model, tokenizer, each.row["text"], term)]
        for first in range(0, len(of_term), batch_size):
            part = of_term[first : first + batch_size]
            maps = row_maps(model, tokenizer, [each.row for each in part], term)
            found += [_judged(each, map_) for each, map_ in zip(part, maps, strict=True)]
    return found


def of_all(found: Mapping[str, Sequence[Sequence[Pointed]]]) -> dict[str, list[list[Pointed]]]:
    """Of what models' maps say, the pairs that all of them read; nothing if there is none."""
    sets = [{each.pair_id for each in seed} for seeds in found.values() for seed in seeds]
    shared = set.intersection(*sets) if sets else set()
    if not shared:
        return {}
    return {
        scheme: [[each for each in seed if each.pair_id in shared] for seed in seeds] for scheme, seeds in found.items()
    }


def _judged(asked: Asked, found: TermMap) -> Pointed:
    heat, size = found.map, asked.size
    return Pointed(
        pair_id=asked.row["pair_id"],
        article_id=asked.row["article_id"],
        term=asked.term,
        hit=float(any(points_at(heat, box, size) for box in asked.boxes)),
        chance=inside_of(asked.boxes, size, (heat.shape[0], heat.shape[1])),
        heat=min(1.0, sum(share_inside(heat, box, size) for box in asked.boxes)),
    )


def by_chance(found: Sequence[Sequence[Pointed]]) -> tuple[Interval, Interval]:
    """How many times chance: hits, and heat by the patches' share. found: of each seed, the same pairs in one order.

    Intervals of 95 % over articles, each pair with its mean over the seeds.
    """
    first = found[0]
    chance, articles = [each.chance for each in first], [each.article_id for each in first]
    hits, heat = (
        np.mean([[getattr(each, name) for each in seed] for seed in found], axis=0).tolist() for name in ("hit", "heat")
    )
    hits_times, heat_times = (ratio(each, chance, articles, resamples=RESAMPLES, seed=0) for each in (hits, heat))
    return hits_times, heat_times


def table(found: Mapping[str, Sequence[Sequence[Pointed]]]) -> Table:
    """A row for each scheme. found: by scheme, of each seed."""
    rows = []
    for scheme, seeds in found.items():
        hits, heat = by_chance(seeds)
        shares = [100 * float(np.mean([each.hit for each in seed])) for seed in seeds]  # of the same pairs
        cells = [Cell(value=f"{np.mean(shares):.1f}", beneath=[f"{min(shares):.1f}–{max(shares):.1f}"])]
        cells += [
            Cell(value=f"×{each.value:.2f}", beneath=[f"{each.low:.2f}–{each.high:.2f}"]) for each in (hits, heat)
        ]
        rows.append(Row(head=scheme, cells=cells))
    first = next(iter(found.values()))[0]
    chance = 100 * float(np.mean([each.chance for each in first]))
    return Table(
        title="Where the maps point",
        caption=f"{len(first):,} held-out pairs whose text names the lesion that is drawn. Hits: the middle of the "
        "hottest patch lies in the lesion's box, percent; beneath, the seeds from lowest to highest. Beneath what is "
        "by chance's, 95 % intervals over articles.",
        groups={"hottest patch": ["hits", "by chance's"], "heat inside": ["by chance's"]},
        rows=rows,
        foot=Row(head="chance", cells=[Cell(value=f"{chance:.1f}"), Cell(value="×1"), Cell(value="×1")]),
    )


def said(found: Mapping[str, Sequence[Sequence[Pointed]]]) -> list[str]:
    """Whether each scheme's maps lie on the lesions: by the interval over articles, and in every seed."""
    told = []
    for scheme, seeds in found.items():
        hits, _ = by_chance(seeds)
        each = sorted(float(np.mean([at.hit for at in seed]) / np.mean([at.chance for at in seed])) for seed in seeds)
        verdict = "are not told from chance"
        if hits.low > 1:
            verdict = "lie on it more often than chance" if each[0] > 1 else "lie on it in some seeds and not in others"
        told.append(
            f"Of {scheme} models the hottest patch lies on the lesion {hits.value:.2f} times as often as by chance "
            f"(95 %: {hits.low:.2f} to {hits.high:.2f}; seeds from {each[0]:.2f} to {each[-1]:.2f}): their maps "
            f"{verdict}."
        )
    return told
