"""A run's pairs as the report lists them for a reviewer: small pictures, texts and facts, the doubtful ones first.

The rows stand in the page as JSON, so that the browser draws one page of them at a time.
"""

import base64
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import quote

from PIL import Image

from core.images import ImageError, open_image
from core.places import Place
from core.records import Figure, Pair, Split, from_row
from core.runs import Table
from pipelines.reviews import mark_of

MOST = 2000  # pairs of a page: with pictures of 160 px some 10 MB, which a browser opens in less than two seconds
SIDE = 160  # pixels, the longer side of a picture
QUALITY = 70  # of WebP: noise is smoothed, printed letters stay readable
PLAIN = 12  # pairs that stand in the page itself, for browsers that run no script
FACETS = {  # what the list can be filtered by -> the words before the choice
    "way": "How the text was found",
    "modality": "Modality",
    "split": "Split",
    "licence": "Licence",
    "kind": "Kind",
}
DRAWN_DOI = "10.99999/"  # of drawn articles: their numbers are also those of real ones
BUCKET = "s3://pmc-oa-opendata/"
BUCKET_ON_THE_WEB = "https://pmc-oa-opendata.s3.amazonaws.com/"


CERTAIN = {"given", "published", "reviewed"}  # texts that were not matched: their score says nothing


@dataclass(frozen=True, kw_only=True)
class Totals:
    """All pairs of a run, listed or not."""

    pairs: int
    wrong: float | None  # probably, by the scores of those that were matched; None where none was


@dataclass(frozen=True, kw_only=True)
class PairList:
    """What the page lists."""

    run: str
    digest: str  # of the table of pairs: a review is of these
    totals: Totals  # of the run
    rows: Sequence[Mapping[str, Any]]  # most doubtful first
    figures: Mapping[str, Mapping[str, str]]  # by figure id: caption, title, links
    facets: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # FACETS -> value -> rows

    @property
    def data(self) -> dict[str, Any]:
        """What the script reads."""
        return {"run": self.run, "digest": self.digest, "rows": list(self.rows), "figures": dict(self.figures)}


def read_pair_list(run: Place, *, most: int = MOST) -> PairList | None:
    """The pairs of a run, or None where it has none.

    Of more than `most` half are those with the lowest scores, and half are spread evenly over the others.
    """
    table, scores = Table(run / "pairs", Pair), scores_of(run)
    if not scores:
        return None
    chosen = {row["pair_id"] for row in chosen_of(scores, most)}
    pairs = [from_row(row, Pair) for row in table.select("pair_id", chosen).to_pylist()]
    pairs.sort(key=lambda pair: (pair.score, pair.pair_id))
    rows = [_row(pair) for pair in pairs]
    return PairList(
        run=run.name,
        digest=table.digest,
        totals=totals_of(scores),
        rows=rows,
        figures=_figures(run, pairs),
        facets={name: dict(Counter(row[name] for row in rows).most_common()) for name in FACETS},
    )


def scores_of(run: Place) -> list[dict[str, Any]]:
    """Id, score and way of matching of every pair of a run."""
    table, columns = Table(run / "pairs", Pair), ["pair_id", "score", "matched_by"]
    return [row for split in get_args(Split) for row in table.read(f"split={split}", columns=columns).to_pylist()]


def totals_of(scores: Sequence[Mapping[str, Any]]) -> Totals:
    """How many pairs there are, and how many of them are probably wrong."""
    matched = [row["score"] for row in scores if row["matched_by"] not in CERTAIN]
    return Totals(pairs=len(scores), wrong=sum(1 - score for score in matched) if matched else None)


def chosen_of(rows: Sequence[dict[str, Any]], most: int) -> list[dict[str, Any]]:
    """At most so many rows: the lowest scores, then the others from beginning to end of the scores."""
    ranked = sorted(rows, key=lambda row: (row["score"], row["pair_id"]))
    if len(ranked) <= most:
        return ranked
    doubtful, others = ranked[: most // 2], ranked[most // 2 :]
    step = len(others) / (most - most // 2)
    return doubtful + [others[int(place * step)] for place in range(most - most // 2)]


def thumbnail(image: bytes) -> tuple[str, int, int]:
    """A picture as a data: URI of WebP, with width and height in pixels; "" and zeros where it cannot be opened."""
    try:
        small = open_image(image).image.copy()
    except ImageError:
        return "", 0, 0
    small.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    small.save(buffer, format="WEBP", quality=QUALITY, method=2)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), small.width, small.height


def links_of(article_id: str, doi: str | None, media_url: str) -> dict[str, str]:
    """Where an article and its image stand on the web, by "PMC", "DOI" and "file"; nothing for drawn articles."""
    if doi and doi.startswith(DRAWN_DOI):
        return {}
    found = {}
    pmc = re.fullmatch(r"(PMC\d+)(\.\d+)?", article_id)
    if pmc:
        found["PMC"] = f"https://pmc.ncbi.nlm.nih.gov/articles/{pmc[1]}/"
    if doi and re.fullmatch(r"10\.\d{4,9}/\S+", doi):
        found["DOI"] = f"https://doi.org/{quote(doi, safe='/')}"
    if media_url.startswith(BUCKET):
        found["file"] = BUCKET_ON_THE_WEB + quote(media_url.removeprefix(BUCKET), safe="/")
    return found


def _row(pair: Pair) -> dict[str, Any]:
    uri, width, height = thumbnail(pair.image)
    return {
        "id": pair.pair_id,
        "figure": pair.figure_id,
        "image": uri,
        "width": width,
        "height": height,
        "text": pair.text,
        "way": pair.matched_by,
        "score": round(pair.score, 3),
        "reason": pair.reason,
        "modality": pair.modality,
        "split": pair.split,
        "licence": pair.licence,
        "kind": pair.kind,
        "mark": mark_of(pair),
    }


def _figures(run: Place, pairs: Sequence[Pair]) -> dict[str, dict[str, str]]:
    """Caption, title and links of the figures that the pairs are of. A run of a user's own pairs knows links alone."""
    wanted = {pair.figure_id: pair for pair in pairs}
    table = Table(run / "figures", Figure)
    known: dict[str, dict[str, Any]] = {}
    if table.parts():
        columns = ["figure_id", "title", "caption", "doi"]
        rows = (row for part in table.parts() for row in table.read_of(part, columns).to_pylist())
        known = {row["figure_id"]: row for row in rows if row["figure_id"] in wanted}
    found = {}
    for name, pair in wanted.items():
        row = known.get(name, {})
        told = {"caption": row.get("caption", ""), "title": row.get("title", "")}
        found[name] = told | links_of(pair.article_id, row.get("doi"), pair.media_url)
    return found
