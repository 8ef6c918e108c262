"""Radiographs into tables, part by part: `radiographs/split=.../`, and those with a report to `pairs/split=.../` too.

One part is read and written inside one task, so that no image passes from process to process.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter

from core.places import Place
from core.records import Pair, Radiograph, Reject, Sentence
from core.runs import Table, digest
from core.split import by_split

Work = TypeVar("Work")
Read = Callable[[Work], Sequence[Radiograph | Reject]]
Cut = Callable[[Sequence[str]], Sequence[Sequence[Sentence]]]  # texts into sentences
IN_A_PART = 512  # works; some 40 MB of radiographs with a short side of 512 pixels
FEWEST_PARTS = 16


@dataclass(frozen=True)
class Slice:
    """A part that is still to be made."""

    part: int
    inputs: str  # digest of `works`
    works: str  # JSON


@dataclass(frozen=True)
class Terms:
    """What is owed to those who published a set."""

    licence: str
    attribution: str


@dataclass(frozen=True)
class Source(Generic[Work]):
    """A set to be read: its works, each an image or a patient, and what makes radiographs of one."""

    works: Sequence[Work]  # dataclasses or plain values, all of one type
    read: Read[Work]
    terms: Terms
    asked: Mapping[str, Any]  # what `read` was told, by name: another value makes another table
    notes: Sequence[str] = ()  # what is said of the set before it is read


def make_part(
    row: Mapping[str, Any], *, run: Place, read: Read[Any], shape: type, open_cut: Callable[[], Cut], terms: Terms
) -> dict[str, Any]:
    """Make the part of a Slice, of works of the type `shape`. Committing the radiographs, the last act, completes it.

    open_cut: called once, in the process that makes the part.
    """
    part = Slice(**row)
    works = TypeAdapter(list[shape]).validate_json(part.works)  # type: ignore[valid-type]
    made = [each for work in works for each in read(work)]
    radiographs = [each for each in made if isinstance(each, Radiograph)]
    rejects = [each for each in made if isinstance(each, Reject)]
    pairs = pairs_of(radiographs, open_cut, terms)
    if pairs:
        files = by_split(pairs, Pair)
        pair_table(run).commit(part.part, tables=files, rejects=[], inputs=part.inputs, counts={})
    files = by_split(radiographs, Radiograph)
    told = counts(radiographs)
    done = radiograph_table(run).commit(part.part, tables=files, rejects=rejects, inputs=part.inputs, counts=told)
    return {"part": done.model_dump_json()}


def radiograph_table(run: Place) -> Table:
    """The radiographs of a run."""
    return Table(run / "radiographs", Radiograph)


def pair_table(run: Place) -> Table:
    """The pairs of a run."""
    return Table(run / "pairs", Pair)


def slices(works: Sequence[Any], parts: int) -> list[Slice]:
    """Works, dataclasses or plain values, dealt out to parts one by one, so that every part is as the whole."""
    dealt = [TypeAdapter(list).dump_json(list(works[number::parts])).decode() for number in range(parts)]
    return [Slice(number, digest([each]), each) for number, each in enumerate(dealt)]


def parts_for(works: int, fewest: int | None) -> int:
    """How many parts a table of so many works has: none of more than IN_A_PART, at least `fewest`, none empty."""
    return max(1, min(works, max(fewest or FEWEST_PARTS, -(-works // IN_A_PART))))


def pairs_of(radiographs: Sequence[Radiograph], open_cut: Callable[[], Cut], terms: Terms) -> list[Pair]:
    """The radiographs that have a report, as pairs: a patient is an article, a study a figure."""
    told = [each for each in radiographs if each.text]
    texts = list(dict.fromkeys(each.text for each in told))  # images of one study share theirs
    sentences = dict(zip(texts, open_cut()(texts), strict=True)) if texts else {}
    return [
        Pair(
            pair_id=each.image_id,
            figure_id=each.study_id,
            article_id=each.patient_id,
            split=each.split,
            image=each.image,
            small=each.small,
            width=each.width,
            height=each.height,
            box=(0, 0, each.width, each.height),
            label=None,
            text=each.text,
            matched_by="published",
            score=1.0,
            reason="",
            licence=terms.licence,
            attribution=terms.attribution,
            media_url="",
            md5=each.md5,
            modality="X-ray",
            sentences=list(sentences[each.text]),
        )
        for each in told
    ]


def counts(radiographs: Sequence[Radiograph]) -> dict[str, int]:
    """By split: the images, those with a report, with regions and with masks; of each target, judged and present."""
    told: Counter[str] = Counter()
    for each in radiographs:
        told[f"{each.split}/images"] += 1
        told[f"{each.split}/reports"] += bool(each.text)
        told[f"{each.split}/regions"] += bool(each.regions)
        told[f"{each.split}/masks"] += any(region.mask for region in each.regions)
        for target in each.targets:
            told[f"{each.split}/judged/{target.name}"] += 1
            told[f"{each.split}/present/{target.name}"] += target.present
    return dict(told)


def counts_of(table: Table) -> Counter[str]:
    """The counts of all parts of a table."""
    told: Counter[str] = Counter()
    for part in table.parts():
        told.update(part.counts)
    return told
