"""Which images of a table several articles show, found once and kept beside the table."""

from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.csv

from core.runs import Table, digest
from core.split import pmcid_of
from pipelines.copies import dedupe
from pipelines.matching.match import WHOLE


@dataclass(frozen=True)
class Duplicates:
    """Images that several articles show."""

    images: dict[str, str]  # pair_id -> the first pair_id of its group
    articles: dict[str, str]  # PMC id -> the first PMC id of those that share images
    copies: list[dedupe.Copy]


def kept_duplicates(separated: Table, *, min_similarity: float) -> Duplicates:
    """What find_duplicates() finds, which takes long: kept beside the table for as long as that stays as it is."""
    file = separated.place / "duplicates.json"
    inputs = digest([str(min_similarity), *(each.sha256 for part in separated.parts() for each in part.files)])
    kept = file.read_json() if file.exists() else {}
    if kept.get("inputs") == inputs:
        copies = [dedupe.Copy(**copy) for copy in kept["copies"]]
        return Duplicates(images=kept["images"], articles=kept["articles"], copies=copies)
    found = find_duplicates(separated, min_similarity=min_similarity)
    file.write_json({"inputs": inputs, **asdict(found)})
    return found


def find_duplicates(separated: Table, *, min_similarity: float) -> Duplicates:
    """The images, whole figures and panels, that different articles of a table share."""
    rows = separated.read(columns=["figure_id", "article_id", "pictures"]).to_pylist()
    seen = [
        dedupe.Seen(
            item_id=pair_id(row["figure_id"], picture["subfigure"]),
            article_id=pmcid_of(row["article_id"]),
            pixels_md5=picture["pixels_md5"],
            thumbnail=picture["thumbnail"],
        )
        for row in rows
        for picture in row["pictures"]
    ]
    copies = dedupe.find_copies(seen, min_similarity=min_similarity)
    article = {image.item_id: image.article_id for image in seen}
    return Duplicates(
        images=dedupe.groups([(copy.first, copy.second) for copy in copies]),
        articles=dedupe.groups([(article[copy.first], article[copy.second]) for copy in copies]),
        copies=copies,
    )


def pair_id(figure_id: str, subfigure: int) -> str:
    """The id of the pair that a panel, or with -1 the whole figure, may become."""
    return f"{figure_id}#{'whole' if subfigure == WHOLE else subfigure}"


def as_csv(duplicates: Duplicates) -> bytes:
    """The copies, a row for each, and how they were seen."""
    columns = {
        "image": [copy.first for copy in duplicates.copies],
        "copy": [copy.second for copy in duplicates.copies],
        "duplicate_group": [duplicates.images[copy.first] for copy in duplicates.copies],
        "similarity": [copy.similarity for copy in duplicates.copies],
        "reason": [copy.reason for copy in duplicates.copies],
    }
    sink = pa.BufferOutputStream()
    pyarrow.csv.write_csv(pa.table(columns), sink)
    return bytes(sink.getvalue())
